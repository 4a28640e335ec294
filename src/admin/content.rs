//! What operations take and answer: how it is read and written, and the schema of it.

use super::exchange::{Body, JSON, Reply, TEXT};
use super::refusal::{Code, Refusal};
use http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What an operation takes.
pub(super) trait Input: Sized {
    /// Whether a body is read at all.
    const READ: bool;
    /// Whether it must be there.
    const REQUIRED: bool;

    /// Reads it from the body of a request.
    fn read(body: &Body) -> Result<Self, Refusal>;
    /// Its schema, if it is read.
    fn schema(generator: &mut SchemaGenerator) -> Option<Schema>;
}

/// Takes nothing: a body is not looked at.
pub(super) struct Nothing;

/// Takes a JSON object that may be left out.
pub(super) struct Optional<T>(pub(super) T);

/// Takes a JSON object.
pub(super) struct Required<T>(pub(super) T);

impl Input for Nothing {
    const READ: bool = false;
    const REQUIRED: bool = false;

    fn read(_: &Body) -> Result<Self, Refusal> {
        Ok(Self)
    }

    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

impl<T: DeserializeOwned + JsonSchema + Default> Input for Optional<T> {
    const READ: bool = true;
    const REQUIRED: bool = false;

    fn read(body: &Body) -> Result<Self, Refusal> {
        if body.bytes.is_empty() { Ok(Self(T::default())) } else { parse(body).map(Self) }
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<T>())
    }
}

impl<T: DeserializeOwned + JsonSchema> Input for Required<T> {
    const READ: bool = true;
    const REQUIRED: bool = true;

    fn read(body: &Body) -> Result<Self, Refusal> {
        parse(body).map(Self)
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<T>())
    }
}

/// The greatest part of a message that a client's own text may have caused, in characters.
const MESSAGE: usize = 400;

/// Reads a JSON object. A body without a type is taken for JSON, and one of the type that `curl -d` gives too.
fn parse<T: DeserializeOwned>(body: &Body) -> Result<T, Refusal> {
    if !body.content_type.as_deref().is_none_or(may_be_json) {
        let message = "the body's `Content-Type` is not `application/json`";
        return Err(Refusal::new(Code::UnsupportedMediaType, message));
    }
    // A list would be taken for the members in their order.
    if body.bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(Refusal::new(Code::InvalidBody, "the body is not a JSON object"));
    }
    serde_json::from_slice(&body.bytes).map_err(|error| {
        let problem: String = error.to_string().chars().take(MESSAGE).collect();
        Refusal::new(Code::InvalidBody, format!("the body cannot be read: {problem}"))
    })
}

fn may_be_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    [JSON, "application/x-www-form-urlencoded"].iter().any(|known| essence.eq_ignore_ascii_case(known))
}

/// What an operation answers.
pub(super) trait Output {
    /// The type of its body; `None` if it has none.
    const CONTENT_TYPE: Option<&'static str>;

    /// The answer; `status` is that of a success.
    fn reply(self, status: StatusCode) -> Reply;
    /// The schema of its body.
    fn schema(generator: &mut SchemaGenerator) -> Schema;
}

/// Answers a value as JSON.
pub(super) struct Json<T>(pub(super) T);

/// Answers plain text with a status.
pub(super) struct Text(pub(super) StatusCode, pub(super) String);

/// Answers nothing.
pub(super) struct Done;

impl<T: Serialize + JsonSchema> Output for Json<T> {
    const CONTENT_TYPE: Option<&'static str> = Some(JSON);

    fn reply(self, status: StatusCode) -> Reply {
        Reply::json(status, &self.0)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }
}

impl Output for Text {
    const CONTENT_TYPE: Option<&'static str> = Some(TEXT);

    fn reply(self, _: StatusCode) -> Reply {
        Reply::text(self.0, self.1)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<String>()
    }
}

impl Output for Done {
    const CONTENT_TYPE: Option<&'static str> = None;

    fn reply(self, status: StatusCode) -> Reply {
        Reply::empty(status)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        Schema::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields, default)]
    struct Sample {
        reason: Option<String>,
    }

    fn body(content_type: Option<&str>, text: &str) -> Body {
        Body { bytes: text.to_owned().into(), content_type: content_type.map(str::to_owned) }
    }

    #[test]
    fn bodies_are_json_objects_with_known_members() {
        let form = "application/x-www-form-urlencoded";
        let table = [
            (None, "", 200, ""),
            (Some("text/plain"), "", 200, ""),
            (None, "{}", 200, ""),
            (Some("application/json"), r#"{"reason":"x"}"#, 200, ""),
            (Some("Application/JSON; charset=utf-8"), r#" {"reason":null}"#, 200, ""),
            (Some(form), r#"{"reason":"x"}"#, 200, ""),
            (Some("text/plain"), "{}", 415, "application/json"),
            (Some("application/jsonx"), "{}", 415, "application/json"),
            (Some(""), "{}", 415, "application/json"),
            (Some(form), "reason=x", 400, "not a JSON object"),
            (None, "[]", 400, "not a JSON object"),
            (None, r#"["x"]"#, 400, "not a JSON object"),
            (None, "null", 400, "not a JSON object"),
            (None, "\"{}\"", 400, "not a JSON object"),
            (None, "{", 400, "EOF"),
            (None, "{} {}", 400, "trailing"),
            (None, r#"{"reason":1}"#, 400, "expected a string"),
            (None, r#"{"reason":"a","reason":"b"}"#, 400, "duplicate field `reason`"),
            (None, r#"{"raeson":"x"}"#, 400, "unknown field `raeson`, expected `reason`"),
            (None, "{\"reason\":\"\\ud800\"}", 400, "cannot be read"),
        ];
        for (content_type, text, status, told) in table {
            let read = Optional::<Sample>::read(&body(content_type, text));
            let (found, message) = match read {
                Ok(_) => (200, String::new()),
                Err(refusal) => (refusal.code().status().as_u16(), refusal.to_string()),
            };
            assert_eq!(found, status, "{content_type:?} {text}: {message}");
            assert!(message.contains(told), "{message}");
        }
        assert!(Required::<Sample>::read(&body(None, "")).is_err());
    }

    #[test]
    fn a_message_does_not_grow_with_the_body() {
        let text = format!("{{\"{}\":1}}", "x".repeat(60_000));
        let refusal = Optional::<Sample>::read(&body(None, &text)).err().unwrap();
        assert!(refusal.to_string().chars().count() < 500);
    }
}
