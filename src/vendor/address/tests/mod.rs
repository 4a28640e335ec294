mod bases;
mod several;

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
