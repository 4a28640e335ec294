//! What runs: AI APIs, their endpoints and operations, and the way from a path and a key to a pair.
//!
//! Everything here is immutable once made and can only be made valid: the constructors parse and normalise, so that no
//! later code checks again. The one thing that moves is inside [`crate::balance`]'s pools. No Pingora, no file format.

mod api;
mod endpoint;
mod path;
mod route;
mod tries;

pub use crate::keys::Environment;
pub use api::{Access, AiApi, Commit, Endpoints, Model, ModelError, Operation, Pair, Pairs, Target};
pub use endpoint::{
    BaseUrl, Endpoint, EndpointHeaders, EndpointId, Host, Protocol, Scheme, Timeouts, UrlError,
};
pub use path::{Context, MethodPattern, PathError, PathPattern};
pub use route::{NoRoute, Route};

use std::sync::Arc;

/// All that is served.
#[derive(Debug)]
pub struct Gateway {
    /// The longest contexts first, so that the first that matches is the most specific.
    apis: Vec<Arc<AiApi>>,
    request_body_limit: usize,
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
        Ok(Self { apis, request_body_limit })
    }

    /// The AI APIs, in no order that means anything.
    pub fn apis(&self) -> &[Arc<AiApi>] {
        &self.apis
    }

    /// The greatest request body that is accepted, in bytes.
    pub fn request_body_limit(&self) -> usize {
        self.request_body_limit
    }

    /// The endpoints of all AI APIs and environments.
    pub fn endpoints(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.apis.iter().flat_map(|api| api.all_endpoints())
    }
}
