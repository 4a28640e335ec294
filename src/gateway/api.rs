//! AI APIs: their endpoints and operations.

use super::index::PathIndex;
use super::{Context, Endpoint, Environment, MethodPattern, Pairs, PathPattern};
use crate::vendor::Vendor;
use std::sync::Arc;

/// One published API of one vendor, mounted at a context.
#[derive(Debug)]
pub struct AiApi {
    number: usize,
    name: String,
    context: Context,
    vendor: Arc<Vendor>,
    access: Access,
    production: Option<Endpoints>,
    sandbox: Option<Endpoints>,
    operations: Vec<Arc<Operation>>,
    by_path: PathIndex,
}

/// Who may call an AI API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever presents a key for it; the key decides the environment.
    ApiKey,
    /// Anyone; every request is `production`.
    Open,
}

/// The endpoints of one environment, at least one.
#[derive(Debug, Clone)]
pub struct Endpoints {
    primary: Arc<Endpoint>,
    others: Vec<Arc<Endpoint>>,
}

impl Endpoints {
    /// The endpoints in the order listed, the first being the primary one; `None` if there is none.
    pub fn new(endpoints: Vec<Arc<Endpoint>>) -> Option<Self> {
        let mut endpoints = endpoints.into_iter();
        let primary = endpoints.next()?;
        let others = endpoints.collect();
        Some(Self { primary, others })
    }

    /// The first of them.
    pub fn primary(&self) -> &Arc<Endpoint> {
        &self.primary
    }

    /// All of them, the primary one first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        std::iter::once(&self.primary).chain(&self.others)
    }
}

impl AiApi {
    /// The AI API `name` of `vendor` at `context`.
    pub fn new(
        name: &str,
        context: Context,
        vendor: Arc<Vendor>,
        access: Access,
        production: Option<Endpoints>,
        sandbox: Option<Endpoints>,
        operations: Vec<Operation>,
    ) -> Self {
        let operations: Vec<_> = operations.into_iter().map(Arc::new).collect();
        Self {
            number: 0,
            name: name.to_owned(),
            context,
            vendor,
            access,
            production,
            sandbox,
            by_path: PathIndex::new(&operations),
            operations,
        }
    }

    /// Its place among the AI APIs of its gateway.
    pub fn number(&self) -> usize {
        self.number
    }

    pub(super) fn set_number(&mut self, number: usize) {
        self.number = number;
    }

    /// Its operations, before they are shared with anyone.
    pub(super) fn operations_mut(&mut self) -> impl Iterator<Item = &mut Operation> {
        self.operations.iter_mut().filter_map(Arc::get_mut)
    }

    /// The name that a configuration and its keys call it by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is mounted.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Whose API it is.
    pub fn vendor(&self) -> &Arc<Vendor> {
        &self.vendor
    }

    /// Who may call it.
    pub fn access(&self) -> Access {
        self.access
    }

    /// Its operations, in the order listed.
    pub fn operations(&self) -> &[Arc<Operation>] {
        &self.operations
    }

    /// The operations at `path`, which is what a request's path has below the context: the most specific path's first,
    /// and those of one path together.
    pub(super) fn operations_at<'a, 'p>(
        &'a self,
        path: &'p str,
    ) -> impl Iterator<Item = impl Iterator<Item = &'a Arc<Operation>> + use<'a>> + use<'a, 'p> {
        let at = |places: &'a [usize]| places.iter().filter_map(|place| self.operations.get(*place));
        self.by_path.at(path).map(at)
    }

    /// Its endpoints in `environment`; `None` if it has none there.
    pub fn endpoints(&self, environment: Environment) -> Option<&Endpoints> {
        match environment {
            Environment::Production => self.production.as_ref(),
            Environment::Sandbox => self.sandbox.as_ref(),
        }
    }

    /// Where requests for `operation` in `environment` go; `None` if the environment has no endpoint.
    pub fn target<'a>(&'a self, operation: &'a Operation, environment: Environment) -> Option<Target<'a>> {
        let endpoints = self.endpoints(environment)?;
        Some(match (operation.answer(), operation.pairs(environment)) {
            (Some(OwnAnswer::Models), _) => Target::Models,
            (None, Some(pairs)) => Target::Balanced(pairs),
            (None, None) => Target::Primary(endpoints.primary()),
        })
    }

    /// The models that a client of `environment` may ask for, each once: those of the policies there; without any, those
    /// that the vendor is known to have.
    pub fn models(&self, environment: Environment) -> Vec<&str> {
        let pairs = self.operations.iter().filter_map(|operation| operation.pairs(environment));
        let mut models: Vec<&str> = Vec::new();
        for pair in pairs.flat_map(|pairs| pairs.iter()) {
            if !models.contains(&pair.model.name()) {
                models.push(pair.model.name());
            }
        }
        if models.is_empty() { self.vendor.models.iter().map(String::as_str).collect() } else { models }
    }
}

/// Where an operation's requests go.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// To the pair whose turn it is.
    Balanced(&'a Arc<Pairs>),
    /// To the environment's primary endpoint, the model untouched.
    Primary(&'a Arc<Endpoint>),
    /// Nowhere: the gateway lists the models.
    Models,
}

/// A method and path below a context, with at most one policy.
#[derive(Debug)]
pub struct Operation {
    method: MethodPattern,
    path: PathPattern,
    answer: Option<OwnAnswer>,
    production: Option<Arc<Pairs>>,
    sandbox: Option<Arc<Pairs>>,
}

/// What the gateway answers by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnAnswer {
    /// The models that a client may ask for.
    Models,
}

impl Operation {
    /// An operation that balances over these pairs; `None` for an environment without a policy.
    pub fn new(
        method: MethodPattern,
        path: PathPattern,
        production: Option<Pairs>,
        sandbox: Option<Pairs>,
    ) -> Self {
        let (production, sandbox) = (production.map(Arc::new), sandbox.map(Arc::new));
        Self { method, path, answer: None, production, sandbox }
    }

    /// The same, whose requests the gateway answers by itself if there is an `answer`.
    #[must_use]
    pub fn answering(self, answer: Option<OwnAnswer>) -> Self {
        Self { answer, ..self }
    }

    /// What the gateway answers by itself; `None` where requests are sent on.
    pub fn answer(&self) -> Option<OwnAnswer> {
        self.answer
    }

    /// The methods it answers to.
    pub fn method(&self) -> &MethodPattern {
        &self.method
    }

    /// The paths it answers to.
    pub fn path(&self) -> &PathPattern {
        &self.path
    }

    /// The same, before they are shared with anyone.
    pub(super) fn pairs_mut(&mut self, environment: Environment) -> Option<&mut Pairs> {
        match environment {
            Environment::Production => self.production.as_mut(),
            Environment::Sandbox => self.sandbox.as_mut(),
        }
        .and_then(Arc::get_mut)
    }

    /// The pairs it balances over in `environment`; `None` if it has no policy there.
    pub fn pairs(&self, environment: Environment) -> Option<&Arc<Pairs>> {
        match environment {
            Environment::Production => self.production.as_ref(),
            Environment::Sandbox => self.sandbox.as_ref(),
        }
    }
}
