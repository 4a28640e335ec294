//! Where a model stands, and the copy of a body in which another stands there.

use bytes::Bytes;
use std::ops::Range;

/// How a model is written where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As a JSON string, with its quotes and escapes.
    Json,
    /// As it stands between the quotes of a JSON string, with its escapes: what comes before it there stays.
    InJson,
    /// As it is.
    Plain,
}

/// A model's name in the forms in which it is written into bodies: prepared once, spliced many times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelToken {
    json: Bytes,
    plain: Bytes,
}

impl ModelToken {
    /// The token for the name `model`, which may hold any character, save that what is written as [`Form::Plain`] into a
    /// form's field must not hold the form's boundary: no name without line breaks does.
    #[must_use]
    pub fn new(model: &str) -> Self {
        let json = serde_json::Value::from(model).to_string();
        Self { json: json.into(), plain: Bytes::copy_from_slice(model.as_bytes()) }
    }

    /// The name as a JSON string.
    #[must_use]
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// The name as it is.
    #[must_use]
    pub fn plain(&self) -> &[u8] {
        &self.plain
    }

    /// The name as it is written in this form.
    #[must_use]
    pub fn written(&self, form: Form) -> &[u8] {
        match form {
            Form::Json => self.json(),
            Form::InJson => self.json.get(1..self.json.len().saturating_sub(1)).unwrap_or_default(),
            Form::Plain => self.plain(),
        }
    }
}

/// Where the model stands in a body, in byte offsets of that body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The body has a model.
    Value {
        /// What is replaced: a JSON string with its quotes, or the whole value of a form's field.
        span: Range<usize>,
        /// The model asked for, decoded.
        asked: Box<str>,
        /// How another is written.
        form: Form,
    },
    /// The body has the model several times.
    Each {
        /// What is replaced, in the order of the body; at least one.
        values: Box<[Value]>,
        /// The model asked for, decoded: what the first says.
        asked: Box<str>,
    },
    /// The body has no model, and a place where one can be added.
    Absent {
        /// Where that is.
        at: usize,
        /// What is written before the model.
        before: Bytes,
        /// What is written after it.
        after: Bytes,
        /// How it is written.
        form: Form,
    },
    /// The body is to stay as it is: its model stands outside of it, or nobody looked for one.
    Nowhere,
}

/// A model of several in a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// What is replaced.
    pub span: Range<usize>,
    /// How another is written.
    pub form: Form,
}

impl Place {
    /// The model that the client asked for, if it named one.
    #[must_use]
    pub fn asked(&self) -> Option<&str> {
        match self {
            Self::Value { asked, .. } | Self::Each { asked, .. } => Some(asked),
            Self::Absent { .. } | Self::Nowhere => None,
        }
    }
}

/// The body with `model` in its place and every other byte as it was.
///
/// `place` is what was said of this very body. The result is allocated once, at [`spliced_len`] bytes.
#[must_use]
pub fn splice(body: &[u8], place: &Place, model: &ModelToken) -> Bytes {
    let mut out = Vec::with_capacity(spliced_len(body.len(), place, model));
    match place {
        Place::Value { span, form, .. } => {
            out.extend_from_slice(body.get(..span.start).unwrap_or_default());
            out.extend_from_slice(model.written(*form));
            out.extend_from_slice(body.get(span.end..).unwrap_or_default());
        }
        Place::Each { values, .. } => {
            let mut at = 0;
            for Value { span, form } in values {
                out.extend_from_slice(body.get(at..span.start).unwrap_or_default());
                out.extend_from_slice(model.written(*form));
                at = span.end;
            }
            out.extend_from_slice(body.get(at..).unwrap_or_default());
        }
        Place::Absent { at, before, after, form } => {
            out.extend_from_slice(body.get(..*at).unwrap_or_default());
            out.extend_from_slice(before);
            out.extend_from_slice(model.written(*form));
            out.extend_from_slice(after);
            out.extend_from_slice(body.get(*at..).unwrap_or_default());
        }
        Place::Nowhere => out.extend_from_slice(body),
    }
    Bytes::from(out)
}

/// The length in bytes of what [`splice`] makes of a body of `body_len` bytes: the exact Content-Length.
#[must_use]
pub fn spliced_len(body_len: usize, place: &Place, model: &ModelToken) -> usize {
    match place {
        Place::Value { span, form, .. } => body_len.saturating_sub(span.len()) + model.written(*form).len(),
        Place::Each { values, .. } => {
            let replaced: usize = values.iter().map(|value| value.span.len()).sum();
            let written: usize = values.iter().map(|value| model.written(value.form).len()).sum();
            (body_len + written).saturating_sub(replaced)
        }
        Place::Absent { before, after, form, .. } => {
            body_len + before.len() + model.written(*form).len() + after.len()
        }
        Place::Nowhere => body_len,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splice::{JsonPath, locate};

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
            let place = locate(body.as_bytes(), &JsonPath::model()).expect(body);
            let spliced = splice(body.as_bytes(), &place, &model);
            assert_eq!(std::str::from_utf8(&spliced), Ok(expected), "{body}");
            assert_eq!(spliced.len(), spliced_len(body.len(), &place, &model), "{body}");
        }
    }

    #[test]
    fn every_other_byte_stays_at_a_path() {
        let table = [
            (r#"{"input":{"model":"a"}}"#, r#"{"input":{"model":"gpt-4o"}}"#),
            (r#"{"model":"b", "inpu\u0074" : { "n":[{"model":1}],"model" :"a"} ,"o":1}"#, ""),
            (r#"{"input":{}}"#, r#"{"input":{"model":"gpt-4o"}}"#),
            (r#"{"input": { "n":1 } }"#, r#"{"input": {"model":"gpt-4o", "n":1 } }"#),
            ("{}", r#"{"input":{"model":"gpt-4o"}}"#),
            (r#" {"n":1}"#, r#" {"input":{"model":"gpt-4o"},"n":1}"#),
        ];
        let (model, path) = (ModelToken::new("gpt-4o"), "input.model".parse::<JsonPath>().unwrap());
        for (body, expected) in table {
            let expected =
                if expected.is_empty() { &body.replace(r#""a""#, r#""gpt-4o""#) } else { expected };
            let place = locate(body.as_bytes(), &path).expect(body);
            let spliced = splice(body.as_bytes(), &place, &model);
            assert_eq!(std::str::from_utf8(&spliced), Ok(expected), "{body}");
            assert_eq!(spliced.len(), spliced_len(body.len(), &place, &model), "{body}");
        }
    }

    #[test]
    fn a_body_without_a_place_stays() {
        let model = ModelToken::new("m");
        assert_eq!(splice(b"any", &Place::Nowhere, &model).as_ref(), b"any");
        assert_eq!(spliced_len(3, &Place::Nowhere, &model), 3);
    }

    #[test]
    fn a_token_is_valid_json_for_any_name() {
        for name in ["gpt-4o", "", "a\"b\\c", "line\nfeed\u{1}", "é漢😀", "\u{7f}\u{2028}"] {
            let token = ModelToken::new(name);
            let read: String = serde_json::from_slice(token.json()).expect(name);
            assert_eq!(read, name);
            assert_eq!(token.plain(), name.as_bytes());
            assert_eq!([b"\"", token.written(Form::InJson), b"\""].concat(), token.json());
        }
    }

    #[test]
    fn a_place_of_another_body_does_not_panic() {
        let model = ModelToken::new("m");
        let value = Place::Value { span: 90..99, asked: "x".into(), form: Form::Json };
        let absent = Place::Absent { at: 90, before: "<".into(), after: ">".into(), form: Form::Plain };
        assert_eq!(splice(b"{}", &value, &model).as_ref(), br#""m""#);
        assert_eq!(splice(b"{}", &absent, &model).as_ref(), b"<m>");
        let values = [90..99, 1..2, 0..1].map(|span| Value { span, form: Form::Plain });
        let each = Place::Each { values: values.into(), asked: "x".into() };
        assert_eq!(splice(b"{}", &each, &model).as_ref(), b"mmm}");
    }
}
