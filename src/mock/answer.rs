//! The JSON of whole answers, after the shapes of OpenAI's API reference.
//!
//! Every text that comes from a request goes through [`Words`], which holds it escaped.

use std::fmt::Write as _;

use super::request::{Encoding, Inputs};

/// All answers bear one time, so that equal questions get equal answers but for their id.
const CREATED: u64 = 1_767_225_600;
/// Read by the SDKs as an opaque text.
pub(super) const FINGERPRINT: &str = "fp_evenkeel_mock";
/// What `GET …/models` lists. Other models are answered for as well.
const MODELS: [&str; 6] = [
    "gpt-4o",
    "gpt-4o-mini",
    "mistral-medium",
    "mistral-small-latest",
    "open-mistral-7b",
    "text-embedding-3-small",
];
/// One embedding, of numbers that a 32-bit float holds exactly …
const EMBEDDING: &str = "[0.5,-0.25,0.125,1.0]";
/// … and the same four as little-endian 32-bit floats in base64.
const EMBEDDING_BASE64: &str = "\"AAAAPwAAgL4AAAA+AACAPw==\"";

/// The texts of one answer, and its numbers.
#[derive(Debug)]
pub(super) struct Words {
    /// The model asked for, as a JSON string with its quotes.
    pub(super) model: String,
    /// What the vendor says, as plain text.
    pub(super) sentence: String,
    /// How often a whole answer says it.
    times: usize,
    /// The number of this answer: what makes its id.
    pub(super) number: u64,
    pub(super) usage: Usage,
}

/// Token counts by the rule of thumb of four bytes a token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usage {
    prompt: usize,
    completion: usize,
}

impl Words {
    pub(super) fn new(model: &str, body_length: usize, number: u64) -> Self {
        let sentence = format!("Hello from {model}.");
        let usage = Usage { prompt: body_length.div_ceil(4), completion: sentence.len().div_ceil(4) };
        Self { model: json_string(model), sentence, times: 1, number, usage }
    }

    /// The sentence said again and again, until a whole answer's text has `bytes` bytes or more.
    pub(super) fn at_least(mut self, bytes: usize) -> Self {
        // With the space between one and the next.
        self.times = (bytes + 1).div_ceil(self.sentence.len() + 1);
        self.usage.completion = self.text_length().div_ceil(4);
        self
    }

    fn text_length(&self) -> usize {
        (self.sentence.len() + 1) * self.times - 1
    }

    /// All that a whole answer says, as a JSON string. Escaped once, however often it is said: a load test asks for long
    /// answers, and what they cost here is taken from what is tested.
    fn text(&self) -> String {
        let escaped = escaped(&self.sentence);
        let again = format!(" {escaped}").repeat(self.times - 1);
        format!("\"{escaped}{again}\"")
    }

    /// The members that whole chat answers, completions and their chunks begin with.
    pub(super) fn head(&self, id_prefix: &str, object: &str) -> String {
        let Self { model, number, .. } = self;
        format!(
            r#"{{"id":"{id_prefix}-mock{number:012}","object":"{object}","created":{CREATED},"model":{model},"system_fingerprint":"{FINGERPRINT}","choices":["#
        )
    }

    pub(super) fn chat_completion(&self) -> String {
        let mut json = self.head("chatcmpl", "chat.completion");
        let content = self.text();
        json += r#"{"index":0,"message":{"role":"assistant","content":"#;
        json += &content;
        json += r#","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":"#;
        json += &self.usage.of_completions();
        json.push('}');
        json
    }

    pub(super) fn completion(&self) -> String {
        let mut json = self.head("cmpl", "text_completion");
        json += r#"{"index":0,"text":"#;
        json += &self.text();
        json += r#","logprobs":null,"finish_reason":"stop"}],"usage":"#;
        json += &self.usage.of_completions();
        json.push('}');
        json
    }

    pub(super) fn response(&self) -> String {
        let Self { model, number, .. } = self;
        let Usage { prompt, completion } = self.usage;
        let total = self.usage.total();
        let text = self.text();
        format!(
            concat!(
                r#"{{"id":"resp_mock{number:012}","object":"response","created_at":{created},"status":"completed","#,
                r#""error":null,"incomplete_details":null,"instructions":null,"max_output_tokens":null,"model":{model},"#,
                r#""output":[{{"type":"message","id":"msg_mock{number:012}","status":"completed","role":"assistant","#,
                r#""content":[{{"type":"output_text","text":{text},"annotations":[]}}]}}],"#,
                r#""parallel_tool_calls":true,"previous_response_id":null,"store":false,"temperature":1.0,"#,
                r#""text":{{"format":{{"type":"text"}}}},"tool_choice":"auto","tools":[],"top_p":1.0,"truncation":"disabled","#,
                r#""usage":{{"input_tokens":{prompt},"input_tokens_details":{{"cached_tokens":0}},"output_tokens":{completion},"#,
                r#""output_tokens_details":{{"reasoning_tokens":0}},"total_tokens":{total}}},"user":null,"metadata":{{}}}}"#,
            ),
            number = number,
            created = CREATED,
            model = model,
            text = text,
            prompt = prompt,
            completion = completion,
            total = total,
        )
    }

    pub(super) fn embeddings(&self, inputs: Inputs, encoding: Encoding) -> String {
        let embedding = match encoding {
            Encoding::Float => EMBEDDING,
            Encoding::Base64 => EMBEDDING_BASE64,
        };
        let Self { model, .. } = self;
        let Usage { prompt, .. } = self.usage;
        let data = (0..inputs.0)
            .map(|i| format!(r#"{{"object":"embedding","index":{i},"embedding":{embedding}}}"#))
            .collect::<Vec<_>>()
            .join(",");
        format!(
            r#"{{"object":"list","data":[{data}],"model":{model},"usage":{{"prompt_tokens":{prompt},"total_tokens":{prompt}}}}}"#
        )
    }
}

impl Usage {
    fn total(self) -> usize {
        self.prompt + self.completion
    }

    /// The usage object of chat answers and completions.
    pub(super) fn of_completions(self) -> String {
        let Self { prompt, completion } = self;
        let total = self.total();
        format!(
            r#"{{"prompt_tokens":{prompt},"completion_tokens":{completion},"total_tokens":{total},"prompt_tokens_details":{{"cached_tokens":0,"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}}"#
        )
    }
}

/// The list of `GET …/models`.
pub(super) fn models() -> String {
    let data = MODELS
        .map(|id| format!(r#"{{"id":"{id}","object":"model","created":{CREATED},"owned_by":"evenkeel"}}"#))
        .join(",");
    format!(r#"{{"object":"list","data":[{data}]}}"#)
}

/// An error in OpenAI's shape. `code` is `None` for `null`.
pub(super) fn error(message: &str, kind: &str, code: Option<&str>) -> String {
    let code = code.map_or_else(|| "null".to_owned(), json_string);
    format!(
        r#"{{"error":{{"message":{},"type":{},"param":null,"code":{code}}}}}"#,
        json_string(message),
        json_string(kind),
    )
}

/// `text` as a JSON string with its quotes (RFC 8259, section 7).
pub(super) fn json_string(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// `text` as it stands between the quotes of a JSON string.
fn escaped(text: &str) -> String {
    let mut json = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            c if u32::from(c) < 0x20 => {
                // Writing to a String cannot fail.
                let _ = write!(json, "\\u{:04x}", u32::from(c));
            }
            c => json.push(c),
        }
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn parsed(json: &str) -> Value {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn answers_name_the_model_and_add_up() {
        let words = Words::new("gpt-4o", 41, 7);
        let chat = parsed(&words.chat_completion());
        assert_eq!(chat["id"], "chatcmpl-mock000000000007");
        assert_eq!(chat["object"], "chat.completion");
        assert_eq!(chat["model"], "gpt-4o");
        assert_eq!(chat["choices"][0]["message"]["content"], "Hello from gpt-4o.");
        assert_eq!(chat["choices"][0]["finish_reason"], "stop");
        assert_eq!(chat["usage"]["prompt_tokens"], 11);
        assert_eq!(chat["usage"]["completion_tokens"], 5);
        assert_eq!(chat["usage"]["total_tokens"], 16);

        let completion = parsed(&words.completion());
        assert_eq!(completion["id"], "cmpl-mock000000000007");
        assert_eq!(completion["choices"][0]["text"], "Hello from gpt-4o.");

        let response = parsed(&words.response());
        assert_eq!(response["model"], "gpt-4o");
        assert_eq!(response["output"][0]["content"][0]["text"], "Hello from gpt-4o.");
        assert_eq!(response["usage"]["total_tokens"], 16);
    }

    #[test]
    fn a_long_answer_says_its_sentence_until_it_is_long_enough() {
        // The sentence has 18 bytes: 19 with the space before the next.
        for (bytes, times) in [(0, 1), (1, 1), (18, 1), (19, 2), (37, 2), (38, 3), (10_240, 539)] {
            let words = Words::new("gpt-4o", 0, 0).at_least(bytes);
            let expected = vec!["Hello from gpt-4o."; times].join(" ");
            let chat = parsed(&words.chat_completion());
            assert_eq!(chat["choices"][0]["message"]["content"], expected, "{bytes}");
            assert_eq!(chat["usage"]["completion_tokens"], expected.len().div_ceil(4), "{bytes}");
            assert_eq!(parsed(&words.completion())["choices"][0]["text"], expected, "{bytes}");
            assert_eq!(parsed(&words.response())["output"][0]["content"][0]["text"], expected, "{bytes}");
        }
    }

    #[test]
    fn embeddings_are_one_an_input_in_either_encoding() {
        let words = Words::new("e", 4, 0);
        let floats = parsed(&words.embeddings(Inputs(2), Encoding::Float));
        assert_eq!(floats["data"].as_array().unwrap().len(), 2);
        assert_eq!(floats["data"][1]["index"], 1);
        assert_eq!(floats["data"][0]["embedding"], json!([0.5, -0.25, 0.125, 1.0]));
        let base64 = parsed(&words.embeddings(Inputs(1), Encoding::Base64));
        assert_eq!(base64["data"][0]["embedding"], "AAAAPwAAgL4AAAA+AACAPw==");
    }

    #[test]
    fn errors_have_openais_four_members() {
        assert_eq!(
            parsed(&error("no \"such\"\n", "invalid_request_error", None)),
            json!({"error":{"message":"no \"such\"\n","type":"invalid_request_error","param":null,"code":null}})
        );
        assert_eq!(parsed(&error("m", "t", Some("c")))["error"]["code"], json!("c"));
    }

    #[test]
    fn models_are_listed() {
        let list = parsed(&models());
        assert_eq!(list["object"], "list");
        assert_eq!(list["data"].as_array().unwrap().len(), MODELS.len());
    }

    proptest! {
        #[test]
        fn any_model_name_survives(model in any::<String>(), bytes in 0_usize..200) {
            let words = Words::new(&model, 0, 0).at_least(bytes);
            for json in [words.chat_completion(), words.completion(), words.response(), words.embeddings(Inputs(1), Encoding::Float)] {
                let value = parsed(&json);
                prop_assert_eq!(value["model"].as_str(), Some(model.as_str()));
            }
        }
    }
}
