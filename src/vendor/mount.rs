//! Where the paths of a vendor stand.

use crate::splice::template::{Prefix, Slash};

/// Beginnings of a vendor's paths that those of other vendors of the same format do not have, such as
/// `/openai/deployments/{model}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The first is put before a path that has none, if nothing in it stands for what nobody knows.
    pub prefixes: Vec<Prefix>,
    /// Query parameters that come with a prefix, each with its value where a request does not have it.
    pub query: Vec<(Box<str>, Box<str>)>,
}

impl Mount {
    /// The first prefix with `model` in its place, if a path can be made of it.
    pub fn prefix(&self, model: &str) -> Option<String> {
        self.prefixes.first()?.with(model, Slash::Encoded)
    }

    /// What follows a prefix that `path` begins with; `None` if it begins with none.
    pub fn strip<'p>(&self, path: &'p str) -> Option<&'p str> {
        self.prefixes.iter().find_map(|prefix| prefix.strip(path))
    }
}
