//! Where in a JSON body the model stands.

use super::error::{Found, LocateError};
use bytes::Bytes;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

const MODEL: &str = "model";
/// What follows the name of an array.
const ELEMENTS: &str = "[]";

/// The names of members, each in the object that the one before it names: `model`, or `input.model`. `[]` after a name
/// stands for every element of an array: `requests[].model`. Read once, used for each request; a copy is cheap.
#[derive(Clone, PartialEq, Eq)]
pub struct JsonPath(Arc<Parts>);

#[derive(PartialEq, Eq)]
struct Parts {
    text: Box<str>,
    names: Box<[Name]>,
    /// The members as they are written where there are none, up to the value: `"input":{"model":`.
    opening: Bytes,
    /// What closes them, and the comma before the next: `},`.
    closing: Bytes,
    /// One of the names is an array's.
    is_each: bool,
}

#[derive(PartialEq, Eq)]
struct Name {
    /// Where it stands in the path.
    span: Range<usize>,
    /// Where its member begins in `opening`.
    opens: usize,
    /// It is an array's.
    is_array: bool,
}

/// Why a text is no path. It may come from outside a file, and is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonPathError {
    /// There is nothing.
    #[error(
        "a JSON path is not empty: write the names of members with dots between them, as in `input.model`"
    )]
    Empty,
    /// There is nothing before, after or between dots.
    #[error("the JSON path has an empty name: write one before, after and between the dots")]
    EmptyName,
    /// A name has a character that no path has; the first.
    #[error(
        "the JSON path has {0:?}: a name has letters, digits, `_`, `-`, `@` and `$`, and `[]` after it \
         stands for every element of an array"
    )]
    BadCharacter(char),
    /// An array's elements stand last.
    #[error("the JSON path ends with `[]`: name the member of the elements, as in `requests[].model`")]
    EndsWithElements,
}

impl JsonPath {
    /// The path `model`.
    #[must_use]
    pub fn model() -> Self {
        let name = Name { span: 0..MODEL.len(), opens: 0, is_array: false };
        Self(Arc::new(Parts {
            text: MODEL.into(),
            names: Box::new([name]),
            // Not counted by who has them, as others are: nearly every body is read at this path.
            opening: Bytes::from_static(b"\"model\":"),
            closing: Bytes::from_static(b","),
            is_each: false,
        }))
    }

    /// The path as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// Whether it goes through the elements of arrays: to any number of models, of which none is added where it is not.
    #[must_use]
    pub fn is_each(&self) -> bool {
        self.0.is_each
    }

    fn of(text: &str) -> Self {
        if text == MODEL {
            return Self::model();
        }
        let mut names = Vec::new();
        let (mut opening, mut at) = (String::new(), 0);
        for part in text.split('.') {
            let name = part.strip_suffix(ELEMENTS).unwrap_or(part);
            opening += if opening.is_empty() { "" } else { "{" };
            let span = at..at + name.len();
            names.push(Name { span, opens: opening.len(), is_array: name.len() < part.len() });
            opening += &format!("\"{name}\":");
            at += part.len() + 1;
        }
        let closing = "}".repeat(names.len().saturating_sub(1)) + ",";
        Self(Arc::new(Parts {
            text: text.into(),
            is_each: names.iter().any(|name| name.is_array),
            names: names.into(),
            opening: opening.into(),
            closing: closing.into(),
        }))
    }

    /// Its names, in the order in which they are looked for.
    pub(super) fn levels(&self) -> impl Iterator<Item = Level<'_>> {
        let last = self.0.names.len().saturating_sub(1);
        self.0.names.iter().enumerate().map(move |(depth, Name { span, opens, is_array })| Level {
            path: self,
            name: self.as_str().get(span.clone()).unwrap_or_default(),
            end: span.end,
            opens: *opens,
            depth,
            is_model: depth == last,
            is_array: *is_array,
        })
    }
}

impl FromStr for JsonPath {
    type Err = JsonPathError;

    fn from_str(text: &str) -> Result<Self, JsonPathError> {
        // Of these characters each has one short spelling and one long one in JSON: the scan counts on it.
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "_-@$".contains(letter);
        if text.is_empty() {
            return Err(JsonPathError::Empty);
        }
        for part in text.split('.') {
            let name = part.strip_suffix(ELEMENTS).unwrap_or(part);
            if let Some(found) = name.chars().find(|letter| !fits(*letter)) {
                return Err(JsonPathError::BadCharacter(found));
            }
            if name.is_empty() {
                return Err(JsonPathError::EmptyName);
            }
        }
        if text.ends_with(ELEMENTS) {
            return Err(JsonPathError::EndsWithElements);
        }
        Ok(Self::of(text))
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// One name of a path: what is looked for among the members of one object.
#[derive(Clone, Copy)]
pub(super) struct Level<'path> {
    path: &'path JsonPath,
    /// The member's name.
    pub(super) name: &'path str,
    /// Where the name ends in the path.
    end: usize,
    opens: usize,
    /// How many names stand before it.
    pub(super) depth: usize,
    /// It is the last name.
    pub(super) is_model: bool,
    /// Its value is an array, and the next name is that of a member of each element.
    pub(super) is_array: bool,
}

impl Level<'_> {
    /// What is written before and after the value where the object has no such member; `empty`: it has none at all, so
    /// that no comma follows.
    pub(super) fn insertion(&self, empty: bool) -> (Bytes, Bytes) {
        let Parts { opening, closing, .. } = &*self.path.0;
        (opening.slice(self.opens..), closing.slice(self.depth..closing.len() - usize::from(empty)))
    }

    /// The value of a member of this name can have the model in it.
    pub(super) fn holds_model(&self, found: Found) -> bool {
        !self.is_model && found == if self.is_array { Found::Array } else { Found::Object }
    }

    #[cold]
    pub(super) fn twice(&self, first: usize, second: usize) -> LocateError {
        LocateError::Twice { path: self.up_to_here(), first, second }
    }

    #[cold]
    pub(super) fn of_other_kind(&self, found: Found, at: usize) -> LocateError {
        if self.is_model {
            LocateError::ModelNotString { path: self.path.clone(), found, at }
        } else if self.is_array {
            LocateError::ParentNotArray { path: self.up_to_here(), found, at }
        } else {
            LocateError::ParentNotObject { path: self.up_to_here(), found, at }
        }
    }

    /// An element of its array is no object.
    #[cold]
    pub(super) fn of_other_elements(&self, found: Found, at: usize) -> LocateError {
        LocateError::ParentNotObject { path: self.up_to(self.end + ELEMENTS.len()), found, at }
    }

    #[cold]
    pub(super) fn too_many(&self, most: usize) -> LocateError {
        LocateError::TooMany { path: self.up_to_here(), most }
    }

    fn up_to_here(&self) -> JsonPath {
        self.up_to(self.end)
    }

    fn up_to(&self, end: usize) -> JsonPath {
        JsonPath::of(self.path.as_str().get(..end).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
