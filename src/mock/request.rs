//! What a request asks for: as little of it read as an answer needs.

use std::borrow::Cow;
use std::fmt;

use http::Method;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The parts of OpenAI's API that are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    ChatCompletions,
    Completions,
    Embeddings,
    Responses,
    Models,
    /// `GET /`: a person looking whether anybody is there.
    Greeting,
    Unknown,
}

impl Route {
    /// Any base path goes: the end of the path decides.
    pub(super) fn of(method: &Method, path: &str) -> Self {
        let is_read = method == Method::GET || method == Method::HEAD;
        match path {
            "/" if is_read => Self::Greeting,
            _ if method == Method::GET && path.ends_with("/models") => Self::Models,
            _ if method != Method::POST => Self::Unknown,
            _ if path.ends_with("/chat/completions") => Self::ChatCompletions,
            _ if path.ends_with("/completions") => Self::Completions,
            _ if path.ends_with("/embeddings") => Self::Embeddings,
            _ if path.ends_with("/responses") => Self::Responses,
            _ => Self::Unknown,
        }
    }
}

/// The members of a JSON body that an answer depends on. The rest is skipped unread.
#[derive(Debug, Deserialize)]
pub(super) struct Ask<'a> {
    #[serde(borrow)]
    pub(super) model: Cow<'a, str>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
}

#[derive(Debug, Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: Option<bool>,
}

impl Ask<'_> {
    pub(super) fn is_streamed(&self) -> bool {
        self.stream == Some(true)
    }

    pub(super) fn wants_usage(&self) -> bool {
        self.stream_options.as_ref().is_some_and(|options| options.include_usage == Some(true))
    }
}

/// The further members that a request for embeddings has.
#[derive(Debug, Deserialize)]
pub(super) struct EmbeddingsAsk {
    pub(super) input: Inputs,
    #[serde(default)]
    pub(super) encoding_format: Encoding,
}

/// How the numbers of an embedding are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Encoding {
    #[default]
    Float,
    Base64,
}

/// How many inputs there are: a text or one list of tokens is one, a list of either as many as it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inputs(pub(super) usize);

impl<'de> Deserialize<'de> for Inputs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(InputsVisitor)
    }
}

struct InputsVisitor;

impl<'de> Visitor<'de> for InputsVisitor {
    type Value = Inputs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, or a list of texts or of tokens")
    }

    fn visit_str<E>(self, _: &str) -> Result<Inputs, E> {
        Ok(Inputs(1))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Inputs, A::Error> {
        let Some(first) = items.next_element::<Item>()? else {
            return Ok(Inputs(0));
        };
        let mut count = 1;
        while items.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        match first {
            Item::Token => Ok(Inputs(1)),
            Item::Input => Ok(Inputs(count)),
        }
    }
}

/// What the first item of a list says of the list.
enum Item {
    Token,
    Input,
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemVisitor)
    }
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a token or a list of tokens")
    }

    fn visit_str<E>(self, _: &str) -> Result<Item, E> {
        Ok(Item::Input)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Item, E> {
        Ok(Item::Token)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Item, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Item::Input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_path_decides() {
        for (method, path, route) in [
            (Method::POST, "/v1/chat/completions", Route::ChatCompletions),
            (Method::POST, "/a/b/chat/completions", Route::ChatCompletions),
            (Method::POST, "/chat/completions", Route::ChatCompletions),
            (Method::POST, "/v1/completions", Route::Completions),
            (Method::POST, "/v1/embeddings", Route::Embeddings),
            (Method::POST, "/v1/responses", Route::Responses),
            (Method::GET, "/v1/models", Route::Models),
            (Method::GET, "/", Route::Greeting),
            (Method::HEAD, "/", Route::Greeting),
            (Method::POST, "/", Route::Unknown),
            (Method::GET, "/v1/chat/completions", Route::Unknown),
            (Method::POST, "/v1/models", Route::Unknown),
            (Method::POST, "/v1/xcompletions", Route::Unknown),
        ] {
            assert_eq!(Route::of(&method, path), route, "{method} {path}");
        }
    }

    #[test]
    fn only_what_matters_is_read() {
        let deep = "[".repeat(3000) + &"]".repeat(3000);
        let body = format!(
            r#"{{"messages":[{{"content":"\ud800","model":"inner"}}],"x":{deep},"n":1e999,"mod\u0065l":"g\u0070t","stream":true,"stream_options":{{"include_usage":true}}}}"#
        );
        let ask: Ask<'_> = serde_json::from_str(&body).unwrap();
        assert_eq!(ask.model, "gpt");
        assert!(ask.is_streamed() && ask.wants_usage());

        let ask: Ask<'_> =
            serde_json::from_str(r#"{"model":"a","stream":null,"stream_options":null}"#).unwrap();
        assert!(!ask.is_streamed() && !ask.wants_usage());
    }

    #[test]
    fn no_model_or_two_are_refused() {
        for body in ["{}", r#"{"model":1}"#, r#"{"model":"a","model":"b"}"#, "[]", "{"] {
            assert!(serde_json::from_str::<Ask<'_>>(body).is_err(), "{body}");
        }
    }

    #[test]
    fn inputs_are_counted() {
        for (input, count) in
            [(r#""text""#, 1), (r#"["a","b","c"]"#, 3), ("[1,2,3]", 1), ("[[1,2],[3]]", 2), ("[]", 0)]
        {
            let body = format!(r#"{{"input":{input}}}"#);
            let ask: EmbeddingsAsk = serde_json::from_str(&body).unwrap();
            assert_eq!(ask.input, Inputs(count), "{input}");
        }
        assert!(serde_json::from_str::<EmbeddingsAsk>(r#"{"input":7}"#).is_err());
    }
}
