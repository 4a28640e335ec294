//! Where a model stands, and the copy of a body in which another stands there.

use std::ops::Range;

use bytes::Bytes;

/// What is written before the model when a body has none.
const MEMBER: &[u8] = b"\"model\":";

/// A model's name as a JSON string token, quotes and escapes included: prepared once, spliced many times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelToken(Bytes);

impl ModelToken {
    /// The token for the name `model`, which may hold any character.
    #[must_use]
    pub fn new(model: &str) -> Self {
        Self(Bytes::from(serde_json::Value::from(model).to_string()))
    }

    /// The token as it is written into a body.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The token's length in bytes.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a token has at least its two quotes")]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// Where the model stands in a body, in byte offsets of that body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The body has a model.
    Value {
        /// The value's string token, quotes included.
        span: Range<usize>,
        /// The model asked for, with its escapes decoded.
        asked: Box<str>,
    },
    /// The body has no model.
    Absent {
        /// Right after the opening brace, where a member can be added.
        at: usize,
        /// The object has no members, so that the added one is followed by no comma.
        empty: bool,
    },
}

impl Place {
    /// The model that the client asked for, if it named one.
    #[must_use]
    pub fn asked(&self) -> Option<&str> {
        match self {
            Self::Value { asked, .. } => Some(asked),
            Self::Absent { .. } => None,
        }
    }
}

/// The body with `model` in its place and every other byte as it was.
///
/// `place` is what [`locate`](super::locate) said of this very body. The result is allocated once, at
/// [`spliced_len`] bytes.
#[must_use]
pub fn splice(body: &[u8], place: &Place, model: &ModelToken) -> Bytes {
    let mut out = Vec::with_capacity(spliced_len(body.len(), place, model));
    match place {
        Place::Value { span, .. } => {
            out.extend_from_slice(body.get(..span.start).unwrap_or_default());
            out.extend_from_slice(model.as_bytes());
            out.extend_from_slice(body.get(span.end..).unwrap_or_default());
        }
        Place::Absent { at, empty } => {
            out.extend_from_slice(body.get(..*at).unwrap_or_default());
            out.extend_from_slice(MEMBER);
            out.extend_from_slice(model.as_bytes());
            if !empty {
                out.push(b',');
            }
            out.extend_from_slice(body.get(*at..).unwrap_or_default());
        }
    }
    Bytes::from(out)
}

/// The length in bytes of what [`splice`] makes of a body of `body_len` bytes: the exact Content-Length.
#[must_use]
pub fn spliced_len(body_len: usize, place: &Place, model: &ModelToken) -> usize {
    match place {
        Place::Value { span, .. } => body_len.saturating_sub(span.len()) + model.len(),
        Place::Absent { empty, .. } => body_len + MEMBER.len() + model.len() + usize::from(!empty),
    }
}

#[cfg(test)]
mod tests {
    use super::super::locate;
    use super::*;

    #[test]
    fn every_other_byte_stays() {
        let table = [
            (r#"{"model":"a"}"#, r#"{"model":"gpt-4o"}"#),
            (r#"{"model":""}"#, r#"{"model":"gpt-4o"}"#),
            ("{}", r#"{"model":"gpt-4o"}"#),
            (" {\n\t} ", " {\"model\":\"gpt-4o\"\n\t} "),
            (r#"{"n":1.0e2}"#, r#"{"model":"gpt-4o","n":1.0e2}"#),
            ("{\r\n  \"n\": 1\r\n}\n", "{\"model\":\"gpt-4o\",\r\n  \"n\": 1\r\n}\n"),
            (
                r#"{"z":1e400, "model" : "o3\u002dmini" ,"a":"\u00e9"}"#,
                r#"{"z":1e400, "model" : "gpt-4o" ,"a":"\u00e9"}"#,
            ),
            (r#"{"mod\u0065l":"a","m":[{"model":"b"}]}"#, r#"{"mod\u0065l":"gpt-4o","m":[{"model":"b"}]}"#),
        ];
        let model = ModelToken::new("gpt-4o");
        for (body, expected) in table {
            let place = locate(body.as_bytes()).expect(body);
            let spliced = splice(body.as_bytes(), &place, &model);
            assert_eq!(std::str::from_utf8(&spliced), Ok(expected), "{body}");
            assert_eq!(spliced.len(), spliced_len(body.len(), &place, &model), "{body}");
        }
    }

    #[test]
    fn a_token_is_valid_json_for_any_name() {
        for name in ["gpt-4o", "", "a\"b\\c", "line\nfeed\u{1}", "é漢😀", "\u{7f}\u{2028}"] {
            let token = ModelToken::new(name);
            let read: String = serde_json::from_slice(token.as_bytes()).expect(name);
            assert_eq!(read, name);
            assert_eq!(token.len(), token.as_bytes().len());
        }
    }

    #[test]
    fn a_place_of_another_body_does_not_panic() {
        let model = ModelToken::new("m");
        let value = Place::Value { span: 90..99, asked: "x".into() };
        let absent = Place::Absent { at: 90, empty: false };
        assert_eq!(splice(b"{}", &value, &model).as_ref(), br#""m""#);
        assert_eq!(splice(b"{}", &absent, &model).as_ref(), br#""model":"m","#);
    }
}
