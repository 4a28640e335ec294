//! AI APIs: their endpoints, operations and pairs.

use super::endpoint::header_text;
use super::{Context, Endpoint, Environment, MethodPattern, PathPattern, Timeouts};
use crate::balance::{Pool, RetryRules, Shared, Turns};
use crate::splice::ModelToken;
use crate::vendor::Vendor;
use http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;

/// One published API of one vendor, mounted at a context.
#[derive(Debug)]
pub struct AiApi {
    number: usize,
    name: String,
    context: Context,
    vendor: Vendor,
    access: Access,
    production: Option<Endpoints>,
    sandbox: Option<Endpoints>,
    operations: Vec<Arc<Operation>>,
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
        vendor: Vendor,
        access: Access,
        production: Option<Endpoints>,
        sandbox: Option<Endpoints>,
        operations: Vec<Operation>,
    ) -> Self {
        Self {
            number: 0,
            name: name.to_owned(),
            context,
            vendor,
            access,
            production,
            sandbox,
            operations: operations.into_iter().map(Arc::new).collect(),
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
    pub fn vendor(&self) -> &Vendor {
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
        Some(match operation.pairs(environment) {
            Some(pairs) => Target::Balanced(pairs),
            None => Target::Primary(endpoints.primary()),
        })
    }
}

/// Where an operation's requests go.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// To the pair whose turn it is.
    Balanced(&'a Arc<Pairs>),
    /// To the environment's primary endpoint, the model untouched.
    Primary(&'a Arc<Endpoint>),
}

/// A method and path below a context, with at most one policy.
#[derive(Debug)]
pub struct Operation {
    method: MethodPattern,
    path: PathPattern,
    production: Option<Arc<Pairs>>,
    sandbox: Option<Arc<Pairs>>,
}

impl Operation {
    /// An operation that balances over these pairs; `None` for an environment without a policy.
    pub fn new(
        method: MethodPattern,
        path: PathPattern,
        production: Option<Pairs>,
        sandbox: Option<Pairs>,
    ) -> Self {
        Self { method, path, production: production.map(Arc::new), sandbox: sandbox.map(Arc::new) }
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

/// The pairs of an operation in one environment, and whose turn it is among them.
#[derive(Debug)]
pub struct Pairs {
    pairs: Vec<Pair>,
    pool: Pool,
    retry: RetryRules,
    commit: Commit,
}

/// What of a streamed response commits the gateway to it, so that no other pair is tried any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Commit {
    /// The first event.
    #[default]
    FirstByte,
    /// Its header.
    Headers,
}

impl Pairs {
    /// These pairs, which stand in the order of `pool`'s places.
    pub fn new(pairs: Vec<Pair>, pool: Pool, retry: RetryRules, commit: Commit) -> Self {
        Self { pairs, pool, retry, commit }
    }

    /// When a request is tried again on another pair.
    pub fn retry(&self) -> &RetryRules {
        &self.retry
    }

    /// What of a streamed response commits the gateway to it.
    pub fn commit(&self) -> Commit {
        self.commit
    }

    /// The pair at a place of the pool.
    pub fn pair(&self, place: usize) -> Option<&Pair> {
        self.pairs.get(place)
    }

    /// The pairs in the order listed.
    pub fn iter(&self) -> impl Iterator<Item = &Pair> {
        self.pairs.iter()
    }

    /// Whose turn it is among them.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Pair> {
        self.pairs.iter_mut()
    }

    /// Shares the health of the pair at `place` with whoever has `health`.
    pub(super) fn share_health(&mut self, place: usize, health: &Arc<Shared>) {
        self.pool.share_health(place, health);
        if let Some(pair) = self.pairs.get_mut(place) {
            pair.health = Arc::clone(health);
        }
    }

    pub(super) fn take_turns(&mut self, turns: Arc<Turns>) {
        self.pool.take_turns(turns);
    }
}

/// A pair's place among all distinct pairs of a gateway: the same model on the same endpoint has one number, in whichever
/// operations it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct PairNumber(pub usize);

/// A model on an endpoint.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The model.
    pub model: Model,
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// How long the endpoint may take when it is tried for this pair.
    pub timeouts: Timeouts,
    /// `model@endpoint`, both percent-encoded, as the trail of a request shows it.
    pub label: Arc<str>,
    /// Its place among all pairs of the gateway.
    pub number: PairNumber,
    /// Whether it is in or out, shared by all operations of the AI API.
    pub health: Arc<Shared>,
}

impl Pair {
    /// `model` on `endpoint`, which shares `health` with others that are the same.
    pub fn new(model: Model, endpoint: Arc<Endpoint>, timeouts: Timeouts, health: Arc<Shared>) -> Self {
        let encoded = |name| utf8_percent_encode(name, IN_TRAILS);
        let label = format!("{}@{}", encoded(model.name()), encoded(endpoint.name()));
        Self { model, endpoint, timeouts, label: label.into(), number: PairNumber::default(), health }
    }
}

/// What is percent-encoded in the trail of a request: all but what is unreserved in a URL (RFC 3986, 2.3), and the `:`
/// and `/` of model names, which separate nothing there.
const IN_TRAILS: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'/');

/// A model's name in the forms in which it is needed.
#[derive(Debug, Clone)]
pub struct Model {
    name: Arc<str>,
    label: HeaderValue,
    token: ModelToken,
}

/// Why a text is no model's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// It is empty.
    #[error("a model's name is not empty")]
    Empty,
    /// It is longer than 256 bytes.
    #[error("a model's name has at most 256 bytes, this one has {0}")]
    TooLong(usize),
    /// It has a control character.
    #[error("a model's name has no control characters")]
    ControlCharacter,
}

impl Model {
    /// The model of this name.
    ///
    /// # Errors
    /// [`ModelError`] says what is wrong with the name.
    pub fn new(name: &str) -> Result<Self, ModelError> {
        if name.is_empty() {
            return Err(ModelError::Empty);
        }
        if name.len() > 256 {
            return Err(ModelError::TooLong(name.len()));
        }
        if name.chars().any(char::is_control) {
            return Err(ModelError::ControlCharacter);
        }
        Ok(Self { name: name.into(), label: header_text(name), token: ModelToken::new(name) })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its name as the value of a header, percent-encoded where it must be.
    pub fn label(&self) -> &HeaderValue {
        &self.label
    }

    /// Its name as it is spliced into a body.
    pub fn token(&self) -> &ModelToken {
        &self.token
    }
}
