//! Reading a stream of server-sent events as it passes, for the events that say that it has failed.
//!
//! Pure: chunks in, a word out, at whatever places the stream is cut into chunks. The framing is the HTML standard's,
//! "9.2.6 Interpreting an event stream". An error event is one whose name is `error` (Anthropic), or whose data is a
//! JSON object with an `error` that is not null (OpenAI), or of `"type":"error"` (both).

use memchr::memmem::Finder;
use once_cell::sync::Lazy;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// How much of one event's data is looked at, in bytes. Errors are short; what is longer is content.
const MAX_DATA: usize = 16 * 1024;

/// Watches one stream.
#[derive(Debug, Default)]
pub struct Watch {
    /// The line that has begun, cut at [`MAX_DATA`].
    line: Vec<u8>,
    /// The last byte was a carriage return: a line feed after it ends no other line.
    after_return: bool,
    data: Vec<u8>,
    /// Whether the event's data is too long to be kept.
    too_long: bool,
    named_error: bool,
    has_data: bool,
    /// Whether an event or a comment has passed.
    begun: bool,
}

/// What a stream has shown so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// No event and no comment is whole yet.
    Nothing,
    /// Something, and no error.
    Events,
    /// An error event.
    Error,
}

impl Watch {
    /// Looks at the next chunk, and says what the stream has shown up to its end.
    pub fn feed(&mut self, chunk: &[u8]) -> Seen {
        if self.is_between_events() && is_content(chunk) {
            self.begun = true;
            return Seen::Events;
        }
        let mut rest = chunk;
        if self.after_return && rest.first() == Some(&b'\n') {
            rest = rest.get(1..).unwrap_or_default();
        }
        self.after_return &= chunk.is_empty();
        while let Some(end) = memchr::memchr2(b'\n', b'\r', rest) {
            let (line, after) = rest.split_at(end);
            self.keep(line);
            if self.end_of_line() {
                return Seen::Error;
            }
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
        self.keep(rest);
        if self.begun { Seen::Events } else { Seen::Nothing }
    }

    fn is_between_events(&self) -> bool {
        self.line.is_empty() && !self.after_return && !self.too_long && !self.named_error && !self.has_data
    }

    fn keep(&mut self, part: &[u8]) {
        let room = MAX_DATA.saturating_sub(self.line.len());
        self.too_long |= part.len() > room;
        self.line.extend_from_slice(part.get(..room).unwrap_or(part));
    }

    /// Takes the line in. Returns whether it ended an error event.
    fn end_of_line(&mut self) -> bool {
        let line = std::mem::take(&mut self.line);
        let is_error = match line.as_slice() {
            [] => self.end_of_event(),
            _ => {
                self.field(&line);
                false
            }
        };
        // The buffer is kept for the next line.
        self.line = line;
        self.line.clear();
        is_error
    }

    fn field(&mut self, line: &[u8]) {
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let (name, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"event" => self.named_error = value == b"error",
            b"data" => {
                self.has_data = true;
                if self.data.len() + value.len() > MAX_DATA {
                    self.too_long = true;
                } else {
                    self.data.extend_from_slice(value);
                    self.data.push(b'\n');
                }
            }
            // A comment keeps a connection alive whose client must not be kept waiting for it.
            b"" => self.begun = true,
            _ => {}
        }
    }

    fn end_of_event(&mut self) -> bool {
        let is_error = self.has_data && (self.named_error || (!self.too_long && tells_of_error(&self.data)));
        self.begun |= self.has_data;
        self.data.clear();
        self.too_long = false;
        self.named_error = false;
        self.has_data = false;
        is_error
    }
}

#[derive(Deserialize)]
struct Data<'a> {
    error: Option<IgnoredAny>,
    #[serde(borrow, rename = "type")]
    kind: Option<std::borrow::Cow<'a, str>>,
}

/// Nearly every event is content, and told by the want of this alone.
static ERROR: Lazy<Finder<'static>> = Lazy::new(|| Finder::new(b"error"));

/// Whether a chunk is nothing but whole events that are no errors, as nearly every chunk is: told without a look at each of
/// its lines. It may be content though this does not say so.
fn is_content(chunk: &[u8]) -> bool {
    chunk.starts_with(b"data:") && chunk.ends_with(b"\n\n") && ERROR.find(chunk).is_none()
}

fn tells_of_error(data: &[u8]) -> bool {
    if ERROR.find(data).is_none() {
        return false;
    }
    let data: Result<Data<'_>, _> = serde_json::from_slice(data);
    data.is_ok_and(|data| data.error.is_some() || data.kind.as_deref() == Some("error"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CONTENT: &str =
        "data: {\"choices\":[{\"delta\":{\"content\":\"an error: {\\\"error\\\":1}\"}}]}\n\n";

    fn seen(stream: &str) -> Seen {
        Watch::default().feed(stream.as_bytes())
    }

    #[test]
    fn error_events_of_every_form() {
        for event in [
            "data: {\"error\":{\"message\":\"overloaded\",\"type\":\"server_error\"}}\n\n",
            "data:{\"error\":\"boom\"}\n\n",
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n",
            "event: error\r\ndata: not json\r\n\r\n",
            "data: {\"type\":\"error\",\"message\":\"x\"}\n\n",
            "data: {\ndata: \"error\": {}}\n\n",
            ": comment\nid: 7\rdata: {\"error\":{}}\r\r",
        ] {
            assert_eq!(seen(event), Seen::Error, "{event:?}");
            assert_eq!(seen(&format!("{CONTENT}{event}")), Seen::Error, "{event:?}");
        }
    }

    #[test]
    fn what_only_looks_like_one() {
        for event in [
            CONTENT,
            "data: {\"error\":null,\"choices\":[]}\n\n",
            "data: [DONE]\n\n",
            "event: errors\ndata: {}\n\n",
            "data: {\"nested\":{\"error\":1}}\n\n",
            "data: \"error\"\n\n",
            ": ping\n",
        ] {
            assert_eq!(seen(event), Seen::Events, "{event:?}");
        }
        for nothing in ["", ": ping", "event: error\n\n", "data: {\"error\":{}}\n", "data: x"] {
            assert_eq!(seen(nothing), Seen::Nothing, "{nothing:?}");
        }
    }

    #[test]
    fn a_name_belongs_to_one_event() {
        assert_eq!(seen("event: error\n\ndata: {}\n\n"), Seen::Events);
    }

    #[test]
    fn long_data_is_content_and_is_not_kept() {
        let mut watch = Watch::default();
        for _ in 0..100 {
            watch.feed(&[b'x'; 10_000]);
            assert!(watch.line.len() <= MAX_DATA && watch.data.len() <= MAX_DATA);
        }
        let long = format!("data: {{\"error\":\"{}\"}}\n\n", "x".repeat(MAX_DATA));
        assert_eq!(seen(&long), Seen::Events);
    }

    proptest! {
        #[test]
        fn whole_events_at_once_say_what_single_bytes_say(
            chunks in prop::collection::vec(prop::collection::vec(prop::sample::select(vec![
                "data: {}\n\n", "data:", "error", ": ping\n\n", "event: error\n", "\n", "\r", "\n\n", "{\"error\":1}",
            ]), 0..5), 0..6),
        ) {
            let (mut chunked, mut single) = (Watch::default(), Watch::default());
            for chunk in chunks {
                let chunk = chunk.concat();
                let seen = chunked.feed(chunk.as_bytes());
                let each = chunk.as_bytes().chunks(1).map(|byte| single.feed(byte)).find(|seen| *seen == Seen::Error);
                let each = each.unwrap_or_else(|| single.feed(b""));
                prop_assert_eq!(seen, each);
                if seen == Seen::Error {
                    break;
                }
            }
        }

        #[test]
        fn where_the_stream_is_cut_makes_no_difference(
            events in prop::collection::vec(prop::sample::select(vec![
                CONTENT, ": ping\n\n", "event: x\r\ndata: y\r\n\r\n", "data: {\"error\":{}}\n\n", "data: z\r\r",
            ]), 0..6),
            size in 1usize..40,
        ) {
            let stream = events.concat();
            let mut watch = Watch::default();
            let mut last = Seen::Nothing;
            for chunk in stream.as_bytes().chunks(size) {
                last = watch.feed(chunk);
                if last == Seen::Error {
                    break;
                }
            }
            prop_assert_eq!(last, seen(&stream));
        }
    }
}
