//! What is read of a response as it passes.

use super::headers::coding;
use crate::answer::{self, Kind, Reading, Seen, Usage};
use crate::vendor::Vendor;
use http::{StatusCode, header};
use pingora_http::ResponseHeader;

/// What is read of a response.
#[derive(Debug, Default)]
pub enum Told {
    /// There is nothing to read: no response yet, an error, or something that tells nothing.
    #[default]
    Nothing,
    /// It would tell something, but it has a content coding that cannot be decoded.
    Unreadable,
    /// It is read as it passes.
    Read(Box<Reading>),
}

impl Told {
    /// How `response` of `vendor` is read.
    pub fn of(response: &ResponseHeader, vendor: &Vendor) -> Self {
        let content_type = response.headers.get(header::CONTENT_TYPE);
        let kind = content_type.and_then(|value| Kind::of(value.as_bytes()));
        let has_body = !matches!(response.status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT);
        match (kind.filter(|_| response.status.is_success() && has_body), coding(&response.headers)) {
            (None, _) => Self::Nothing,
            (Some(_), Err(_)) => Self::Unreadable,
            (Some(kind), Ok(coding)) => Self::Read(Box::new(Reading::new(&vendor.answers, kind, coding))),
        }
    }

    /// Looks at the next part of the response.
    pub fn feed(&mut self, chunk: &[u8]) -> Seen {
        match self {
            Self::Read(reading) => reading.feed(chunk),
            Self::Nothing | Self::Unreadable => Seen::Events,
        }
    }

    /// The response is whole.
    pub fn end(&mut self) {
        if let Self::Read(reading) = self {
            reading.end();
        }
    }

    /// Whether it is a stream of events that is read, as far as it has come.
    pub fn is_stream(&self) -> bool {
        matches!(self, Self::Read(reading) if reading.is_stream())
    }

    /// Whether what has come of it does not tell yet if it is a stream.
    pub fn is_undecided(&self) -> bool {
        matches!(self, Self::Read(reading) if reading.is_undecided())
    }

    /// Whether what answers a request for `path` may turn out to be a stream. Google's methods that stream answer with a
    /// JSON array unless they are asked for something else, and are named so: `MODEL:streamGenerateContent`.
    pub fn may_be_stream(&self, path: &str) -> bool {
        let streams = || path.rsplit_once(':').is_some_and(|(_, method)| method.starts_with("stream"));
        match self {
            Self::Read(reading) => reading.is_stream() || reading.kind() == Kind::Json && streams(),
            Self::Nothing | Self::Unreadable => false,
        }
    }

    /// What has been read so far.
    fn told(&self) -> answer::Told<'_> {
        match self {
            Self::Read(reading) => reading.told(),
            Self::Nothing | Self::Unreadable => answer::Told::default(),
        }
    }

    /// The tokens it has told of; `None` if it has told of none.
    pub fn usage(&self) -> Option<Usage> {
        Some(self.told().usage).filter(|usage| !usage.is_empty())
    }

    /// The model that answered, as the vendor calls it.
    pub fn model(&self) -> Option<&str> {
        self.told().model
    }

    /// Whether nothing is known of its tokens because it could not be read.
    pub fn is_unreadable(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Unreadable => true,
            Self::Read(reading) => reading.is_unreadable(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::built_in_vendor;

    fn of(status: u16, headers: &[(&'static str, &str)]) -> Told {
        let mut response = ResponseHeader::build(status, None).unwrap();
        for (name, value) in headers {
            response.insert_header(*name, *value).unwrap();
        }
        Told::of(&response, &built_in_vendor("openai").unwrap())
    }

    #[test]
    fn good_text_is_read() {
        for content_type in ["application/json", "Application/JSON; charset=utf-8", "text/event-stream"] {
            let mut told = of(200, &[("content-type", content_type), ("content-encoding", "identity")]);
            assert_eq!(told.is_stream(), content_type == "text/event-stream");
            told.feed(
                b"data: {\"model\":\"m\",\"usage\":{\"prompt_tokens\":2}}\n\n"
                    .strip_prefix(match told.is_stream() {
                        true => b"".as_slice(),
                        false => b"data: ".as_slice(),
                    })
                    .unwrap(),
            );
            assert_eq!(told.usage().unwrap().prompt, Some(2), "{content_type}");
            assert_eq!(told.model(), Some("m"));
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_told_of_and_nothing_else() {
        let json = ("content-type", "application/json");
        assert!(of(200, &[json, ("content-encoding", "compress")]).is_unreadable());
        for told in [
            of(429, &[json]),
            of(429, &[json, ("content-encoding", "compress")]),
            of(200, &[]),
            of(200, &[("content-type", "audio/mpeg"), ("content-encoding", "compress")]),
            of(200, &[json, ("content-encoding", "gzip")]),
            of(204, &[json, ("content-encoding", "compress")]),
        ] {
            assert!(!told.is_unreadable(), "{told:?}");
        }
    }

    #[test]
    fn what_ends_in_the_middle_could_not_be_read() {
        let json = ("content-type", "application/json");
        for (status, body, expected) in [
            (200, r#"{"id":1}"#, false),
            (200, r#"{"id":1"#, true),
            (200, "", true),
            (201, " ", true),
            (204, "", false),
            (205, "", false),
            (304, "", false),
            (500, "", false),
        ] {
            let mut told = of(status, &[json]);
            told.feed(body.as_bytes());
            assert!(!told.is_unreadable(), "{status} {body}: it may go on");
            told.end();
            assert_eq!(told.is_unreadable(), expected, "{status} {body}");
        }
        let mut told = of(200, &[("content-type", "text/event-stream")]);
        told.end();
        assert!(!told.is_unreadable());
    }
}
