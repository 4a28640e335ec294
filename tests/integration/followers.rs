//! Models in a body that follow the one in the path.

use crate::support::{Client, Gateway, Running, post, vendor};
use serde_json::Value;
use std::net::SocketAddr;

fn gateway(vendor: SocketAddr) -> Running {
    Gateway::start(&format!(
        "
  - name: Gemini
    context: /gemini
    vendor: gemini
    authentication: none
    endpoints:
      production: [{{ name: Primary, url: 'http://{vendor}' }}]
    operations:
      - method: POST
        path: /v1beta/models/*
        policy:
          type: model_round_robin
          production: [{{ model: gemini-embedding-001 }}, {{ model: gemini-embedding-2 }}]
"
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_request_of_a_batch_names_the_model_of_the_path() {
    let vendor = vendor().await;
    let gateway = gateway(vendor.address());
    let mut client = Client::http1(gateway.address()).await;
    let table = [
        (
            "batchEmbedContents",
            r#"{"requests": [{"content":{"parts":[{"text":"\u0061"}]},"model":"models/asked"},
                {"model":"models\/asked" ,"outputDimensionality":2.50},{"content":{}}, {"model":"asked"}]}"#,
        ),
        (
            "batchGenerateContent",
            r#"{"batch":{"displayName":"asked","inputConfig":{"requests":{"requests":[
                {"request":{"model":"models/asked","contents":[]},"metadata":{"model":"asked too"}},{"request":{}}]}}}}"#,
        ),
        (
            "asyncBatchEmbedContent",
            r#"{"batch":{"inputConfig":{"requests":{"requests":[{"request":{"model":"models/asked"}}]}}}}"#,
        ),
        ("embedContent", r#"{"content":{"model":"models/asked"},"model":"models/asked"}"#),
        ("countTokens", r#"{"generateContentRequest":{"model":"models/asked","contents":[]}}"#),
        ("embedContent", r#"{"content":{"parts":[]}}"#),
        ("batchEmbedContents", r#"{"requests":[]}"#),
    ];
    for (method, body) in table {
        // Both models of the policy, one after the other.
        for _ in 0..2 {
            let path = format!("/gemini/v1beta/models/asked:{method}");
            let answer = client.send(post(&path, None, body)).await;
            let model = answer.header("x-evenkeel-model").to_owned();
            assert!(model.starts_with("gemini-embedding-"), "{model}");
            let seen = vendor.requests().pop().unwrap();
            assert_eq!(seen.path, format!("/v1beta/models/{model}:{method}"));
            let expected = expected(method, body, &model);
            assert_eq!(String::from_utf8(seen.body.to_vec()).unwrap(), expected);
            assert_eq!(seen.header("content-length"), Some(expected.len().to_string().as_str()));
        }
    }
}

/// The body with the model in the members that follow.
fn expected(method: &str, body: &str, model: &str) -> String {
    let replaced = |text: &str| {
        text.replace(r#""model":"models/asked""#, &format!(r#""model":"models/{model}""#))
            .replace(r#""model":"models\/asked""#, &format!(r#""model":"models\/{model}""#))
            .replace(r#""model":"asked""#, &format!(r#""model":"{model}""#))
    };
    // What stands elsewhere in this one is the client's own.
    let kept = if method == "embedContent" { body.find(r#","model""#).unwrap_or(body.len()) } else { 0 };
    body[..kept].to_owned() + &replaced(&body[kept..])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_batch_is_refused_with_its_place() {
    let vendor = vendor().await;
    let gateway = gateway(vendor.address());
    let mut client = Client::http1(gateway.address()).await;
    let table = [
        (
            r#"{"requests":{}}"#,
            r#""requests" must be an array of objects with the model in them, found an object"#,
        ),
        (r#"{"requests":["a"]}"#, r#""requests[]" must be an object with the model in it, found a string"#),
        (r#"{"requests":[{"model":1}]}"#, r#""requests[].model" must be a string, found a number"#),
    ];
    for (body, message) in table {
        let answer = client.send(post("/gemini/v1beta/models/a:batchEmbedContents", None, body)).await;
        assert_eq!(answer.status, 400, "{body}");
        let error: Value = serde_json::from_slice(&answer.body).unwrap();
        assert!(error.to_string().replace(r#"\""#, "\"").contains(message), "{error}");
    }
    assert!(vendor.requests().is_empty());
}
