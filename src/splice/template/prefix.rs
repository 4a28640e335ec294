//! What may stand before the paths of a vendor.

use super::error::TemplateError;
use super::pattern::{Around, Fit, Pattern, Segment};
use super::segments::Segments;
use super::{Slash, written};

/// A beginning of paths, in whole segments: `/openai/v1`, `/openai/deployments/{model}`, `/v1/projects/*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    text: Box<str>,
    segments: Vec<Segment>,
}

impl Prefix {
    /// Reads a prefix: as a [pattern](super), but without `**`.
    ///
    /// # Errors
    /// [`TemplateError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let segments = Pattern::parse(text, false)?.into_segments();
        let segments = segments.ok_or(TemplateError::OpenPrefix)?;
        Ok(Self { text: text.into(), segments })
    }

    /// The prefix as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What follows it in a path, which is nothing or begins with `/`; `None` if the path begins otherwise.
    #[must_use]
    pub fn strip<'path>(&self, path: &'path str) -> Option<&'path str> {
        let mut rest = Segments::of(path)?;
        Fit::default().take_front(&self.segments, &mut rest)?;
        match rest.rest() {
            Some(rest) => path.get(rest.start.checked_sub(1)?..),
            None => Some(""),
        }
    }

    /// The prefix with `model` in its place; `None` if it has a place and there is no model, or if it has a `*`, which stands
    /// for what nobody knows.
    #[must_use]
    pub fn with(&self, model: Option<&str>, slash: Slash) -> Option<String> {
        self.segments.iter().try_fold(String::new(), |path, segment| match segment {
            Segment::One => None,
            Segment::Literal(text) => Some(path + "/" + text),
            Segment::Model(Around { before, after }) => {
                Some([&path, "/", before, &written(model?, slash), after].concat())
            }
        })
    }
}
