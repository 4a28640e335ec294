//! The framing of AWS's event streams, `application/vnd.amazon.eventstream`.
//!
//! A message is, all numbers with the most significant byte first: its length (4 bytes), the length of its headers (4), the
//! CRC-32 of these two (4), headers, payload, and the CRC-32 of all before it (4):
//! <https://smithy.io/2.0/aws/amazon-eventstream.html>. The crate `aws-smithy-eventstream` decodes messages that are whole
//! in memory, into owned headers and payloads; here a message is read where it stands, and one that is long is passed over.

use super::fields::Fields;
use super::json::Reader;
use super::message::{self, Message};
use super::told::Values;

/// The lengths and their CRC.
const PRELUDE: usize = 12;

/// The CRC at a message's end.
const CRC: usize = 4;

/// The longest message that is read, in bytes. What tells of tokens has some hundred.
pub(super) const MAX_MESSAGE: usize = 64 * 1024;

/// The longest message that there can be: 24 MiB, as AWS's own libraries have it.
const MAX_LENGTH: usize = 24 << 20;

/// Reads one stream.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// The message that has begun, as far as it has come, where it did not come in one chunk.
    begun: Vec<u8>,
    /// So many bytes of a long message are still to be passed over.
    to_skip: usize,
    /// Whether a message has passed.
    pub(super) has_begun: bool,
    /// Whether a message was passed over.
    pub(super) has_skipped: bool,
    document: Reader,
    /// A payload within a payload.
    decoded: Vec<u8>,
}

/// It is no stream of messages.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken;

impl Frames {
    /// How many bytes are kept.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.begun.capacity()
    }

    /// Whether every message that has begun has ended.
    pub(super) fn is_whole(&self) -> bool {
        self.begun.is_empty() && self.to_skip == 0
    }

    /// Reads the next chunk.
    pub(super) fn feed(&mut self, chunk: &[u8], fields: &Fields, values: &mut Values) -> Result<(), Broken> {
        let mut rest = chunk;
        while !rest.is_empty() {
            let read = if self.to_skip > 0 {
                let read = self.to_skip.min(rest.len());
                self.to_skip -= read;
                self.has_begun |= self.to_skip == 0;
                read
            } else if self.begun.is_empty() {
                self.read_in_place(rest, fields, values)?
            } else {
                self.complete(rest, fields, values)?
            };
            rest = rest.get(read..).unwrap_or_default();
        }
        Ok(())
    }

    /// Reads a message that begins with `rest`; or keeps what has come of it.
    fn read_in_place(&mut self, rest: &[u8], fields: &Fields, values: &mut Values) -> Result<usize, Broken> {
        let Some(length) = length(rest)? else {
            self.begun.extend_from_slice(rest);
            return Ok(rest.len());
        };
        if length > MAX_MESSAGE {
            self.skip(length);
            return Ok(0);
        }
        let Some(message) = rest.get(..length) else {
            self.begun.extend_from_slice(rest);
            return Ok(rest.len());
        };
        self.message(message, fields, values)?;
        Ok(length)
    }

    /// Goes on with a message of which a part was kept.
    fn complete(&mut self, rest: &[u8], fields: &Fields, values: &mut Values) -> Result<usize, Broken> {
        let of_prelude = self.keep(PRELUDE, rest);
        let Some(length) = length(&self.begun)? else {
            return Ok(of_prelude);
        };
        if length > MAX_MESSAGE {
            self.skip(length - self.begun.len());
            self.begun.clear();
            return Ok(of_prelude);
        }
        let read = of_prelude + self.keep(length, rest.get(of_prelude..).unwrap_or_default());
        if self.begun.len() == length {
            let message = std::mem::take(&mut self.begun);
            self.message(&message, fields, values)?;
            self.begun = message;
            self.begun.clear();
        }
        Ok(read)
    }

    /// Keeps what is missing of the message's first `length` bytes; returns how many those were.
    fn keep(&mut self, length: usize, rest: &[u8]) -> usize {
        let missing = length.saturating_sub(self.begun.len()).min(rest.len());
        self.begun.extend_from_slice(rest.get(..missing).unwrap_or_default());
        missing
    }

    fn skip(&mut self, length: usize) {
        self.to_skip = length;
        self.has_skipped = true;
    }

    /// Reads a whole message.
    fn message(&mut self, bytes: &[u8], fields: &Fields, values: &mut Values) -> Result<(), Broken> {
        let (body, crc) = bytes.split_last_chunk::<CRC>().ok_or(Broken)?;
        if crc32fast::hash(body) != u32::from_be_bytes(*crc) {
            return Err(Broken);
        }
        let headers = body.get(4..8).and_then(|length| length.first_chunk()).ok_or(Broken)?;
        let (headers, payload) =
            body.get(PRELUDE..).and_then(|rest| rest.split_at_checked(number(*headers))).ok_or(Broken)?;
        let message = Message::read(headers).ok_or(Broken)?;
        self.has_begun = true;
        let exception = message.exception();
        values.is_error |= exception
            .is_some_and(|name| fields.events.iter().any(|known| **known == *name || **known == *b"*"));
        let document = match message::within(payload, &mut self.decoded) {
            true => self.decoded.as_slice(),
            false => payload,
        };
        if fields.stream.needles.may_tell(document, values.is_model_told) {
            self.document.feed(document, &fields.stream, values);
            values.is_error |= values.told_of_error && !self.document.is_broken();
            values.told_of_error = false;
            self.document.restart();
        }
        Ok(())
    }
}

/// The length of the message that begins with `bytes`, once its prelude is there.
fn length(bytes: &[u8]) -> Result<Option<usize>, Broken> {
    let Some(prelude) = bytes.first_chunk::<PRELUDE>() else {
        return Ok(None);
    };
    let [a, b, c, d, e, f, g, h, crc @ ..] = *prelude;
    if crc32fast::hash(&[a, b, c, d, e, f, g, h]) != u32::from_be_bytes(crc) {
        return Err(Broken);
    }
    let (length, headers) = (number([a, b, c, d]), number([e, f, g, h]));
    let is_sensible =
        length <= MAX_LENGTH && length.checked_sub(PRELUDE + CRC).is_some_and(|rest| headers <= rest);
    if is_sensible { Ok(Some(length)) } else { Err(Broken) }
}

fn number(bytes: [u8; 4]) -> usize {
    usize::try_from(u32::from_be_bytes(bytes)).unwrap_or(usize::MAX)
}
