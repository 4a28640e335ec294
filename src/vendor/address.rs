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
}

/// Where a request goes at an endpoint.
#[derive(Debug, PartialEq, Eq)]
pub struct Address<'v> {
    /// The whole path.
    pub path: String,
    /// The query.
    pub query: Option<String>,
    /// The rule for that path; `None` where there is none, so that the body alone names the model.
    pub rule: Option<&'v RequestRule>,
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
            found = match self.mount.as_ref().and_then(|mount| mount.prefix("model")) {
                Some(prefix) => self.rule_at(&[&prefix, path].concat())?.map(|(rule, _)| (rule, None)),
                None => None,
            };
        }
        Ok(found.map(|(rule, model)| Outset { rule, asked: model.map(|model| model.asked) }))
    }

    /// Where a request that asks a vendor like `client` for `asked` goes at an endpoint of this one, to whose path `base`
    /// it is appended, for `model`.
    ///
    /// # Errors
    /// The model in the path or in the query cannot be read.
    pub fn address<'v>(
        &'v self,
        client: &Self,
        base: &str,
        asked: Asked<'_>,
        model: &str,
    ) -> Result<Address<'v>, AddressError> {
        let (rest, mut query) = self.unmounted(client, asked);
        let mut path = [base, rest].concat();
        let mut found = self.rule_at(&path)?;
        if found.is_none()
            && let Some(mount) = &self.mount
            && let Some(prefix) = mount.prefix("model")
        {
            path = [base, &prefix, rest].concat();
            found = self.rule_at(&path)?;
            for (name, value) in &mount.query {
                query = Some(
                    query::with_default(query.as_deref().unwrap_or_default(), name, value)
                        .into_owned()
                        .into(),
                );
            }
        }
        let rule = found.as_ref().map(|(rule, _)| *rule);
        if let Some((rule, Some(there))) = &found {
            path = template::replace(&path, &there.span, model, rule.path.slash());
        }
        let query = match rule.and_then(|rule| Some((rule, rule.query.as_deref()?))) {
            Some((rule, name)) => with_model(query, name, model, !rule.is_by_path())?,
            None => query,
        };
        Ok(Address { path, query: query.map(Cow::into_owned), rule })
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

    /// What is asked of a vendor like `client`, without what only that one has before its paths if this is another.
    pub fn unmounted<'r>(&self, client: &Self, asked: Asked<'r>) -> (&'r str, Option<Cow<'r, str>>) {
        let foreign = client.mount.as_ref().filter(|_| client.name != self.name);
        let mounted = foreign.and_then(|mount| Some((mount, mount.strip(asked.path)?)));
        let Some((mount, rest)) = mounted else {
            return (asked.path, asked.query.map(Cow::Borrowed));
        };
        let ours: Vec<&str> = mount.query.iter().map(|(name, _)| &**name).collect();
        let query = asked.query.map(|query| query::without(query, &ours));
        (rest, query.filter(|query| !query.is_empty()))
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
