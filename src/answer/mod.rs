//! Reading what a response tells as it passes: the model that answers, how many tokens it has used, and, of a stream,
//! whether an event says that it has failed.
//!
//! Pure: chunks in, at whatever places the response is cut into chunks; words and numbers out. Nothing is held back, and
//! next to nothing is kept. Where a value stands is its vendor's to say ([`Fields`]): it is found at its path and nowhere
//! else, so that no text of a model can be taken for it. A path goes through objects; arrays on the way are passed over. Of
//! several values at one path, as where every event tells of the tokens so far, the latest counts; of the model the first.
//!
//! There are three framings ([`Kind`]), and each may be compressed ([`Coding`]).

mod documents;
mod fields;
mod frames;
mod json;
mod message;
mod needles;
mod nested;
mod section;
mod sse;
mod token;
mod told;

pub use fields::{ErrorEvents, Fields, Lists, PathError, Reason};
pub use told::{Told, Usage};

use crate::coding::{Coding, Decoder};
use documents::Documents;
use frames::Frames;
use sse::Events;
use std::ops::ControlFlow;
use std::sync::Arc;
use told::Values;

/// How much of a compressed response is read, in bytes that it decodes to: 256 MiB.
const MAX_DECODED: usize = 256 << 20;

/// How a response is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// JSON documents: one; or several, one after the other, or in an array, whose elements are the events of a stream.
    Json,
    /// Server-sent events.
    Events,
    /// AWS's event stream.
    Frames,
}

impl Kind {
    /// The framing that `Content-Type` tells; `None` for content that tells nothing.
    pub fn of(content_type: &[u8]) -> Option<Self> {
        let kind = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        if kind.eq_ignore_ascii_case(b"text/event-stream") {
            Some(Self::Events)
        } else if kind.eq_ignore_ascii_case(b"application/vnd.amazon.eventstream") {
            Some(Self::Frames)
        } else {
            kind.windows(4).any(|part| part.eq_ignore_ascii_case(b"json")).then_some(Self::Json)
        }
    }
}

/// What a response has shown so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seen {
    /// No event and no comment is whole yet; of a JSON document, nothing has come.
    Nothing,
    /// Something, and no error.
    Events,
    /// An error event. It stays so.
    Error,
}

/// Reads one response.
#[derive(Debug)]
pub struct Reading {
    fields: Arc<Fields>,
    coding: Option<Decoding>,
    content: Content,
}

#[derive(Debug)]
struct Decoding {
    decoder: Decoder,
    decoded: usize,
}

/// What is read once nothing compresses it.
#[derive(Debug)]
struct Content {
    framing: Framing,
    values: Values,
    /// Whether it makes no sense any more.
    is_broken: bool,
}

#[derive(Debug)]
enum Framing {
    Json(Documents),
    Events(Events),
    Frames(Frames),
}

impl Reading {
    /// At the beginning of a response.
    pub fn new(fields: &Arc<Fields>, kind: Kind, coding: Option<Coding>) -> Self {
        let framing = match kind {
            Kind::Json => Framing::Json(Documents::default()),
            Kind::Events => Framing::Events(Events::default()),
            Kind::Frames => Framing::Frames(Frames::default()),
        };
        Self {
            fields: Arc::clone(fields),
            coding: coding.map(|coding| Decoding { decoder: Decoder::new(coding), decoded: 0 }),
            content: Content { framing, values: Values::default(), is_broken: false },
        }
    }

    /// Looks at the next chunk, and says what the response has shown up to its end.
    pub fn feed(&mut self, chunk: &[u8]) -> Seen {
        let Self { fields, coding, content } = self;
        if content.is_broken {
            return content.seen();
        }
        match coding {
            None => content.feed(chunk, fields),
            Some(decoding) => {
                let decoded = decoding.decoder.feed(chunk, &mut |piece| {
                    decoding.decoded += piece.len();
                    content.feed(piece, fields);
                    match content.is_broken || decoding.decoded > MAX_DECODED {
                        true => ControlFlow::Break(()),
                        false => ControlFlow::Continue(()),
                    }
                });
                content.is_broken |= !matches!(decoded, Ok(ControlFlow::Continue(())));
            }
        }
        content.seen()
    }

    /// Its end has come, and it is not one that was broken off: what ends in the middle of something makes no sense.
    pub fn end(&mut self) {
        let is_decoded = |decoding: &Decoding| decoding.decoder.finish().is_ok();
        let is_whole = self.content.is_whole() && self.coding.as_ref().is_none_or(is_decoded);
        self.content.is_broken |= !is_whole;
    }

    /// How it is framed.
    pub fn kind(&self) -> Kind {
        match self.content.framing {
            Framing::Json(_) => Kind::Json,
            Framing::Events(_) => Kind::Events,
            Framing::Frames(_) => Kind::Frames,
        }
    }

    /// Whether it is a stream of events, as far as it has come: that of an array it begins with tells.
    pub fn is_stream(&self) -> bool {
        match &self.content.framing {
            Framing::Json(documents) => documents.is_array(),
            Framing::Events(_) | Framing::Frames(_) => true,
        }
    }

    /// Whether nothing has come yet that tells if it is a stream: of a compressed answer the first chunk may decode to nothing.
    pub fn is_undecided(&self) -> bool {
        let has_none = matches!(&self.content.framing, Framing::Json(documents) if documents.has_nothing());
        has_none && !self.content.is_broken
    }

    /// What has been told so far.
    pub fn told(&self) -> Told<'_> {
        let values = &self.content.values;
        let section = if self.is_stream() { &self.fields.stream } else { &self.fields.whole };
        Told { model: values.model(), usage: section.usage(values) }
    }

    /// Whether nothing was told of tokens because the response could not be read.
    pub fn is_unreadable(&self) -> bool {
        let has_skipped = matches!(&self.content.framing, Framing::Frames(frames) if frames.has_skipped);
        (self.content.is_broken || has_skipped) && self.told().usage.is_empty()
    }
}

impl Content {
    fn feed(&mut self, chunk: &[u8], fields: &Fields) {
        match &mut self.framing {
            Framing::Json(documents) => {
                documents.feed(chunk, fields, &mut self.values);
                self.is_broken = documents.is_broken();
            }
            Framing::Events(events) => events.feed(chunk, fields, &mut self.values),
            Framing::Frames(frames) => {
                self.is_broken = frames.feed(chunk, fields, &mut self.values).is_err();
            }
        }
    }

    /// Whether it may end here. An event that has not ended is none.
    fn is_whole(&self) -> bool {
        match &self.framing {
            Framing::Json(documents) => documents.is_whole(),
            Framing::Events(_) => true,
            Framing::Frames(frames) => frames.is_whole(),
        }
    }

    fn seen(&self) -> Seen {
        let begun = match &self.framing {
            Framing::Json(documents) => documents.begun,
            Framing::Events(events) => events.begun,
            Framing::Frames(frames) => frames.has_begun,
        };
        match self.values.is_error {
            true => Seen::Error,
            // What cannot be read is not to be waited for.
            false if begun || self.is_broken => Seen::Events,
            false => Seen::Nothing,
        }
    }
}

#[cfg(test)]
mod tests;
