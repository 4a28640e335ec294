//! What the semantic conventions of OpenTelemetry for generative AI call vendors and what is asked of them.
//!
//! The names are those of <https://github.com/open-telemetry/semantic-conventions-genai>, where the conventions have been
//! kept since they left the general ones; `gen_ai.provider.name` came with version 1.37 of those.

/// The value of `gen_ai.provider.name` for the vendor that a configuration calls `vendor`. One that the conventions do not
/// know keeps its own name, as they have it.
pub fn provider(vendor: &str) -> &str {
    match vendor {
        "mistral" => "mistral_ai",
        "azure-openai" => "azure.ai.openai",
        "gemini" => "gcp.gemini",
        "vertex-ai" => "gcp.vertex_ai",
        "aws-bedrock" => "aws.bedrock",
        "azure-ai-foundry" => "azure.ai.inference",
        other => other,
    }
}

/// The paths' ends that tell an operation. The first that fits counts.
const OPERATIONS: [(&str, &str); 13] = [
    ("/chat/completions", "chat"),
    ("/responses", "chat"),
    ("/messages", "chat"),
    ("/completions", "text_completion"),
    ("/embeddings", "embeddings"),
    // Cohere.
    ("/chat", "chat"),
    ("/embed", "embeddings"),
    // Gemini and Vertex AI.
    (":generateContent", "generate_content"),
    (":streamGenerateContent", "generate_content"),
    (":embedContent", "embeddings"),
    (":batchEmbedContents", "embeddings"),
    // Amazon Bedrock.
    ("/converse", "chat"),
    ("/converse-stream", "chat"),
];

/// The value of `gen_ai.operation.name` for a POST to `path`, a path of a vendor's API; `None` where the conventions have
/// no name for it.
pub fn operation(path: &str) -> Option<&'static str> {
    OPERATIONS.iter().find(|(end, _)| path.ends_with(end)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendors_have_the_conventions_names() {
        for (vendor, expected) in [
            ("openai", "openai"),
            ("mistral", "mistral_ai"),
            ("azure-openai", "azure.ai.openai"),
            ("anthropic", "anthropic"),
            ("gemini", "gcp.gemini"),
            ("vertex-ai", "gcp.vertex_ai"),
            ("aws-bedrock", "aws.bedrock"),
            ("azure-ai-foundry", "azure.ai.inference"),
            ("our-own", "our-own"),
        ] {
            assert_eq!(provider(vendor), expected);
        }
    }

    #[test]
    fn paths_tell_the_operation() {
        for (path, expected) in [
            ("/smartchat/chat/completions", Some("chat")),
            ("/openai/deployments/d/chat/completions", Some("chat")),
            ("/v1/responses", Some("chat")),
            ("/v1/messages", Some("chat")),
            ("/v1/completions", Some("text_completion")),
            ("/v1/fim/completions", Some("text_completion")),
            ("/v1/embeddings", Some("embeddings")),
            ("/v1beta/models/m:streamGenerateContent", Some("generate_content")),
            ("/model/anthropic.claude%3A0/converse-stream", Some("chat")),
            ("/v2/embed", Some("embeddings")),
            ("/v1/models", None),
            ("/v1/chat/completions/1", None),
            ("/v1/mycompletions", None),
            ("", None),
        ] {
            assert_eq!(operation(path), expected, "{path}");
        }
    }
}
