//! Where the model stands in a form of several parts: RFC 2046, section 5.1, and RFC 7578.
//!
//! Of a part only the headers are read. What stands in it is passed over by a search for the next delimiter, so that a
//! file costs no more than that, and nothing of it is judged.

mod boundary;
mod disposition;
mod error;
mod head;
mod parameters;

pub use boundary::Boundary;
pub use disposition::Parameter;
pub use error::FormError;

use super::place::{Form, Place};
use bytes::Bytes;
use head::{Head, HeadReader};
use std::ops::Range;

const CRLF: &[u8] = b"\r\n";

/// Finds the field `field` of the form that `body` is, in whichever part it stands.
///
/// One pass in time linear in the body's length; memory for the field's own text alone. What stands before the first
/// delimiter and after the last is left alone, as the standard asks for.
///
/// # Errors
/// [`FormError`] when the body is no form of this boundary or is cut short, a part's headers cannot be read, or the field
/// is there twice, is a file, or is no text.
pub fn locate_in_form(body: &[u8], boundary: &Boundary, field: &str) -> Result<Place, FormError> {
    let first = boundary.first_in(body).ok_or(FormError::BoundaryNotFound)?;
    let heads = HeadReader::new();
    let mut found: Option<(usize, Place)> = None;
    let mut delimiter = first.clone();
    while !delimiter.is_last {
        let head = heads.read(body, delimiter.line.end)?;
        // The line break that belongs to a delimiter may be the one that ends the headers: such a part is empty.
        let next = boundary.next_in(body, head.end - CRLF.len());
        let next = next.ok_or(FormError::Unclosed { at: delimiter.line.start })?;
        if head.name == field.as_bytes() {
            let at = delimiter.line.start;
            if let Some((first, _)) = found {
                return Err(FormError::Twice { field: field.into(), first, second: at });
            }
            found = Some((at, place_in_part(body, &head, next.line.start, field)?));
        }
        delimiter = next;
    }
    Ok(match found {
        Some((_, place)) => place,
        None => Place::Absent {
            at: first.line.start,
            before: part_before_value(boundary, field),
            after: Bytes::from_static(CRLF),
            form: Form::Plain,
        },
    })
}

/// A line that parts one part from the next.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Delimiter {
    /// From its two hyphens to where the next part begins.
    line: Range<usize>,
    /// No part follows.
    is_last: bool,
}

/// The place of the model in the part of `head`, which the delimiter at `next` ends.
fn place_in_part(body: &[u8], head: &Head<'_>, next: usize, field: &str) -> Result<Place, FormError> {
    if head.is_file {
        return Err(FormError::IsFile { field: field.into(), at: head.start });
    }
    if !head.is_plain {
        return Err(FormError::Encoded { field: field.into(), at: head.start });
    }
    let Some(value) = body.get(head.end..next.saturating_sub(CRLF.len())) else {
        let (before, after) = (Bytes::new(), Bytes::from_static(CRLF));
        return Ok(Place::Absent { at: head.end, before, after, form: Form::Plain });
    };
    let asked = std::str::from_utf8(value).map_err(|error| FormError::InvalidUtf8 {
        field: field.into(),
        at: head.end + error.valid_up_to(),
    })?;
    Ok(Place::Value { span: head.end..head.end + value.len(), asked: asked.into(), form: Form::Plain })
}

/// A part of the field's name, up to its value.
fn part_before_value(boundary: &Boundary, field: &str) -> Bytes {
    // As browsers write names: https://html.spec.whatwg.org/multipage/form-control-infrastructure.html, "escape a name".
    let name = field.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
    let disposition = format!("Content-Disposition: form-data; name=\"{name}\"");
    [boundary.delimiter(), CRLF, disposition.as_bytes(), CRLF, CRLF].concat().into()
}

#[cfg(test)]
mod tests;
