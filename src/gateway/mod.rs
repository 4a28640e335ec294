//! What runs: AI APIs, their endpoints and operations, and the way from a path and a key to a pair.
//!
//! Everything here is immutable once made and can only be made valid: the constructors parse and normalise, so that no
//! later code checks again. The one thing that moves is inside [`crate::balance`]'s pools. No Pingora, no file format.

mod api;
mod base_url;
mod endpoint;
mod heritage;
mod index;
mod pair;
mod path;
mod route;
mod segments;
mod shares;
mod tries;

pub use crate::keys::Environment;
pub use api::{Access, AiApi, Endpoints, Operation, OwnAnswer, Target};
pub use base_url::{BaseUrl, Host, Scheme, UrlError};
pub use endpoint::{Credential, Endpoint, EndpointHeaders, EndpointId, Protocol, Timeouts};
pub use heritage::{Heritage, HeritageRecord};
pub use pair::{Commit, Model, ModelError, Pair, PairNumber, Pairs};
pub use path::{Context, MethodPattern, PathError, PathPattern};
pub use route::{NoRoute, Route};
pub use segments::Segments;
pub use shares::Share;

use index::ContextIndex;
use std::collections::HashMap;
use std::sync::Arc;

/// All that is served.
#[derive(Debug)]
pub struct Gateway {
    /// The longest contexts first.
    apis: Vec<Arc<AiApi>>,
    contexts: ContextIndex,
    request_body_limit: usize,
    pair_count: usize,
}

/// Two AI APIs have one context, so that the second could never be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the context `{context}` is that of `{first}` already")]
pub struct DuplicateContext {
    /// The context that stands twice.
    pub context: String,
    /// The name of the AI API that has it.
    pub first: String,
}

impl Gateway {
    /// A gateway over these AI APIs that refuses request bodies of more than `request_body_limit` bytes.
    ///
    /// # Errors
    /// [`DuplicateContext`] if two of them are mounted at one context.
    pub fn new(apis: Vec<AiApi>, request_body_limit: usize) -> Result<Self, DuplicateContext> {
        let mut apis = apis;
        let pair_count = number(&mut apis);
        let mut apis: Vec<_> = apis.into_iter().map(Arc::new).collect();
        apis.sort_by_key(|api| std::cmp::Reverse(api.context().as_str().len()));
        for (index, api) in apis.iter().enumerate() {
            let earlier = apis.iter().take(index);
            if let Some(first) = earlier.into_iter().find(|a| a.context() == api.context()) {
                return Err(DuplicateContext {
                    context: api.context().as_str().to_owned(),
                    first: first.name().to_owned(),
                });
            }
        }
        Ok(Self { contexts: ContextIndex::new(&apis), apis, request_body_limit, pair_count })
    }

    /// The AI APIs, in no order that means anything.
    pub fn apis(&self) -> &[Arc<AiApi>] {
        &self.apis
    }

    /// The greatest request body that is accepted, in bytes.
    pub fn request_body_limit(&self) -> usize {
        self.request_body_limit
    }

    /// How many distinct pairs there are.
    pub fn pair_count(&self) -> usize {
        self.pair_count
    }

    /// Every distinct pair, each once, with the AI API and the environment that it belongs to.
    pub fn pairs(&self) -> impl Iterator<Item = (&Arc<AiApi>, Environment, &Pair)> {
        let mut seen = vec![false; self.pair_count];
        let in_all = self
            .lists()
            .flat_map(|(api, _, environment, pairs)| pairs.iter().map(move |pair| (api, environment, pair)));
        in_all.filter(move |(_, _, pair)| {
            seen.get_mut(pair.number.0).is_some_and(|seen| !std::mem::replace(seen, true))
        })
    }

    /// The list of pairs of every policy, with its AI API, operation and environment.
    pub fn lists(&self) -> impl Iterator<Item = (&Arc<AiApi>, &Operation, Environment, &Arc<Pairs>)> {
        self.apis.iter().flat_map(|api| {
            api.operations().iter().flat_map(move |operation| {
                Environment::ALL.into_iter().filter_map(move |environment| {
                    Some((api, operation.as_ref(), environment, operation.pairs(environment)?))
                })
            })
        })
    }

    /// The endpoints of all AI APIs and environments.
    pub fn endpoints(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.endpoints_with_place().map(|(_, _, endpoint)| endpoint)
    }

    /// The endpoints, each with its AI API and environment.
    pub fn endpoints_with_place(&self) -> impl Iterator<Item = (&Arc<AiApi>, Environment, &Arc<Endpoint>)> {
        self.apis.iter().flat_map(|api| {
            Environment::ALL.into_iter().flat_map(move |environment| {
                let endpoints = api.endpoints(environment).into_iter().flat_map(Endpoints::iter);
                endpoints.map(move |endpoint| (api, environment, endpoint))
            })
        })
    }
}

/// Gives each AI API and each distinct pair its number. Returns how many pairs there are.
fn number(apis: &mut [AiApi]) -> usize {
    let mut numbers = HashMap::new();
    for (index, api) in apis.iter_mut().enumerate() {
        api.set_number(index);
        for operation in api.operations_mut() {
            for environment in Environment::ALL {
                let pairs = operation.pairs_mut(environment).into_iter().flat_map(Pairs::iter_mut);
                for pair in pairs {
                    let next = PairNumber(numbers.len());
                    let key = (pair.endpoint.id(), pair.model.name().to_owned());
                    pair.number = *numbers.entry(key).or_insert(next);
                }
            }
        }
    }
    numbers.len()
}
