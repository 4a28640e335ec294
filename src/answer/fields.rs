//! Where in a response its model and its tokens stand, as its vendor has it.

use super::section::Section;
use thiserror::Error;

/// The deepest path that is followed, in keys.
pub(super) const MAX_DEPTH: usize = 8;

/// The most paths of counts in a section.
pub(super) const MAX_COUNTS: usize = 32;

/// The longest key, in bytes.
pub(super) const MAX_KEY: usize = 64;

/// The paths of one section, as written.
///
/// Each field is a list of alternatives, of which the first that is there counts. An alternative is the keys to a value,
/// with a dot between them, or, of counts, several such paths with a plus between them, of which those that are there are
/// added up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lists {
    /// The model that answers.
    pub model: Vec<String>,
    /// Tokens of the request, cached ones included.
    pub prompt_tokens: Vec<String>,
    /// Tokens of the answer.
    pub completion_tokens: Vec<String>,
    /// Tokens of the request that the vendor had in its cache.
    pub cached_tokens: Vec<String>,
    /// All tokens.
    pub total_tokens: Vec<String>,
}

/// Which events of a stream say that it has failed, as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorEvents {
    /// Names of events; in AWS's framing, types of exceptions. `*` is any exception.
    pub events: Vec<String>,
    /// Top-level members of the data, where they are not null.
    pub members: Vec<String>,
    /// Values of the data's top-level `type`.
    pub types: Vec<String>,
}

/// What is read from a vendor's responses; by default nothing.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    /// From a whole one.
    pub(super) whole: Section,
    /// From each event of a stream.
    pub(super) stream: Section,
    /// Names of events that say that the stream has failed.
    pub(super) events: Vec<Box<[u8]>>,
}

/// A path that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{section}.{field}`: `{path}` {reason}")]
pub struct PathError {
    /// `response` or `stream`.
    pub section: &'static str,
    /// The field whose path it is.
    pub field: &'static str,
    /// As written.
    pub path: String,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Reason {
    /// Nothing before, after or between dots.
    #[error("has an empty key: keys stand with a dot between them, as in `usage.prompt_tokens`")]
    EmptyKey,
    /// A key of which JSON would have another form.
    #[error("has a quote, a backslash or a control character in a key, which is not looked for")]
    Escaped,
    /// A key longer than `MAX_KEY`.
    #[error("has a key of more than {MAX_KEY} bytes")]
    LongKey,
    /// More than `MAX_DEPTH` keys.
    #[error("has more than {MAX_DEPTH} keys")]
    TooDeep,
    /// A sum where there is nothing to add up.
    #[error("is a sum, but this is a text: give one path")]
    Sum,
    /// More than `MAX_COUNTS` different paths of counts, or too many keys in all.
    #[error("is one path too many: a section has at most {MAX_COUNTS} different ones of counts")]
    TooMany,
}

impl Fields {
    /// Takes in what a vendor's file says.
    ///
    /// # Errors
    /// A path that cannot be followed.
    pub fn new(response: &Lists, stream: &Lists, errors: &ErrorEvents) -> Result<Self, PathError> {
        let events = errors.events.iter().filter(|name| !name.is_empty());
        Ok(Self {
            whole: Section::new("response", response, &ErrorEvents::default())?,
            stream: Section::new("stream", stream, errors)?,
            events: events.map(|name| name.as_bytes().into()).collect(),
        })
    }
}
