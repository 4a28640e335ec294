//! The headers of a part.

use super::CRLF;
use super::disposition::{self, Disposition};
use super::error::FormError;
use memchr::memmem::{self, Finder};
use std::borrow::Cow;

/// The most bytes that the headers of a part may have.
pub(super) const LONGEST: usize = 16 * 1024;
const EMPTY_LINE: &[u8] = b"\r\n\r\n";

/// What is told of a part by its headers.
#[derive(Debug)]
pub(super) struct Head<'body> {
    /// Where they begin.
    pub(super) start: usize,
    /// Where the part's content begins.
    pub(super) end: usize,
    /// The name of the field.
    pub(super) name: Cow<'body, [u8]>,
    /// It has a file name.
    pub(super) is_file: bool,
    /// The content is not encoded.
    pub(super) is_plain: bool,
}

/// Reads the headers of one part after the other.
pub(super) struct HeadReader {
    empty_line: Finder<'static>,
}

impl HeadReader {
    pub(super) fn new() -> Self {
        Self { empty_line: Finder::new(EMPTY_LINE) }
    }

    /// The headers that begin at `start`.
    ///
    /// # Errors
    /// They have no end, do not follow the grammar, or give no name.
    pub(super) fn read<'body>(&self, body: &'body [u8], start: usize) -> Result<Head<'body>, FormError> {
        let rest = body.get(start..).unwrap_or_default();
        if rest.starts_with(CRLF) {
            return Err(FormError::NoName { at: start });
        }
        let within = rest.get(..LONGEST).unwrap_or(rest);
        let length = self.empty_line.find(within).ok_or(FormError::HeadersWithoutEnd { at: start })?;
        let lines = within.get(..length).unwrap_or_default();
        let end = start + length + EMPTY_LINE.len();
        let mut head = Head { start, end, name: Cow::default(), is_file: false, is_plain: true };
        let mut is_named = false;
        let mut at = 0;
        while let Some(line) = lines.get(at..).map(first_line).filter(|line| !line.is_empty()) {
            let bad = || FormError::BadHeader { at: start + at };
            let (name, value) = split(line).ok_or_else(bad)?;
            if name.eq_ignore_ascii_case(b"content-disposition") {
                if is_named {
                    return Err(FormError::TwoDispositions { at: start + at });
                }
                let read = disposition::read(value).map_err(|fault| fault.at(start + at))?;
                let Disposition { field, is_file } = read.ok_or(FormError::NoName { at: start })?;
                (head.name, head.is_file, is_named) = (field, is_file, true);
            } else if name.eq_ignore_ascii_case(b"content-transfer-encoding") {
                let is_one_of = |plain: &[u8]| value.eq_ignore_ascii_case(plain);
                head.is_plain &= is_one_of(b"7bit") || is_one_of(b"8bit") || is_one_of(b"binary");
            }
            at += line.len() + CRLF.len();
        }
        if is_named { Ok(head) } else { Err(FormError::NoName { at: start }) }
    }
}

/// The first header of `lines`, with the lines that continue it.
fn first_line(lines: &[u8]) -> &[u8] {
    let mut end = 0;
    loop {
        let rest = lines.get(end..).unwrap_or_default();
        let Some(skipped) = memmem::find(rest, CRLF) else {
            return lines;
        };
        end += skipped;
        if !matches!(lines.get(end + CRLF.len()), Some(b' ' | b'\t')) {
            return lines.get(..end).unwrap_or_default();
        }
        end += CRLF.len();
    }
}

/// A header's name and value.
fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at_checked(colon)?;
    let value = value.get(1..)?;
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if name.is_empty() || !name.iter().all(is_token) {
        return None;
    }
    // A line break that only some readers take for one would hide a header from the others.
    let line_breaks = memmem::find_iter(value, CRLF).count();
    let count = |wanted: u8| value.iter().filter(|byte| **byte == wanted).count();
    let is_clear = count(b'\r') == line_breaks && count(b'\n') == line_breaks && count(0) == 0;
    is_clear.then(|| (name, value.trim_ascii()))
}
