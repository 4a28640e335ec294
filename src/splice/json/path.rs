//! Where in a JSON body the model stands.

use super::error::{Found, LocateError};
use bytes::Bytes;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

const MODEL: &str = "model";

/// The names of members, each in the object that the one before it names: `model`, or `input.model`. Read once, used for
/// each request; a copy is cheap.
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
}

#[derive(PartialEq, Eq)]
struct Name {
    /// Where it stands in the path.
    span: Range<usize>,
    /// Where its member begins in `opening`.
    opens: usize,
}

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonPathError {
    /// There is nothing.
    #[error(
        "a JSON path is not empty: write the names of members with dots between them, as in `input.model`"
    )]
    Empty,
    /// There is nothing before, after or between dots.
    #[error("the JSON path `{0}` has an empty name: write one before, after and between the dots")]
    EmptyName(Box<str>),
    /// A name has a character that no path has.
    #[error("the JSON path `{path}` has {found:?}: a name has letters, digits, `_`, `-`, `@` and `$`")]
    BadCharacter {
        /// The path.
        path: Box<str>,
        /// The first such character.
        found: char,
    },
}

impl JsonPath {
    /// The path `model`.
    #[must_use]
    pub fn model() -> Self {
        let name = Name { span: 0..MODEL.len(), opens: 0 };
        Self(Arc::new(Parts {
            text: MODEL.into(),
            names: Box::new([name]),
            // Not counted by who has them, as others are: nearly every body is read at this path.
            opening: Bytes::from_static(b"\"model\":"),
            closing: Bytes::from_static(b","),
        }))
    }

    /// The path as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    fn of(text: &str) -> Self {
        if text == MODEL {
            return Self::model();
        }
        let mut names = Vec::new();
        let (mut opening, mut at) = (String::new(), 0);
        for name in text.split('.') {
            opening += if opening.is_empty() { "" } else { "{" };
            names.push(Name { span: at..at + name.len(), opens: opening.len() });
            opening += &format!("\"{name}\":");
            at += name.len() + 1;
        }
        let closing = "}".repeat(names.len().saturating_sub(1)) + ",";
        Self(Arc::new(Parts {
            text: text.into(),
            names: names.into(),
            opening: opening.into(),
            closing: closing.into(),
        }))
    }

    /// Its names, in the order in which they are looked for.
    pub(super) fn levels(&self) -> impl Iterator<Item = Level<'_>> {
        let last = self.0.names.len().saturating_sub(1);
        self.0.names.iter().enumerate().map(move |(depth, Name { span, opens })| Level {
            path: self,
            name: self.as_str().get(span.clone()).unwrap_or_default(),
            end: span.end,
            opens: *opens,
            depth,
            is_model: depth == last,
        })
    }
}

impl FromStr for JsonPath {
    type Err = JsonPathError;

    fn from_str(text: &str) -> Result<Self, JsonPathError> {
        // Of these characters each has one short spelling and one long one in JSON: the scan counts on it.
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "_-@$.".contains(letter);
        if text.is_empty() {
            return Err(JsonPathError::Empty);
        }
        if let Some(found) = text.chars().find(|letter| !fits(*letter)) {
            return Err(JsonPathError::BadCharacter { path: text.into(), found });
        }
        if text.split('.').any(str::is_empty) {
            return Err(JsonPathError::EmptyName(text.into()));
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
}

impl Level<'_> {
    /// What is written before and after the value where the object has no such member; `empty`: it has none at all, so
    /// that no comma follows.
    pub(super) fn insertion(&self, empty: bool) -> (Bytes, Bytes) {
        let Parts { opening, closing, .. } = &*self.path.0;
        (opening.slice(self.opens..), closing.slice(self.depth..closing.len() - usize::from(empty)))
    }

    #[cold]
    pub(super) fn twice(&self, first: usize, second: usize) -> LocateError {
        LocateError::Twice { path: self.up_to_here(), first, second }
    }

    #[cold]
    pub(super) fn of_other_kind(&self, found: Found, at: usize) -> LocateError {
        if self.is_model {
            LocateError::ModelNotString { path: self.path.clone(), found, at }
        } else {
            LocateError::ParentNotObject { path: self.up_to_here(), found, at }
        }
    }

    fn up_to_here(&self) -> JsonPath {
        JsonPath::of(self.path.as_str().get(..self.end).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_between_dots() {
        for (text, expected) in [
            ("model", &["model"][..]),
            ("input.model", &["input", "model"]),
            ("a-b.c_d.$e.@f.9", &["a-b", "c_d", "$e", "@f", "9"]),
        ] {
            let path: JsonPath = text.parse().unwrap();
            let names: Vec<_> = path.levels().map(|level| level.name).collect();
            assert_eq!(names, expected);
            assert_eq!(path.to_string(), text);
            let models: Vec<_> = path.levels().map(|level| level.is_model).collect();
            assert_eq!(models.iter().filter(|is_model| **is_model).count(), 1);
            assert_eq!(models.last(), Some(&true));
        }
        assert_eq!(JsonPath::model(), "model".parse().unwrap());
    }

    #[test]
    fn what_is_no_path_says_why() {
        let table = [
            ("", "a JSON path is not empty"),
            (".", "the JSON path `.` has an empty name"),
            (".model", "the JSON path `.model` has an empty name"),
            ("model.", "the JSON path `model.` has an empty name"),
            ("input..model", "the JSON path `input..model` has an empty name"),
            ("input model", "the JSON path `input model` has ' '"),
            ("$.a[0]", "the JSON path `$.a[0]` has '['"),
            ("modèle", "the JSON path `modèle` has 'è'"),
            ("a/b", "the JSON path `a/b` has '/'"),
            ("a\"b", "the JSON path `a\"b` has '\"'"),
        ];
        for (text, message) in table {
            let error = text.parse::<JsonPath>().unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn what_is_inserted_is_what_is_missing() {
        let path: JsonPath = "a.b.model".parse().unwrap();
        let table =
            [(0, r#""a":{"b":{"model":"#, "}},"), (1, r#""b":{"model":"#, "},"), (2, r#""model":"#, ",")];
        for (depth, before, after) in table {
            let level = path.levels().nth(depth).unwrap();
            assert_eq!(level.insertion(false), (before.into(), after.into()));
            let shorter = &after[..after.len() - 1];
            assert_eq!(level.insertion(true), (before.into(), shorter.into()));
        }
    }
}
