//! Where a request goes at an endpoint, with the model in its path and query.
//!
//! A request comes in the shape of the AI API's vendor and goes out in that of the endpoint's, which may be another of the
//! same format: what only one of them has before its paths is taken off or put there ([`Mount`](super::Mount)).

use super::{RequestRule, Vendor};
use crate::splice::query::{self, QueryError};
use crate::splice::template::{self, InPath, PathError};
use std::borrow::Cow;
use std::ops::Range;

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
    /// Where the model stands in it.
    model: Option<Range<usize>>,
}

impl Vendor {
    /// Where the model stands in a request to `path`, which is appended to `base` at an endpoint; `None` if that fits none
    /// of the vendor's rules.
    ///
    /// # Errors
    /// The model in the path cannot be read.
    pub fn outset(&self, base: &str, path: &str) -> Result<Option<Outset<'_>>, PathError> {
        let mut found = self.rule_at(path)?;
        if found.is_none() && !base.is_empty() {
            found = self.rule_at(&[base, path].concat())?;
        }
        if found.is_none() {
            // As it goes out then, with a model that the path does not name yet.
            let route = self.below_a_prefix("", path, None, Some("model"))?;
            found = route.map(|route| (route.rule, None));
        }
        Ok(found.map(|(rule, model)| Outset { rule, asked: model.map(|model| model.asked) }))
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
        let (rest, query) = self.unmounted(client, asked);
        let route = self.route(base, rest, query, Some(model))?.ok_or(AddressError::NoRoute)?;
        let Route { mut path, query, rule, model: place } = route;
        if let Some(place) = place {
            path = template::replace(&path, &place, model, rule.path.slash());
        }
        let query = match &rule.query {
            Some(name) => with_model(query, name, model, !rule.is_by_path())?,
            None => query,
        };
        Ok(Address { path, query: query.map(Cow::into_owned), rule })
    }

    /// The same of a request whose model is not touched: the path, which need not fit any rule, and the query.
    pub fn passed<'r>(&self, client: &Self, base: &str, asked: Asked<'r>) -> (String, Option<Cow<'r, str>>) {
        let (rest, query) = self.unmounted(client, asked);
        if client.name != self.name && self.mount.is_some() {
            // What cannot be read as one of ours goes as it is.
            if let Ok(Some(route)) = self.route(base, rest, query.clone(), None) {
                return (route.path, route.query);
            }
        }
        ([base, rest].concat(), query)
    }

    /// Where what is asked for below `base` fits a rule: as it is, or below one of our prefixes.
    fn route<'q>(
        &self,
        base: &str,
        rest: &str,
        query: Option<Cow<'q, str>>,
        model: Option<&str>,
    ) -> Result<Option<Route<'_, 'q>>, PathError> {
        let path = [base, rest].concat();
        let mut found = self.rule_at(&path)?.map(|(rule, model)| (rule, model.map(|model| model.span)));
        if found.is_none() && !base.is_empty() {
            // A pattern may say what stands below the base.
            let shifted = |span: Range<usize>| span.start + base.len()..span.end + base.len();
            found = self.rule_at(rest)?.map(|(rule, model)| (rule, model.map(|model| shifted(model.span))));
        }
        match found {
            Some((rule, model)) => Ok(Some(Route { path, query, rule, model })),
            None => self.below_a_prefix(base, rest, query, model),
        }
    }

    /// The first of our prefixes below which `rest` fits a rule.
    fn below_a_prefix<'q>(
        &self,
        base: &str,
        rest: &str,
        query: Option<Cow<'q, str>>,
        model: Option<&str>,
    ) -> Result<Option<Route<'_, 'q>>, PathError> {
        // What begins with one of ours already, and fits no rule, is no path of ours.
        let Some(mount) = self.mount.as_ref().filter(|mount| mount.strip(rest, None).is_none()) else {
            return Ok(None);
        };
        for (prefix, is_first) in mount.prefixes(model) {
            let path = [base, &prefix, rest].concat();
            if let Some((rule, place)) = self.rule_at(&path)? {
                let query = if is_first { mount.complete(query) } else { query };
                return Ok(Some(Route { path, query, rule, model: place.map(|place| place.span) }));
            }
        }
        Ok(None)
    }

    /// The first rule whose path fits, and the model in it.
    fn rule_at(&self, path: &str) -> Result<Option<(&RequestRule, Option<InPath>)>, PathError> {
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
    fn unmounted<'r>(&self, client: &Self, asked: Asked<'r>) -> (&'r str, Option<Cow<'r, str>>) {
        let foreign = client.mount.as_ref().filter(|_| client.name != self.name);
        let stripped = foreign.and_then(|mount| Some((mount, mount.strip(asked.path, self.mount.as_ref())?)));
        match stripped {
            Some((mount, rest)) => (rest, asked.query.and_then(|query| mount.without_ours(query))),
            None => (asked.path, asked.query.map(Cow::Borrowed)),
        }
    }
}

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
