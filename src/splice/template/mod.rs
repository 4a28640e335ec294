//! Where the model stands in a path.
//!
//! A pattern is a path of segments: `**` stands for any number of them, also none, `*` for one that is not empty, and a
//! literal for itself, byte for byte. One segment may hold `{model}`, with literal text before and after it:
//! `/v1/publishers/*/models/{model}:generateContent`. A pattern may have `**` twice; where more than one reading fits, the
//! first `**` takes as few segments as it can.

mod error;
mod pattern;
mod prefix;
mod segments;

pub use error::{PathError, TemplateError};
pub use prefix::Prefix;

use super::percent::{self, Undecodable};
use pattern::Pattern;
use std::borrow::Cow;
use std::ops::Range;

/// What becomes of a `/` in a model's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Slash {
    /// A name has none.
    #[default]
    Refused,
    /// It is written as `%2F`.
    Encoded,
    /// It stays, so that a model takes several segments; but a slash that the path ends with is none of the model's.
    Kept,
}

/// A pattern, read once and held against each request's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: Box<str>,
    pattern: Pattern,
    /// Asked of every rule of a vendor for each request.
    has_model: bool,
    quick: Quick,
    slash: Slash,
}

/// Patterns that need no look at single segments.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Quick {
    /// `**`
    All,
    /// `**`, and then literals: what the path ends with.
    End(Box<str>),
    /// Any other.
    No,
}

/// A model in a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InPath {
    /// Where it stands, in bytes of the path.
    pub span: Range<usize>,
    /// Its name, decoded.
    pub asked: Box<str>,
}

impl Template {
    /// Reads a pattern, in which a model's name may hold a `/` as `slash` says.
    ///
    /// # Errors
    /// [`TemplateError`] says what is wrong with it.
    pub fn parse(text: &str, slash: Slash) -> Result<Self, TemplateError> {
        let pattern = Pattern::parse(text, slash == Slash::Kept)?;
        let quick = match pattern.literal_end() {
            Some(end) if end.is_empty() => Quick::All,
            Some(end) => Quick::End(end.into()),
            None => Quick::No,
        };
        Ok(Self { text: text.into(), has_model: pattern.has_model(), pattern, quick, slash })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What becomes of a `/` in a model's name.
    #[must_use]
    pub fn slash(&self) -> Slash {
        self.slash
    }

    /// Whether it has a place for a model.
    #[must_use]
    pub fn has_model(&self) -> bool {
        self.has_model
    }

    /// Whether a path fits it. The path is as it came, without a query.
    #[must_use]
    pub fn fits(&self, path: &str) -> bool {
        match &self.quick {
            Quick::All => true,
            Quick::End(end) => path.ends_with(&**end),
            Quick::No => self.pattern.fit(path).is_some(),
        }
    }

    /// The model that a path names; `None` if the path does not fit, or the pattern has no place for a model.
    ///
    /// # Errors
    /// The path fits, and what stands in the model's place is no name of a model.
    pub fn find(&self, path: &str) -> Result<Option<InPath>, PathError> {
        let Some(span) = self.pattern.fit(path).and_then(|fit| fit.model) else {
            return Ok(None);
        };
        let raw = path.get(span.clone()).unwrap_or_default();
        let at = span.start;
        if raw.is_empty() {
            return Err(PathError::NoModel { at });
        }
        let asked = percent::decode(raw).map_err(|error| match error {
            Undecodable::Percent(offset) => PathError::BadEncoding { at: at + offset },
            Undecodable::Utf8 => PathError::InvalidUtf8 { at },
        })?;
        if self.slash == Slash::Refused && asked.contains('/') {
            return Err(PathError::Slash { model: asked.into(), at });
        }
        Ok(Some(InPath { span, asked: asked.into() }))
    }
}

/// The path with `model` in the place `span`, percent-encoded, and every other byte as it was.
#[must_use]
pub fn replace(path: &str, span: &Range<usize>, model: &str, slash: Slash) -> String {
    let (before, after) = (path.get(..span.start), path.get(span.end..));
    [before.unwrap_or_default(), &written(model, slash), after.unwrap_or_default()].concat()
}

/// A model as it is written into a path.
fn written(model: &str, slash: Slash) -> Cow<'_, str> {
    match slash {
        Slash::Refused | Slash::Encoded => percent::encode(model),
        Slash::Kept => percent::encode_but_slash(model),
    }
}

#[cfg(test)]
mod tests;
