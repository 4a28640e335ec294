//! The framing of server-sent events: the HTML standard's, "9.2.6 Interpreting an event stream".
//!
//! An event's data is read as it comes; nothing of it is kept.

use super::fields::Fields;
use super::json::Reader;
use super::told::Values;

/// The longest name of a field that means something.
const MAX_NAME: usize = 5;

/// The longest name of an event that is told apart.
const MAX_EVENT: usize = 64;

/// U+FEFF in UTF-8: one that the stream begins with is no part of its first line.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Line {
    /// Its field's name has not ended.
    #[default]
    Name,
    /// Its value comes, with a space before it or none.
    Colon(Field),
    /// Its value has begun.
    Value(Field),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Comment,
    Data,
    Event,
    Other,
}

/// Reads one stream.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Line,
    /// How much of a byte order mark has come, at the stream's beginning.
    mark: usize,
    /// What comes can be no byte order mark any more.
    is_past_mark: bool,
    /// The last byte was a carriage return: a line feed after it ends no other line.
    after_return: bool,
    /// The name of a field that has begun.
    name: Vec<u8>,
    /// The event's name.
    event: Vec<u8>,
    has_data: bool,
    /// Whether an event or a comment has passed.
    pub(super) begun: bool,
    data: Reader,
}

impl Events {
    /// Reads the next chunk.
    pub(super) fn feed(&mut self, chunk: &[u8], fields: &Fields, values: &mut Values) {
        let chunk = if self.is_past_mark { chunk } else { self.after_mark(chunk) };
        if self.is_between_events()
            && is_whole(chunk)
            && !fields.stream.needles.may_tell(chunk, values.is_model_told)
        {
            self.begun = true;
            return;
        }
        let mut rest = chunk;
        if self.after_return && rest.first() == Some(&b'\n') {
            rest = rest.get(1..).unwrap_or_default();
        }
        self.after_return &= chunk.is_empty();
        while let Some(end) = memchr::memchr2(b'\n', b'\r', rest) {
            let (line, after) = rest.split_at(end);
            self.part(line, fields, values);
            self.end_of_line(fields, values);
            rest = match after {
                [b'\r', b'\n', after @ ..] => after,
                [b'\r'] => {
                    self.after_return = true;
                    &[]
                }
                [_, after @ ..] => after,
                [] => &[],
            };
        }
        self.part(rest, fields, values);
    }

    /// Passes over a byte order mark.
    fn after_mark<'c>(&mut self, chunk: &'c [u8]) -> &'c [u8] {
        let (begun, missing) = MARK.split_at_checked(self.mark).unwrap_or_default();
        if let Some(rest) = chunk.strip_prefix(missing) {
            self.is_past_mark = true;
            return rest;
        }
        if missing.starts_with(chunk) {
            self.mark += chunk.len();
            return &[];
        }
        // It looked like one.
        keep(&mut self.name, begun, MAX_NAME);
        self.is_past_mark = true;
        chunk
    }

    fn is_between_events(&self) -> bool {
        self.line == Line::Name
            && self.name.is_empty()
            && !self.after_return
            && self.event.is_empty()
            && !self.has_data
    }

    /// Takes in a part of a line.
    fn part(&mut self, part: &[u8], fields: &Fields, values: &mut Values) {
        let mut part = part;
        if self.line == Line::Name {
            let colon = memchr::memchr(b':', part);
            let (name, after) = part.split_at(colon.unwrap_or(part.len()));
            keep(&mut self.name, name, MAX_NAME);
            if colon.is_none() {
                return;
            }
            self.line = Line::Colon(self.field());
            self.name.clear();
            part = after.get(1..).unwrap_or_default();
        }
        if let Line::Colon(field) = self.line
            && !part.is_empty()
        {
            part = part.strip_prefix(b" ").unwrap_or(part);
            self.begin_value(field);
        }
        match self.line {
            Line::Value(Field::Data) => self.data.feed(part, &fields.stream, values),
            Line::Value(Field::Event) => keep(&mut self.event, part, MAX_EVENT),
            _ => {}
        }
    }

    fn field(&self) -> Field {
        match self.name.as_slice() {
            b"" => Field::Comment,
            b"data" => Field::Data,
            b"event" => Field::Event,
            _ => Field::Other,
        }
    }

    fn begin_value(&mut self, field: Field) {
        self.line = Line::Value(field);
        if field == Field::Event {
            self.event.clear();
        }
    }

    fn end_of_line(&mut self, fields: &Fields, values: &mut Values) {
        let field = match self.line {
            Line::Name if self.name.is_empty() => return self.end_of_event(fields, values),
            // A name alone has an empty value.
            Line::Name => self.field(),
            Line::Colon(field) | Line::Value(field) => field,
        };
        if !matches!(self.line, Line::Value(_)) {
            self.begin_value(field);
        }
        self.line = Line::Name;
        self.name.clear();
        match field {
            Field::Data => {
                self.has_data = true;
                self.data.feed(b"\n", &fields.stream, values);
            }
            // A comment keeps a connection alive whose client must not be kept waiting for it.
            Field::Comment => self.begun = true,
            Field::Event | Field::Other => {}
        }
    }

    fn end_of_event(&mut self, fields: &Fields, values: &mut Values) {
        if self.has_data {
            self.begun = true;
            values.is_error |= fields.events.iter().any(|name| **name == *self.event);
            values.is_error |= values.told_of_error && !self.data.is_broken();
        }
        values.told_of_error = false;
        self.event.clear();
        self.has_data = false;
        self.data.restart();
    }
}

/// Keeps a part, up to one byte more than `limit`: then it is none that is known.
fn keep(kept: &mut Vec<u8>, part: &[u8], limit: usize) {
    let room = (limit + 1).saturating_sub(kept.len());
    kept.extend_from_slice(part.get(..room).unwrap_or(part));
}

/// Whether a chunk is nothing but whole events of which the first has data, as nearly every chunk is. It may be though this
/// does not say so.
fn is_whole(chunk: &[u8]) -> bool {
    let begins = |line: &[u8]| line.starts_with(b"data:");
    let after_name = || chunk.starts_with(b"event:").then(|| memchr::memchr(b'\n', chunk)).flatten();
    let begins = begins(chunk) || after_name().and_then(|end| chunk.get(end + 1..)).is_some_and(begins);
    begins && chunk.ends_with(b"\n\n")
}
