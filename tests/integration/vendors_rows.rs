//! What each vendor is held to, as data. The requests and answers are in `tests/vendors/`.

/// The name of a model, and how it stands in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    pub plain: &'static str,
    pub in_path: &'static str,
}

/// What a vendor has, or why not.
pub type Has<T> = Result<T, &'static str>;

/// How the vendor sees an endpoint's credential: a header and what stands before it, or an account's token as Bearer.
#[derive(Clone, Copy, Debug)]
pub enum Credential {
    Header(&'static str, &'static str),
    ServiceAccount,
}

/// A route with an audio file: one in a form, or one that is the body.
#[derive(Clone, Copy, Debug)]
pub enum Audio {
    Form(&'static str),
    File(&'static str),
}

/// A vendor. `{model}` in a path or a body stands for a model's name.
#[derive(Clone, Copy, Debug)]
pub struct Spoken {
    pub vendor: &'static str,
    /// Whose requests, in `tests/vendors/requests/`.
    pub dialect: &'static str,
    /// The path of the endpoint's URL.
    pub base: &'static str,
    /// What clients ask for, and what serves.
    pub asked: Name,
    pub pairs: [Name; 2],
    /// In which header clients present a key, and after which text.
    pub key: (&'static str, &'static str),
    pub credential: Credential,
    /// A header that is set where a request has none.
    pub default_header: Option<(&'static str, &'static str)>,
    pub chat: &'static str,
    /// Where it is another than that of a whole answer.
    pub stream: Option<&'static str>,
    /// The path, and whose request.
    pub embeddings: Has<(&'static str, &'static str)>,
    pub audio: Has<Audio>,
    /// The model that answers say, if they do.
    pub response_model: Option<&'static str>,
    /// In which members an answer has its counts.
    pub usage: &'static [&'static str],
    pub usage_streamed: &'static [&'static str],
    pub cached: bool,
    /// The header that says that no tokens are left.
    pub quota: Has<&'static str>,
}

const fn name(plain: &'static str) -> Name {
    Name { plain, in_path: plain }
}

const NOT_THERE: &str = "the vendor has no such route";
const PART_OF_CHAT: &str = "no route of its own: audio is a part of a chat's messages";
const NO_HEADER: &str = "no such header is known";
const BEARER: (&str, &str) = ("authorization", "Bearer ");

/// All of them, in the order of the table.
pub fn all() -> Vec<Spoken> {
    let mut all = vec![openai()];
    all.extend(like_openai());
    all.extend([azure_openai(), azure_ai_foundry(), huggingface(), anthropic()]);
    all.extend([gemini(), vertex_ai(), aws_bedrock(), cohere()]);
    all
}

fn openai() -> Spoken {
    Spoken {
        vendor: "openai",
        dialect: "openai",
        base: "/v1",
        asked: name("gpt-4o"),
        pairs: [name("gpt-5.6-terra"), name("gpt-5.6-luna")],
        key: BEARER,
        credential: Credential::Header("authorization", "Bearer "),
        default_header: None,
        chat: "/chat/completions",
        stream: None,
        embeddings: Ok(("/embeddings", "openai")),
        audio: Ok(Audio::Form("/audio/transcriptions")),
        response_model: Some("gpt-5.6-terra-2026-08-01"),
        usage: &["usage"],
        usage_streamed: &["usage"],
        cached: true,
        quota: Ok("x-ratelimit-remaining-tokens"),
    }
}

/// Those that differ from OpenAI in where they are.
fn like_openai() -> [Spoken; 6] {
    let mistral = Spoken {
        vendor: "mistral",
        base: "",
        pairs: [name("mistral-large-latest"), name("mistral-small-latest")],
        chat: "/v1/chat/completions",
        embeddings: Ok(("/v1/embeddings", "openai")),
        audio: Ok(Audio::Form("/v1/audio/transcriptions")),
        response_model: Some("mistral-large-2512"),
        quota: Ok("x-ratelimit-remaining-tokens-minute"),
        ..openai()
    };
    let groq = Spoken {
        vendor: "groq",
        pairs: [name("llama-3.3-70b-versatile"), name("openai/gpt-oss-120b")],
        chat: "/openai/v1/chat/completions",
        embeddings: Ok(("/openai/v1/embeddings", "openai")),
        audio: Ok(Audio::Form("/openai/v1/audio/transcriptions")),
        response_model: Some("llama-3.3-70b-versatile"),
        usage_streamed: &["x_groq.usage"],
        quota: openai().quota,
        ..mistral
    };
    let deepseek = Spoken {
        vendor: "deepseek",
        base: "",
        pairs: [name("deepseek-v4-flash"), name("deepseek-v4-pro")],
        embeddings: Err(NOT_THERE),
        audio: Err(NOT_THERE),
        response_model: Some("deepseek-v4-flash"),
        ..openai()
    };
    let openrouter = Spoken {
        vendor: "openrouter",
        base: "/api/v1",
        pairs: [name("openai/gpt-oss-120b"), name("anthropic/claude-opus-5")],
        response_model: Some("openai/gpt-oss-120b"),
        ..openai()
    };
    let together = Spoken {
        vendor: "together",
        pairs: [name("moonshotai/Kimi-K3"), name("openai/gpt-oss-120b")],
        response_model: Some("moonshotai/Kimi-K3"),
        usage_streamed: &["usage"],
        cached: false,
        quota: Err("the tokens left are counted by the second and say nothing of the next request"),
        ..mistral
    };
    let vllm = Spoken {
        vendor: "vllm",
        pairs: [name("llama-70b"), name("qwen-32b")],
        response_model: Some("llama-70b"),
        ..openai()
    };
    [mistral, groq, deepseek, openrouter, together, vllm]
}

fn azure_openai() -> Spoken {
    Spoken {
        vendor: "azure-openai",
        base: "",
        asked: name("any-deployment"),
        pairs: [name("our-gpt-4o"), Name { plain: "zweites Modell", in_path: "zweites%20Modell" }],
        key: ("api-key", ""),
        credential: Credential::Header("api-key", ""),
        chat: "/openai/deployments/{model}/chat/completions?api-version=2024-10-21",
        embeddings: Ok(("/openai/deployments/{model}/embeddings?api-version=2024-10-21", "openai")),
        audio: Ok(Audio::Form("/openai/deployments/{model}/audio/transcriptions?api-version=2024-10-21")),
        response_model: Some("gpt-4o-2024-11-20"),
        ..openai()
    }
}

fn azure_ai_foundry() -> Spoken {
    Spoken {
        vendor: "azure-ai-foundry",
        pairs: [name("our-mistral"), name("our-deepseek")],
        chat: "/models/chat/completions?api-version=2024-05-01-preview",
        embeddings: Ok(("/models/embeddings?api-version=2024-05-01-preview", "openai")),
        audio: Ok(Audio::Form("/openai/v1/audio/transcriptions")),
        response_model: Some("mistral-large-2411"),
        cached: false,
        ..azure_openai()
    }
}

fn huggingface() -> Spoken {
    Spoken {
        vendor: "huggingface",
        base: "",
        asked: name("BAAI/bge-m3"),
        pairs: [
            Name { plain: "openai/gpt-oss-120b:groq", in_path: "openai/gpt-oss-120b%3Agroq" },
            name("Qwen/Qwen3-32B"),
        ],
        chat: "/v1/chat/completions",
        embeddings: Ok(("/hf-inference/models/{model}/pipeline/feature-extraction", "huggingface")),
        audio: Ok(Audio::File("/hf-inference/models/{model}")),
        response_model: Some("openai/gpt-oss-120b"),
        cached: false,
        ..openai()
    }
}

fn anthropic() -> Spoken {
    Spoken {
        vendor: "anthropic",
        dialect: "anthropic",
        base: "",
        asked: name("claude-opus-5"),
        pairs: [name("claude-sonnet-5-5"), name("claude-haiku-5-5")],
        key: ("x-api-key", ""),
        credential: Credential::Header("x-api-key", ""),
        default_header: Some(("anthropic-version", "2023-06-01")),
        chat: "/v1/messages",
        embeddings: Err(NOT_THERE),
        audio: Err(NOT_THERE),
        response_model: Some("claude-sonnet-5-5"),
        usage_streamed: &["message.usage", "usage"],
        quota: Ok("anthropic-ratelimit-tokens-remaining"),
        ..openai()
    }
}

fn gemini() -> Spoken {
    Spoken {
        vendor: "gemini",
        dialect: "gemini",
        base: "",
        asked: name("gemini-flash-latest"),
        pairs: [name("gemini-3.8-flash"), name("gemini-3.5-flash")],
        key: ("x-goog-api-key", ""),
        credential: Credential::Header("x-goog-api-key", ""),
        chat: "/v1beta/models/{model}:generateContent",
        stream: Some("/v1beta/models/{model}:streamGenerateContent?alt=sse"),
        embeddings: Ok(("/v1beta/models/{model}:batchEmbedContents", "gemini")),
        audio: Err(PART_OF_CHAT),
        response_model: Some("gemini-3.5-flash-001"),
        usage: &["usageMetadata"],
        usage_streamed: &["usageMetadata"],
        quota: Err(NO_HEADER),
        ..openai()
    }
}

fn vertex_ai() -> Spoken {
    Spoken {
        vendor: "vertex-ai",
        key: BEARER,
        credential: Credential::ServiceAccount,
        chat: "/v1/projects/p/locations/eu/publishers/google/models/{model}:generateContent",
        stream: Some(
            "/v1/projects/p/locations/eu/publishers/google/models/{model}:streamGenerateContent?alt=sse",
        ),
        embeddings: Ok(("/v1/projects/p/locations/eu/publishers/google/models/{model}:predict", "vertex-ai")),
        response_model: Some("gemini-3.5-flash"),
        ..gemini()
    }
}

fn aws_bedrock() -> Spoken {
    Spoken {
        vendor: "aws-bedrock",
        dialect: "bedrock",
        base: "",
        asked: Name { plain: "us.any-v1:0", in_path: "us.any-v1%3A0" },
        pairs: [
            Name { plain: "amazon.nova-lite-v1:0", in_path: "amazon.nova-lite-v1%3A0" },
            Name {
                plain: "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.amazon.nova-pro-v1:0",
                in_path: "arn%3Aaws%3Abedrock%3Aeu-central-1%3A123456789012%3Ainference-profile%2Feu.amazon.nova-pro-v1%3A0",
            },
        ],
        chat: "/model/{model}/converse",
        stream: Some("/model/{model}/converse-stream"),
        embeddings: Ok(("/model/{model}/invoke", "bedrock")),
        audio: Err(PART_OF_CHAT),
        response_model: None,
        usage_streamed: &["usage"],
        quota: Err(NO_HEADER),
        ..openai()
    }
}

fn cohere() -> Spoken {
    Spoken {
        vendor: "cohere",
        dialect: "cohere",
        base: "",
        asked: name("command-r"),
        pairs: [name("command-a-03-2025"), name("command-r-08-2024")],
        chat: "/v2/chat",
        embeddings: Ok(("/v2/embed", "cohere")),
        audio: Ok(Audio::Form("/v2/audio/transcriptions")),
        response_model: None,
        usage: &["usage.tokens"],
        usage_streamed: &["delta.usage.tokens"],
        quota: Err(NO_HEADER),
        ..openai()
    }
}
