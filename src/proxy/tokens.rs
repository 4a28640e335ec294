//! Whether the tokens of a response can be read, and what has been read of them.

use super::headers::is_encoded;
use crate::usage::{self, Usage};
use http::header;
use pingora_http::ResponseHeader;

/// What is known of a response's tokens.
#[derive(Debug, Default)]
pub enum Tokens {
    /// There is nothing to read: no response yet, an error, or something that is neither JSON nor a stream of events.
    #[default]
    None,
    /// They would be there, but the response is compressed.
    Unreadable,
    /// They are read as the response passes.
    Read(Box<usage::Watch>),
}

impl Tokens {
    /// How the tokens of `response` are read.
    pub fn of(response: &ResponseHeader) -> Self {
        let content_type = response.headers.get(header::CONTENT_TYPE);
        let tells = content_type.is_some_and(|value| tells(value.as_bytes()));
        match response.status.is_success() && tells {
            false => Self::None,
            true if is_encoded(&response.headers) => Self::Unreadable,
            true => Self::Read(Box::default()),
        }
    }

    /// Looks at the next part of the response.
    pub fn feed(&mut self, chunk: &[u8]) {
        if let Self::Read(watch) = self {
            watch.feed(chunk);
        }
    }

    /// What has been read.
    pub fn usage(&self) -> Option<Usage> {
        match self {
            Self::Read(watch) => watch.usage(),
            Self::None | Self::Unreadable => None,
        }
    }

    /// Whether the response was not searched because it is compressed.
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Self::Unreadable)
    }
}

/// Whether content of this type can tell of tokens.
fn tells(content_type: &[u8]) -> bool {
    let holds = |kind: &[u8]| content_type.windows(kind.len()).any(|part| part.eq_ignore_ascii_case(kind));
    holds(b"json") || holds(b"text/event-stream")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, headers: &[(&'static str, &str)]) -> Tokens {
        let mut response = ResponseHeader::build(status, None).unwrap();
        for (name, value) in headers {
            response.insert_header(*name, *value).unwrap();
        }
        Tokens::of(&response)
    }

    #[test]
    fn good_text_is_read() {
        for content_type in ["application/json", "Application/JSON; charset=utf-8", "text/event-stream"] {
            let mut tokens = of(200, &[("content-type", content_type), ("content-encoding", "identity")]);
            tokens.feed(br#"{"usage":{"prompt_tokens":2}}"#);
            assert_eq!(tokens.usage().unwrap().prompt, Some(2), "{content_type}");
        }
    }

    #[test]
    fn what_is_compressed_is_told_of_and_nothing_else() {
        let json = ("content-type", "application/json");
        assert!(of(200, &[json, ("content-encoding", "gzip")]).is_unreadable());
        for tokens in [
            of(429, &[json]),
            of(429, &[json, ("content-encoding", "gzip")]),
            of(200, &[]),
            of(200, &[("content-type", "audio/mpeg"), ("content-encoding", "gzip")]),
        ] {
            assert!(matches!(tokens, Tokens::None));
        }
    }
}
