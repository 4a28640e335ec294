//! The counts in a `usage` object.

use serde::Deserialize;

/// How many tokens a response has used. What it does not say is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Those of the request, what was cached of them included.
    pub prompt: Option<u32>,
    /// Those of the answer.
    pub completion: Option<u32>,
    /// Those of the request that the vendor had in its cache.
    pub cached: Option<u32>,
}

/// OpenAI's `usage`, of its older endpoints and of its Responses API. A count of more than 32 bits is none.
#[derive(Deserialize)]
struct Object {
    prompt_tokens: Option<u32>,
    completion_tokens: Option<u32>,
    input_tokens: Option<u32>,
    output_tokens: Option<u32>,
    prompt_tokens_details: Option<Details>,
    input_tokens_details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    cached_tokens: Option<u32>,
}

impl Usage {
    /// The counts in this JSON object; `None` if it has none, or if it is no such object.
    pub(super) fn parse(json: &[u8]) -> Option<Self> {
        let object: Object = serde_json::from_slice(json).ok()?;
        let details = object.prompt_tokens_details.or(object.input_tokens_details);
        let usage = Self {
            prompt: object.prompt_tokens.or(object.input_tokens),
            completion: object.completion_tokens.or(object.output_tokens),
            cached: details.and_then(|details| details.cached_tokens),
        };
        (usage.prompt.is_some() || usage.completion.is_some()).then_some(usage)
    }

    /// These counts, and `earlier` ones where these say nothing.
    pub(super) fn over(self, earlier: Option<Self>) -> Self {
        let earlier = earlier.unwrap_or_default();
        Self {
            prompt: self.prompt.or(earlier.prompt),
            completion: self.completion.or(earlier.completion),
            cached: self.cached.or(earlier.cached),
        }
    }
}
