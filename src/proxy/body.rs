//! Reading a request's body whole, so that the model can be replaced in it.
//!
//! Pingora calls `request_body_filter` for a body that was read before the upstream was chosen only out of its retry
//! buffer, which holds 64 KiB at most and forgets a longer body altogether. The buffer is therefore switched on late,
//! when no more than that is left to come: it then holds the body's end, and every try calls `request_body_filter` once,
//! with that end and `end_of_stream`, to be given the whole spliced body instead. Where the length is not known
//! beforehand and turns out to be greater, [`super::session`] plays the buffer.

use super::context::{RequestBody, RequestContext};
use super::refusal::Refusal;
use crate::coding::{Coding, Decoder};
use bytes::{Bytes, BytesMut};
use pingora_core::protocols::http::ServerSession;
use pingora_core::{Error, ErrorType};
use std::ops::ControlFlow;
use std::time::Duration;
use tokio::time::timeout;

/// What Pingora's retry buffer holds, in bytes.
const RETRY_BUFFER: usize = 64 * 1024;

/// How long the next part of a body may take over HTTP/2. For HTTP/1 Pingora has a limit of its own, of the same length.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Why a body could not be read.
pub enum ReadError {
    /// It is answered.
    Refused(Refusal),
    /// The client has broken off.
    Broken(Box<Error>),
}

/// A body that was read whole.
pub struct Received {
    /// The buffer it stands in.
    pub buffer: Bytes,
    /// Where in the buffer it begins.
    pub begin: usize,
    /// How many bytes the client has sent, which are fewer if they were encoded.
    pub sent: usize,
}

/// Reads a body of at most `limit` bytes, of which the client has promised `promised`, and decodes it if it has a `coding`.
pub async fn read_whole(
    session: &mut ServerSession,
    promised: Option<usize>,
    limit: usize,
    coding: Option<Coding>,
) -> Result<Received, ReadError> {
    let mut parts = Parts::default();
    let mut decoder = coding.map(Decoder::new);
    let mut sent = 0;
    let mut buffering = false;
    loop {
        let left = promised.map(|promised| promised.saturating_sub(sent));
        if !buffering && left.is_none_or(|left| left <= RETRY_BUFFER) {
            session.enable_retry_buffering();
            buffering = true;
        }
        let Some(part) = read_part(session).await? else {
            break;
        };
        sent += part.len();
        match &mut decoder {
            Some(decoder) => decode(decoder, &part, &mut parts, limit).map_err(ReadError::Refused)?,
            None => parts.push(part, promised),
        }
        if parts.length > limit || sent > limit {
            return Err(ReadError::Refused(Refusal::RequestTooLarge { limit }));
        }
        if promised == Some(sent) {
            break;
        }
    }
    if let Some(decoder) = decoder.filter(|_| sent > 0) {
        decoder.finish().map_err(|error| ReadError::Refused(Refusal::InvalidEncoding(error)))?;
    }
    let (buffer, begin) = parts.into_whole();
    Ok(Received { buffer, begin, sent })
}

/// Adds what comes of `part` to `parts`, up to `limit` bytes and a piece: what decodes to more is not decoded any further.
fn decode(decoder: &mut Decoder, part: &[u8], parts: &mut Parts, limit: usize) -> Result<(), Refusal> {
    let mut take = |piece: &[u8]| {
        parts.copy(piece);
        if parts.length > limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    match decoder.feed(part, &mut take) {
        Ok(ControlFlow::Continue(())) => Ok(()),
        Ok(ControlFlow::Break(())) => Err(Refusal::RequestTooLarge { limit }),
        Err(error) => Err(Refusal::InvalidEncoding(error)),
    }
}

/// Whether Pingora will call `request_body_filter` for a body of `length` bytes that was read.
pub fn will_be_replayed(session: &ServerSession, length: usize) -> bool {
    length == 0 || session.get_retry_buffer().is_some_and(|buffer| !buffer.is_empty())
}

/// Puts the body for the vendor in the place of the part of the client's that Pingora is about to send.
///
/// # Errors
/// A body that passes through as it comes may turn out to be larger than `limit`.
pub fn outgoing(
    ctx: &mut RequestContext,
    body: &mut Option<Bytes>,
    end_of_stream: bool,
    limit: usize,
) -> Result<(), Refusal> {
    match &mut ctx.body {
        RequestBody::Whole(_) if end_of_stream => {
            let outgoing = ctx.attempt.as_mut().and_then(|attempt| attempt.outgoing.take());
            // Pingora warns of each part that it is given for a body that has none.
            *body = outgoing.filter(|body| !body.is_empty());
        }
        RequestBody::Whole(_) => *body = Some(Bytes::new()),
        RequestBody::Streamed(seen) => {
            *seen += body.as_ref().map_or(0, Bytes::len);
            if *seen > limit {
                return Err(Refusal::RequestTooLarge { limit });
            }
        }
    }
    Ok(())
}

async fn read_part(session: &mut ServerSession) -> Result<Option<Bytes>, ReadError> {
    let part = match session.as_http1() {
        Some(_) => session.read_request_body().await,
        None => match timeout(READ_TIMEOUT, session.read_request_body()).await {
            Ok(part) => part,
            Err(_) => return Err(ReadError::Refused(Refusal::RequestTimeout)),
        },
    };
    part.map_err(|error| match error.etype() {
        ErrorType::ReadTimedout => ReadError::Refused(Refusal::RequestTimeout),
        _ => ReadError::Broken(error.into_down()),
    })
}

/// The parts of a body. A body of one part, as most are, is never copied. Where several are joined there is room before and
/// after them, for another model: [`splice::Body`](crate::splice::Body).
#[derive(Default)]
struct Parts {
    only: Bytes,
    joined: BytesMut,
    length: usize,
}

/// The room before a joined body and after it, in bytes: enough for most names of models.
const ROOM: usize = 128;

impl Parts {
    fn push(&mut self, part: Bytes, promised: Option<usize>) {
        self.length += part.len();
        if self.only.is_empty() && self.joined.is_empty() {
            self.only = part;
            return;
        }
        if self.joined.is_empty() {
            let expected = promised.unwrap_or(4 * self.length);
            self.joined.reserve(expected.max(self.length) + 2 * ROOM);
            self.joined.resize(ROOM, 0);
            self.joined.extend_from_slice(&std::mem::take(&mut self.only));
        }
        self.joined.extend_from_slice(&part);
    }

    /// Adds a copy of `part`.
    fn copy(&mut self, part: &[u8]) {
        self.length += part.len();
        if self.joined.is_empty() {
            self.joined.reserve(part.len() + 2 * ROOM);
            self.joined.resize(ROOM, 0);
        }
        self.joined.extend_from_slice(part);
    }

    fn into_whole(self) -> (Bytes, usize) {
        if self.joined.is_empty() { (self.only, 0) } else { (self.joined.freeze(), ROOM) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_joined_in_order() {
        let mut parts = Parts::default();
        for part in ["one ", "", "two ", "three"] {
            parts.push(Bytes::from_static(part.as_bytes()), Some(13));
        }
        assert_eq!(parts.length, 13);
        let (buffer, begin) = parts.into_whole();
        assert_eq!(buffer[begin..], *b"one two three");
        assert_eq!(begin, ROOM);
    }

    #[test]
    fn one_part_is_not_copied() {
        let part = Bytes::from(vec![b'x'; 100]);
        let mut parts = Parts::default();
        parts.push(part.clone(), None);
        let (buffer, begin) = parts.into_whole();
        assert_eq!((buffer.as_ptr(), begin), (part.as_ptr(), 0));
    }
}
