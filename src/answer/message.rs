//! One message of AWS's event streams: its headers, and what may stand in its payload.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::borrow::Cow;

/// What a message's headers say, as far as it matters.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Message<'a> {
    kind: &'a [u8],
    exception: &'a [u8],
    error: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads a message's headers; `None` if they are none.
    pub(super) fn read(headers: &'a [u8]) -> Option<Self> {
        let mut message = Self::default();
        let mut rest = headers;
        while let Some((&length, after)) = rest.split_first() {
            let (name, after) = after.split_at_checked(length.into())?;
            let (&kind, after) = after.split_first()?;
            let (value, after) = value(kind, after)?;
            match name {
                b":message-type" => message.kind = value,
                b":exception-type" => message.exception = value,
                b":error-code" => message.error = value,
                _ => {}
            }
            rest = after;
        }
        Some(message)
    }

    /// The type of the exception that it is, or the code of the error; `None` if it is an event.
    pub(super) fn exception(&self) -> Option<&'a [u8]> {
        match self.kind {
            b"exception" => Some(self.exception),
            b"error" => Some(self.error),
            _ => None,
        }
    }
}

/// The value of a header of this type, and what follows it.
fn value(kind: u8, rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = match kind {
        // True and false.
        0 | 1 => 0,
        2 => 1,
        3 => 2,
        4 => 4,
        // A number of 64 bits, a moment.
        5 | 8 => 8,
        // Bytes, text.
        6 | 7 => {
            let (length, rest) = rest.split_first_chunk()?;
            return rest.split_at_checked(u16::from_be_bytes(*length).into());
        }
        // A UUID.
        9 => 16,
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// What `InvokeModelWithResponseStream` sends: the vendor's own event, in base64.
#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow)]
    bytes: Cow<'a, str>,
}

/// Puts into `decoded` the document that `payload` has within it, and returns whether there is one.
pub(super) fn within(payload: &[u8], decoded: &mut Vec<u8>) -> bool {
    decoded.clear();
    if memchr::memmem::find(payload, b"\"bytes\"").is_none() {
        return false;
    }
    let part: Result<Part<'_>, _> = serde_json::from_slice(payload);
    part.is_ok_and(|part| STANDARD.decode_vec(part.bytes.as_ref(), decoded).is_ok())
}
