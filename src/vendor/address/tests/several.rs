//! Endpoints of other vendors than the client's.

use super::*;

#[test]
fn what_one_vendor_has_before_its_paths_is_not_anothers() {
    let azure = "/openai/deployments/x/chat/completions?api-version=1&a=b";
    let table = [
        (
            "openai",
            "azure-openai",
            "",
            "/chat/completions?a=b",
            "/openai/deployments/m/chat/completions?a=b&api-version=2024-10-21",
        ),
        ("openai", "azure-openai", "/openai/v1", "/chat/completions", "/openai/v1/chat/completions"),
        ("azure-openai", "openai", "/v1", azure, "/v1/chat/completions?a=b"),
        ("azure-openai", "vllm", "/v1", "/openai/deployments/x/embeddings?api-version=1", "/v1/embeddings"),
        ("azure-openai", "mistral", "/v1", "/openai/v1/chat/completions", "/v1/chat/completions"),
        ("azure-openai", "openai", "/v1", "/openai/responses?api-version=1", "/v1/responses"),
        // The first prefix below which there is such a route; its query comes with none but the first.
        ("openai", "azure-openai", "", "/responses", "/openai/v1/responses"),
        ("openai", "azure-openai", "", "/moderations?a=b", "/openai/v1/moderations?a=b"),
        (
            "openai",
            "azure-ai-foundry",
            "",
            "/chat/completions",
            "/models/chat/completions?api-version=2024-05-01-preview",
        ),
        ("openai", "azure-ai-foundry", "", "/audio/transcriptions", "/openai/v1/audio/transcriptions"),
        // What both have.
        ("azure-openai", "azure-ai-foundry", "", "/openai/v1/responses?a=b", "/openai/v1/responses?a=b"),
        (
            "azure-openai",
            "azure-ai-foundry",
            "",
            azure,
            "/models/chat/completions?a=b&api-version=2024-05-01-preview",
        ),
        (
            "gemini",
            "vertex-ai",
            "/v1/projects/p/locations/l/publishers/google",
            "/models/x:generateContent",
            "/v1/projects/p/locations/l/publishers/google/models/m:generateContent",
        ),
    ];
    for (client, own, base, target, expected) in table {
        let made = at(&built_in(client), &built_in(own), base, target, "m").unwrap();
        assert_eq!(made, expected, "{client} to {own} {base} {target}");
    }
}

#[test]
fn a_vendor_that_extends_another_has_its_paths() {
    let (azure, ours) = (built_in("azure-openai"), described("extends: azure-openai"));
    for (client, own) in [(&azure, &ours), (&ours, &azure)] {
        for (target, expected) in [
            (
                "/openai/deployments/x/chat/completions?api-version=1",
                "/openai/deployments/m/chat/completions?api-version=1",
            ),
            ("/openai/v1/responses?a=b", "/openai/v1/responses?a=b"),
            ("/openai/responses?api-version=1", "/openai/responses?api-version=1"),
        ] {
            assert_eq!(at(client, own, "", target, "m").unwrap(), expected);
        }
        for target in ["/openai/v1/files/f", "/openai/deployments/x/chat/completions?api-version=1"] {
            assert_eq!(passed(client, own, "", target), target);
        }
    }
}

#[test]
fn a_path_that_the_endpoints_vendor_has_not_goes_nowhere() {
    for (client, own, target) in [
        ("gemini", "vertex-ai", "/models/x:batchEmbedContents"),
        ("vertex-ai", "gemini", "/publishers/anthropic/models/x:rawPredict"),
    ] {
        let error = at(&built_in(client), &built_in(own), "/v1", target, "m").unwrap_err();
        assert_eq!(error, AddressError::NoRoute, "{target}");
    }
}

#[test]
fn what_has_no_model_is_put_below_a_prefix_that_has_none() {
    for (client, own, base, target, expected) in [
        ("openai", "azure-openai", "", "/files?a=b", "/openai/v1/files?a=b"),
        ("openai", "azure-openai", "", "/chat/completions", "/openai/v1/chat/completions"),
        ("openai", "azure-openai", "/openai/v1", "/files", "/openai/v1/files"),
        ("openai", "azure-ai-foundry", "", "/files", "/openai/v1/files"),
        // No prefix, though it looks like one.
        ("openai", "azure-ai-foundry", "", "/models", "/openai/v1/models"),
        ("openai", "azure-ai-foundry", "/models", "/models/m", "/openai/v1/models/m"),
        ("openai", "vllm", "/v1", "/files", "/v1/files"),
        ("azure-openai", "openai", "/v1", "/openai/files?api-version=1", "/v1/files"),
        ("azure-openai", "azure-openai", "", "/files", "/files"),
        (
            "gemini",
            "vertex-ai",
            "/v1/projects/p",
            "/models/x:batchEmbedContents",
            "/v1/projects/p/models/x:batchEmbedContents",
        ),
    ] {
        assert_eq!(passed(&built_in(client), &built_in(own), base, target), expected, "{client} {own}");
    }
}
