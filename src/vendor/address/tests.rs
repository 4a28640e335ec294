use super::*;
use crate::config::{self, Outside, built_in_vendor};
use std::env::VarError;
use std::io;
use std::path::Path;
use std::sync::Arc;

struct Nothing;

impl Outside for Nothing {
    fn variable(&self, _: &str) -> Result<String, VarError> {
        Err(VarError::NotPresent)
    }

    fn file(&self, _: &Path) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

/// A vendor that a configuration describes by `entry`.
fn described(entry: &str) -> Arc<Vendor> {
    let text = format!(
        "
listeners: [{{ address: '127.0.0.1:0' }}]
vendors: {{ own: {{ {entry} }} }}
apis:
  - {{ name: A, context: /a, vendor: own, endpoints: {{ production: [{{ name: E, url: 'http://v' }}] }},
      operations: [{{ method: POST, path: /x }}] }}
"
    );
    let loaded = config::parse("a.yaml", &text, &Nothing).unwrap();
    Arc::clone(loaded.gateway.apis()[0].vendor())
}

/// A vendor whose requests are as `rules` say.
fn vendor(rules: &str) -> Arc<Vendor> {
    described(&format!("requests: [{rules}]"))
}

fn built_in(name: &str) -> Arc<Vendor> {
    built_in_vendor(name).unwrap()
}

fn split(target: &str) -> (&str, Option<&str>) {
    target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)))
}

fn at(client: &Vendor, own: &Vendor, base: &str, target: &str, model: &str) -> Result<String, AddressError> {
    let (path, query) = split(target);
    let address = own.address(client, base, Asked { path, query }, model)?;
    Ok(joined(address.path, address.query.as_deref()))
}

/// Where a request goes whose model is not touched.
fn passed(client: &Vendor, own: &Vendor, base: &str, target: &str) -> String {
    let (path, query) = split(target);
    let (path, query) = own.passed(client, base, Asked { path, query });
    joined(path, query.as_deref())
}

fn joined(path: String, query: Option<&str>) -> String {
    match query {
        Some(query) => format!("{path}?{query}"),
        None => path,
    }
}

#[test]
fn a_request_goes_where_its_vendor_has_it() {
    let nova = "amazon.nova-lite-v1:0";
    let profile = "arn:aws:bedrock:us-east-1:1:inference-profile/us.m";
    let table = [
        ("openai", "/v1", "/chat/completions?a=b", "m", "/v1/chat/completions?a=b"),
        ("openai", "", "/chat/completions", "m", "/chat/completions"),
        ("gemini", "/v1beta", "/models/x:generateContent", "m", "/v1beta/models/m:generateContent"),
        (
            "gemini",
            "",
            "/v1/models/x:streamGenerateContent?alt=sse",
            "m",
            "/v1/models/m:streamGenerateContent?alt=sse",
        ),
        ("aws-bedrock", "", "/model/x%3A0/converse", nova, "/model/amazon.nova-lite-v1%3A0/converse"),
        (
            "aws-bedrock",
            "",
            "/model/x/invoke",
            profile,
            "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.m/invoke",
        ),
        (
            "vertex-ai",
            "/v1/projects/p/locations/l",
            "/publishers/google/models/x:generateContent",
            "m",
            "/v1/projects/p/locations/l/publishers/google/models/m:generateContent",
        ),
        (
            "azure-openai",
            "",
            "/openai/deployments/x/chat/completions?api-version=1",
            "a b",
            "/openai/deployments/a%20b/chat/completions?api-version=1",
        ),
        ("azure-openai", "", "/openai/v1/chat/completions", "m", "/openai/v1/chat/completions"),
        ("azure-openai", "/openai/v1", "/chat/completions", "m", "/openai/v1/chat/completions"),
        (
            "azure-openai",
            "/openai/deployments/x",
            "/chat/completions",
            "m",
            "/openai/deployments/m/chat/completions?api-version=2024-10-21",
        ),
        (
            "azure-openai",
            "",
            "/chat/completions",
            "m",
            "/openai/deployments/m/chat/completions?api-version=2024-10-21",
        ),
        (
            "huggingface",
            "",
            "/hf-inference/models/a/b/pipeline/feature-extraction",
            "c/d",
            "/hf-inference/models/c/d/pipeline/feature-extraction",
        ),
        (
            "huggingface",
            "",
            "/hf-inference/models/a/b/pipeline/feature-extraction/",
            "c/d",
            "/hf-inference/models/c/d/pipeline/feature-extraction/",
        ),
        (
            "huggingface",
            "",
            "/hf-inference/models/a/b/v1/embeddings",
            "c/d",
            "/hf-inference/models/c/d/v1/embeddings",
        ),
        (
            "huggingface",
            "/hf-inference/models/a/b",
            "/v1/completions",
            "c",
            "/hf-inference/models/c/v1/completions",
        ),
        (
            "huggingface",
            "",
            "/hf-inference/models/a/v1/v1/chat/completions",
            "c/d",
            "/hf-inference/models/c/d/v1/chat/completions",
        ),
        ("huggingface", "", "/hf-inference/models/a", "c/d", "/hf-inference/models/c/d"),
        ("huggingface", "", "/hf-inference/models/a/b/", "c/d", "/hf-inference/models/c/d/"),
        (
            "huggingface",
            "",
            "/hf-inference/pipeline/sentence-similarity/a/b",
            "c/d",
            "/hf-inference/pipeline/sentence-similarity/c/d",
        ),
    ];
    for (name, base, target, model, expected) in table {
        let vendor = built_in(name);
        assert_eq!(at(&vendor, &vendor, base, target, model).unwrap(), expected, "{name} {base} {target}");
    }
}

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

#[test]
fn a_model_in_the_query() {
    let own = vendor("{ path: '/by/{model}', query: model }, { path: '**', query: model }");
    for (target, expected) in [
        ("/x", "/x?model=a%2Fb"),
        ("/x?model=c&d=e", "/x?model=a%2Fb&d=e"),
        ("/x?d=e", "/x?d=e&model=a%2Fb"),
        // Where the path decides, the query follows.
        ("/by/x?model=c", "/by/m?model=m"),
        ("/by/x", "/by/m"),
    ] {
        let model = if target.starts_with("/by") { "m" } else { "a/b" };
        assert_eq!(at(&own, &own, "", target, model).unwrap(), expected, "{target}");
    }
    let twice = at(&own, &own, "", "/x?model=a&model=b", "m").unwrap_err();
    assert!(matches!(twice, AddressError::Query(_)));
}

#[test]
fn azures_forms_are_those_of_openai() {
    let openai = built_in("openai");
    for route in [
        "audio/transcriptions",
        "audio/voices",
        "images/edits",
        "images/variations",
        "videos",
        "chat/completions",
    ] {
        let rule = |vendor: &Vendor, path: &str| {
            let rule = vendor.outset("", path).unwrap().unwrap().rule;
            (rule.form.clone(), rule.json.clone())
        };
        let expected = rule(&openai, &format!("/{route}"));
        for azure in ["azure-openai", "azure-ai-foundry"] {
            assert_eq!(rule(&built_in(azure), &format!("/openai/v1/{route}")), expected, "{azure} {route}");
        }
    }
}

#[test]
fn where_the_model_stands_is_told_by_the_path() {
    let asked = |vendor: &str, base: &str, path: &str| {
        let vendor = built_in(vendor);
        let outset = vendor.outset(base, path).unwrap();
        outset.map(|outset| (outset.rule.path.as_str().to_owned(), outset.asked))
    };
    let (rule, model) = asked("gemini", "", "/v1beta/models/gemini-2.5-flash:generateContent").unwrap();
    assert_eq!(
        (rule.as_str(), model.as_deref()),
        ("**/models/{model}:generateContent", Some("gemini-2.5-flash"))
    );
    let hub = "huggingface";
    for (path, expected) in [
        ("/hf-inference/models/a/b/v1/embeddings", "a/b"),
        ("/hf-inference/models/v1/v1/v1/completions", "v1/v1"),
        ("/hf-inference/models/a/b/v1/chat/completions", "a/b"),
        ("/hf-inference/pipeline/feature-extraction/a/b", "a/b"),
    ] {
        assert_eq!(asked(hub, "", path).unwrap().1.as_deref(), Some(expected), "{path}");
    }
    // The base has what the path lacks, as an endpoint's URL may.
    assert!(asked("azure-openai", "/openai/deployments/x", "/chat/completions").is_some());
    assert_eq!(asked("azure-openai", "/openai/deployments/x", "/chat/completions").unwrap().1, None);
    let (rule, _) = asked("huggingface", "/hf-inference", "/models/a/b").unwrap();
    assert_eq!(rule, "**/hf-inference/models/{model}");
    // A client of the plain format before a vendor that mounts it.
    assert_eq!(asked("azure-openai", "", "/chat/completions").unwrap().1, None);
    for (vendor, path) in [
        ("gemini", "/v1beta/models/a/b:generateContent"),
        ("gemini", "/v1beta/models/a"),
        ("aws-bedrock", "/model/a/b/converse"),
        ("aws-bedrock", "/model/a/other"),
    ] {
        assert_eq!(asked(vendor, "", path), None, "{vendor} {path}");
    }
    let gemini = built_in("gemini");
    assert!(matches!(gemini.outset("", "/models/a%2Fb:generateContent"), Err(PathError::Slash { .. })));
}
