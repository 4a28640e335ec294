//! Endpoints whose url has a path of its own, or one of their vendor's prefixes.

use super::*;

#[test]
fn a_base_may_have_a_prefix_already() {
    let version = "api-version=2024-10-21";
    let deployment = format!("/r/openai/deployments/m/chat/completions?{version}");
    let foundry = "/models/chat/completions?api-version=2024-05-01-preview";
    for (client, own, base, target, expected) in [
        ("openai", "azure-openai", "/r/openai/deployments/x", "/chat/completions", deployment.as_str()),
        ("azure-openai", "azure-openai", "/r/openai/deployments/x", "/chat/completions", &deployment),
        ("openai", "azure-openai", "/r/openai/deployments/x", "/responses", "/r/openai/v1/responses"),
        ("openai", "azure-openai", "/r/openai", "/chat/completions", &deployment),
        ("openai", "azure-openai", "/r/openai", "/responses", "/r/openai/responses"),
        ("openai", "azure-openai", "/openai/v1", "/chat/completions", "/openai/v1/chat/completions"),
        (
            "azure-openai",
            "azure-openai",
            "/openai/v1",
            "/openai/deployments/x/chat/completions?api-version=1",
            "/openai/deployments/m/chat/completions?api-version=1",
        ),
        ("openai", "azure-ai-foundry", "/models", "/chat/completions", foundry),
        ("openai", "azure-ai-foundry", "/models", "/audio/transcriptions", "/openai/v1/audio/transcriptions"),
    ] {
        let made = at(&built_in(client), &built_in(own), base, target, "m").unwrap();
        assert_eq!(made, expected, "{client} to {own} {base} {target}");
    }
}

#[test]
fn a_prefix_may_stand_below_the_base() {
    let own =
        described("requests: [{ path: '/engines/{model}/chat' }], mount: { prefixes: ['/engines/{model}'] }");
    for base in ["", "/b"] {
        for target in ["/chat", "/engines/x/chat"] {
            let expected = format!("{base}/engines/m/chat");
            assert_eq!(at(&own, &own, base, target, "m").unwrap(), expected, "{target}");
            assert!(own.outset(base, target).unwrap().is_some(), "{base} {target}");
        }
    }
}

#[test]
fn a_pattern_may_say_what_is_below_the_base() {
    let own = vendor("{ path: '/by/{model}/x', json: model }, { path: /body, json: model }");
    assert_eq!(at(&own, &own, "/v1", "/by/a/x", "m").unwrap(), "/v1/by/m/x");
    assert_eq!(at(&own, &own, "/v1", "/body", "m").unwrap(), "/v1/body");
}
