//! Where a request goes at an endpoint, with the model in its path and query.
//!
//! A request comes in the shape of the AI API's vendor and goes out in that of the endpoint's, which may be another of the
//! same format: what only one of them has before its paths is taken off or put there ([`Mount`](super::Mount)).

use super::{RequestRule, Vendor};
use crate::splice::query::{self, QueryError};
use crate::splice::template::{self, InPath, PathError};
use std::borrow::Cow;

/// A request as its client sent it: what there is of its path below the context, and its query.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'r> {
    /// The path.
    pub path: &'r str,
    /// The query.
    pub query: Option<&'r str>,
}

/// Where the model stands in a request of a vendor.
#[derive(Debug)]
pub struct Outset<'v> {
    /// The rule for its path.
    pub rule: &'v RequestRule,
    /// The model in its path.
    pub asked: Option<Box<str>>,
}

/// Why a request cannot be addressed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The model in its path cannot be read.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The model in its query cannot be read.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The vendor has no rule for it.
    #[error("the endpoint's vendor has no such path")]
    NoRoute,
}

/// Where a request goes at an endpoint.
#[derive(Debug, PartialEq, Eq)]
pub struct Address<'v> {
    /// The whole path.
    pub path: String,
    /// The query.
    pub query: Option<String>,
    /// The rule for that path.
    pub rule: &'v RequestRule,
}

/// A path that fits a rule.
struct Route<'v, 'q> {
    path: String,
    query: Option<Cow<'q, str>>,
    rule: &'v RequestRule,
    /// The model in it.
    model: Option<InPath>,
}

/// What of a request is appended to the path of an endpoint.
struct Unmounted<'r> {
    path: &'r str,
    query: Option<Cow<'r, str>>,
    /// The path begins with a prefix of the endpoint's vendor.
    has_prefix: bool,
}

impl Vendor {
    /// Where the model stands in a request to `path`, which is appended to `base` at an endpoint; `None` if that fits none
    /// of the vendor's rules.
    ///
    /// # Errors
    /// The model in the path cannot be read.
    pub fn outset(&self, base: &str, path: &str) -> Result<Option<Outset<'_>>, PathError> {
        let asked = self.unmounted(self, Asked { path, query: None });
        let route = self.route(base, asked, Some("model"))?;
        Ok(route.map(|Route { path: whole, rule, model, .. }| {
            // One that the client has not written is not its own.
            let is_clients = |model: &InPath| model.span.start + path.len() >= whole.len();
            Outset { rule, asked: model.filter(is_clients).map(|model| model.asked) }
        }))
    }

    /// Where a request that asks a vendor like `client` for `asked` goes at an endpoint of this one, to whose path `base`
    /// it is appended, for `model`.
    ///
    /// # Errors
    /// The path fits none of this vendor's rules, or the model in it or in the query cannot be read.
    pub fn address<'v>(
        &'v self,
        client: &Self,
        base: &str,
        asked: Asked<'_>,
        model: &str,
    ) -> Result<Address<'v>, AddressError> {
        let asked = self.unmounted(client, asked);
        let Route { mut path, query, rule, model: place } =
            self.route(base, asked, Some(model))?.ok_or(AddressError::NoRoute)?;
        if let Some(place) = place {
            path = template::replace(&path, &place.span, model, rule.path.slash());
        }
        let query = match &rule.query {
            Some(name) => with_model(query, name, model, !rule.is_by_path())?,
            None => query,
        };
        Ok(Address { path, query: query.map(Cow::into_owned), rule })
    }

    /// The same of a request whose model is not touched: the path, which need not fit any rule, and the query.
    pub fn passed<'r>(&self, client: &Self, base: &str, asked: Asked<'r>) -> (String, Option<Cow<'r, str>>) {
        if client.name != self.name && self.mount.is_some() {
            // What cannot be read as one of ours goes as it is.
            if let Ok(Some(route)) = self.route(base, self.unmounted(client, asked), None) {
                return (route.path, route.query);
            }
        }
        let Unmounted { path, query, .. } = self.unmounted(client, asked);
        ([base, path].concat(), query)
    }

    /// Where what is asked for at `base` fits a rule: as it is, or below one of our prefixes, of which there is one at most.
    fn route<'q>(
        &self,
        base: &str,
        asked: Unmounted<'q>,
        model: Option<&str>,
    ) -> Result<Option<Route<'_, 'q>>, PathError> {
        let Unmounted { path: rest, query, has_prefix } = asked;
        let mounted = self.mount.as_ref().and_then(|mount| mount.root(base));
        let root = mounted.map_or(base, |(root, _)| root);
        let base = if has_prefix { root } else { base };
        if let Some((path, (rule, place))) = self.fit(base, rest)? {
            let query = match (&self.mount, mounted) {
                (Some(mount), Some((_, true))) if !has_prefix => mount.complete(query),
                _ => query,
            };
            return Ok(Some(Route { path, query, rule, model: place }));
        }
        let Some(mount) = self.mount.as_ref().filter(|_| !has_prefix) else { return Ok(None) };
        for (prefix, is_first) in mount.prefixes(model) {
            if let Some((path, (rule, place))) = self.fit(root, &[&prefix, rest].concat())? {
                let query = if is_first { mount.complete(query) } else { query };
                return Ok(Some(Route { path, query, rule, model: place }));
            }
        }
        Ok(None)
    }

    /// The path of `rest` at `base` and the rule that it fits, or that `rest` fits alone: a pattern may say what stands below
    /// the base.
    fn fit(&self, base: &str, rest: &str) -> Result<Option<(String, Fit<'_>)>, PathError> {
        let path = [base, rest].concat();
        let whole = match self.rule_at(&path) {
            Ok(found) => found,
            // What is wrong is told by its place in what was asked for, if it stands there.
            Err(error) => return self.rule_at(rest).and(Err(error)),
        };
        if whole.is_some() || base.is_empty() {
            return Ok(whole.map(|fit| (path, fit)));
        }
        Ok(self.rule_at(rest)?.map(|(rule, place)| {
            let shifted = |place: InPath| InPath {
                span: place.span.start + base.len()..place.span.end + base.len(),
                asked: place.asked,
            };
            (path, (rule, place.map(shifted)))
        }))
    }

    /// The first rule whose path fits, and the model in it.
    fn rule_at(&self, path: &str) -> Result<Option<Fit<'_>>, PathError> {
        for rule in &self.requests {
            if !rule.is_by_path() {
                if rule.path.fits(path) {
                    return Ok(Some((rule, None)));
                }
            } else if let Some(model) = rule.path.find(path)? {
                return Ok(Some((rule, Some(model))));
            }
        }
        Ok(None)
    }

    /// What is asked of a vendor like `client`, without what that one has before its paths and this one has not.
    fn unmounted<'r>(&self, client: &Self, asked: Asked<'r>) -> Unmounted<'r> {
        let Asked { path, query } = asked;
        let stripped = client.mount.as_ref().and_then(|mount| Some((mount, mount.strip(path)?)));
        let is_ours = |prefix| self.mount.as_ref().is_some_and(|mount| mount.prefixes.contains(prefix));
        match stripped {
            Some((mount, (prefix, rest))) if !is_ours(prefix) => Unmounted {
                path: rest,
                query: query.and_then(|query| mount.without_ours(query)),
                has_prefix: false,
            },
            _ => Unmounted { path, query: query.map(Cow::Borrowed), has_prefix: stripped.is_some() },
        }
    }
}

/// A rule, and the model in the path that fits it.
type Fit<'v> = (&'v RequestRule, Option<InPath>);

/// The query with `model` as its parameter `name`, which is added to it only if it `is_decisive`.
fn with_model<'q>(
    query: Option<Cow<'q, str>>,
    name: &str,
    model: &str,
    is_decisive: bool,
) -> Result<Option<Cow<'q, str>>, QueryError> {
    let text = query.as_deref().unwrap_or_default();
    Ok(match query::find(text, name)? {
        Some(found) => Some(query::replace(text, &found, model).into()),
        None if is_decisive => Some(query::append(text, name, model).into()),
        None => query,
    })
}

#[cfg(test)]
mod tests;
