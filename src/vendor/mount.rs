//! Where the paths of a vendor stand.

use crate::splice::query;
use crate::splice::template::{Prefix, Slash};
use std::borrow::Cow;

/// Beginnings of a vendor's paths that those of other vendors of the same format do not have, such as
/// `/openai/deployments/{model}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The first below which the vendor has a route is put before a path that has none, if a path can be made of it.
    pub prefixes: Vec<Prefix>,
    /// Query parameters that come with the first prefix, each with its value where a request does not have it.
    pub query: Vec<(Box<str>, Box<str>)>,
}

impl Mount {
    /// Those prefixes of which a path can be made, with `model` in its place, and whether each is the first of all.
    pub fn prefixes(&self, model: Option<&str>) -> impl Iterator<Item = (String, bool)> {
        let all = self.prefixes.iter().enumerate();
        all.filter_map(move |(at, prefix)| Some((prefix.with(model, Slash::Encoded)?, at == 0)))
    }

    /// The prefix that `path` begins with, and what follows it.
    pub fn strip<'p>(&self, path: &'p str) -> Option<(&Prefix, &'p str)> {
        self.prefixes.iter().find_map(|prefix| Some((prefix, prefix.strip(path)?)))
    }

    /// What stands in `base` before a prefix that it ends with, and whether that is the first of all.
    pub fn root<'b>(&self, base: &'b str) -> Option<(&'b str, bool)> {
        let ends = |prefix: &Prefix| {
            let mut begins = base.match_indices('/').map(|(at, _)| base.split_at(at));
            begins.find(|(_, end)| prefix.strip(end) == Some("")).map(|(root, _)| root)
        };
        self.prefixes.iter().enumerate().find_map(|(at, prefix)| Some((ends(prefix)?, at == 0)))
    }

    /// The query with the parameters that come with the first prefix.
    pub fn complete<'q>(&self, query: Option<Cow<'q, str>>) -> Option<Cow<'q, str>> {
        self.query.iter().fold(query, |query, (name, value)| {
            Some(query::with_default(query.as_deref().unwrap_or_default(), name, value).into_owned().into())
        })
    }

    /// The query without any of them; `None` if nothing is left.
    pub fn without_ours<'q>(&self, query: &'q str) -> Option<Cow<'q, str>> {
        let ours: Vec<&str> = self.query.iter().map(|(name, _)| &**name).collect();
        Some(query::without(query, &ours)).filter(|query| !query.is_empty())
    }
}
