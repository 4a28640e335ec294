//! The text of a line, in either format.

use super::{Entry, Format};
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};
use std::io::{self, Write};

/// Beyond it the memory of a line is not kept for the next one.
const MAX_KEPT: usize = 16 << 10;

/// The place where lines are made, one after another.
#[derive(Debug, Default)]
pub struct Line {
    text: Vec<u8>,
    value: Vec<u8>,
}

impl Line {
    /// A place for lines, without any memory yet.
    pub const fn new() -> Self {
        Self { text: Vec::new(), value: Vec::new() }
    }

    /// The line for `entry`, its end included; empty if none is to be written.
    pub fn of(&mut self, entry: &Entry<'_>, format: Format) -> &[u8] {
        let Self { text, value } = self;
        text.clear();
        text.shrink_to(MAX_KEPT);
        let made = match format {
            Format::Off => return text,
            Format::Json => serde_json::to_writer(&mut *text, entry),
            Format::Logfmt => {
                let formatter = Logfmt { is_value: false, needs_quotes: false, value };
                entry.serialize(&mut Serializer::with_formatter(&mut *text, formatter))
            }
        };
        match made {
            Ok(()) => text.push(b'\n'),
            // Only what cannot be shown as JSON is an error, and an entry can. Half a line would break the next one.
            Err(_) => text.clear(),
        }
        text
    }
}

/// Writes the members of a JSON object as `key=value` pairs: serde_json tells what is to be written, so that the two formats
/// cannot drift apart. Knows neither arrays nor objects as values; an entry has none.
struct Logfmt<'a> {
    is_value: bool,
    needs_quotes: bool,
    /// A string, with JSON's escapes, until it is known whether it needs quotes.
    value: &'a mut Vec<u8>,
}

impl Formatter for Logfmt<'_> {
    fn begin_object<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        Ok(())
    }

    fn end_object<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        Ok(())
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.is_value = false;
        if first { Ok(()) } else { writer.write_all(b" ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.is_value = true;
        writer.write_all(b"=")
    }

    fn begin_string<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.value.clear();
        self.value.shrink_to(MAX_KEPT);
        self.needs_quotes = false;
        Ok(())
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, text: &str) -> io::Result<()> {
        if !self.is_value {
            return writer.write_all(text.as_bytes());
        }
        // All are looked at, without a way out at the first: that is done many at a time.
        let special = |byte: u8| byte == b' ' || byte == b'=' || byte == 0x7f;
        self.needs_quotes |= text.bytes().fold(false, |found, byte| found | special(byte));
        self.value.write_all(text.as_bytes())
    }

    /// JSON's escapes are those of logfmt's readers, too. They stand for `"`, `\` and what is less than a space.
    fn write_char_escape<W: ?Sized + Write>(&mut self, _: &mut W, escape: CharEscape) -> io::Result<()> {
        self.needs_quotes = true;
        CompactFormatter.write_char_escape(self.value, escape)
    }

    fn end_string<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if !self.is_value {
            return Ok(());
        }
        if !self.needs_quotes && !self.value.is_empty() {
            return writer.write_all(self.value);
        }
        writer.write_all(b"\"")?;
        writer.write_all(self.value)?;
        writer.write_all(b"\"")
    }
}
