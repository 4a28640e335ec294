//! JSON that is no event's data: one document; or several, one after the other or in an array.
//!
//! The elements of an array are the events of a stream: so Gemini streams without `alt=sse`.

use super::fields::Fields;
use super::json::Reader;
use super::section::Section;
use super::token::is_space;
use super::told::Values;

/// What stands at the top, as its first byte tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Top {
    /// Nothing but space has come.
    #[default]
    Unknown,
    /// A document.
    Document,
    /// An array.
    Array,
}

/// Reads the documents of one response.
#[derive(Debug, Default)]
pub(super) struct Documents {
    top: Top,
    reader: Reader,
    /// Whether something has come; of an array that nothing stands before, whether an element is whole.
    pub(super) begun: bool,
}

impl Documents {
    /// Reads the next chunk.
    pub(super) fn feed(&mut self, chunk: &[u8], fields: &Fields, values: &mut Values) {
        if self.top == Top::Unknown {
            self.begin(chunk);
        }
        self.reader.feed(chunk, self.section(fields), values);
        if self.is_array() {
            self.begun |= self.reader.has_passed;
            values.is_error |= std::mem::take(&mut values.told_of_error);
        }
    }

    /// Some vendors send space while they think, which a client must not be kept waiting for.
    fn begin(&mut self, chunk: &[u8]) {
        self.begun |= chunk.first().is_some_and(|byte| *byte != b'[');
        self.top = match chunk.iter().find(|byte| !is_space(**byte)) {
            None => Top::Unknown,
            Some(b'[') => Top::Array,
            Some(_) => Top::Document,
        };
    }

    /// Where its values stand.
    fn section<'f>(&self, fields: &'f Fields) -> &'f Section {
        if self.is_array() { &fields.stream } else { &fields.whole }
    }

    /// Whether nothing has come, not even space.
    pub(super) fn has_nothing(&self) -> bool {
        self.top == Top::Unknown && !self.begun
    }

    /// Whether the documents are the elements of an array.
    pub(super) fn is_array(&self) -> bool {
        self.top == Top::Array
    }

    /// Whether there is a document, and it is whole, as is each that follows it.
    pub(super) fn is_whole(&self) -> bool {
        self.top != Top::Unknown && self.reader.is_between()
    }

    pub(super) fn is_broken(&self) -> bool {
        self.reader.is_broken()
    }
}
