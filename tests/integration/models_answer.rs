//! The gateway's own list of models, in the shape of its vendor's.

use crate::support::{Answer, Client, Gateway, post};
use http::{HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

fn api(vendor: &str, path: &str, production: [&str; 3], sandbox: &str) -> String {
    let [first, second, third] = production;
    format!(
        "
  - name: {vendor}
    context: /{vendor}
    vendor: {vendor}
    endpoints:
      production: [{{ name: P, url: 'http://127.0.0.1:1' }}, {{ name: Q, url: 'http://127.0.0.1:1/q' }}]
      sandbox: [{{ name: S, url: 'http://127.0.0.1:1' }}]
    operations:
      - method: POST
        path: /one/*
        policy:
          type: model_round_robin
          production: [{{ model: {first} }}, {{ model: {second} }}, {{ model: {first}, endpoint: Q }}]
          sandbox: [{{ model: {sandbox} }}]
      - {{ method: POST, path: '/two/*', policy: {{ type: model_round_robin, production: [{{ model: {third} }}, {{ model: {first} }}] }} }}
      - {{ method: GET, path: {path}, answer: models }}"
    )
}

async fn get(client: &mut Client, method: Method, path: &str, header: &'static str, key: &str) -> Answer {
    let mut request = post(path, None, "");
    *request.method_mut() = method;
    let key = if header == "authorization" { format!("Bearer {key}") } else { key.to_owned() };
    request.headers_mut().insert(HeaderName::from_static(header), HeaderValue::try_from(key).unwrap());
    client.send(request).await
}

/// The names in a list, which has no name twice.
fn names(list: &Value, member: &str) -> Vec<String> {
    let entries = list.as_array().unwrap_or_else(|| panic!("{list}"));
    entries.iter().map(|entry| entry[member].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_environments_models_in_the_vendors_shape() {
    let prepared = Gateway::prepare(
        &[
            api("openai", "/models", ["gpt-4o", "gpt-4.1", "o3"], "gpt-4o-mini"),
            api(
                "anthropic",
                "/v1/models",
                ["claude-opus-5", "claude-sonnet-5-5", "claude-haiku-5-5"],
                "claude-opus-4-8",
            ),
            api(
                "gemini",
                "/v1beta/models",
                ["gemini-3.8-flash", "gemini-2.5-pro", "gemini-2.5-flash"],
                "gemini-3.5-flash",
            ),
            api(
                "vertex-ai",
                "/v1beta1/publishers/google/models",
                ["gemini-3.8-flash", "gemini-2.5-pro", "gemini-2.5-flash"],
                "gemini-3.5-flash",
            ),
        ]
        .concat(),
    );
    let production = prepared.key("p", "production", &[]);
    let sandbox = prepared.key("s", "sandbox", &[]);
    let gateway = prepared.start();
    let mut client = Client::http1(gateway.address()).await;
    for (path, header, list, member, expected, of_sandbox) in [
        ("/openai/models", "api-key", "/data", "id", ["gpt-4o", "gpt-4.1", "o3"], "gpt-4o-mini"),
        (
            "/anthropic/v1/models?limit=20",
            "x-api-key",
            "/data",
            "id",
            ["claude-opus-5", "claude-sonnet-5-5", "claude-haiku-5-5"],
            "claude-opus-4-8",
        ),
        (
            "/gemini/v1beta/models",
            "x-goog-api-key",
            "/models",
            "name",
            ["gemini-3.8-flash", "gemini-2.5-pro", "gemini-2.5-flash"],
            "gemini-3.5-flash",
        ),
        (
            "/vertex-ai/v1beta1/publishers/google/models?pageSize=50",
            "authorization",
            "/publisherModels",
            "name",
            ["gemini-3.8-flash", "gemini-2.5-pro", "gemini-2.5-flash"],
            "gemini-3.5-flash",
        ),
    ] {
        let answer = get(&mut client, Method::GET, path, header, &production).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
        assert_eq!(answer.header("content-length"), answer.body.len().to_string());
        assert!(!answer.header("x-request-id").is_empty());
        let plain = |name: &String| name.rsplit('/').next().unwrap().to_owned();
        let mut seen: Vec<_> =
            names(answer.json().pointer(list).unwrap(), member).iter().map(plain).collect();
        seen.sort();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(seen, expected, "{path}");
        assert_shape(path, &answer.json());
        let other = get(&mut client, Method::GET, path, header, &sandbox).await.json();
        let seen: Vec<_> = names(other.pointer(list).unwrap(), member).iter().map(plain).collect();
        assert_eq!(seen, [of_sandbox], "{path}");
        let refused = get(&mut client, Method::GET, path, header, "ek_prod_wrong").await;
        refused.assert_refused(401, "invalid_api_key");
        // GET's operation alone: any other method is another.
        let refused = get(&mut client, Method::POST, path, header, &production).await;
        refused.assert_refused(405, "method_not_allowed");
    }
}

fn assert_shape(path: &str, list: &Value) {
    if path.starts_with("/openai") {
        assert_eq!(list["object"], "list");
        for entry in list["data"].as_array().unwrap() {
            assert_eq!((&entry["object"], entry["created"].is_u64()), (&json!("model"), true));
            assert!(entry["owned_by"].is_string());
        }
    } else if path.starts_with("/anthropic") {
        assert_eq!(list["has_more"], false);
        let data = list["data"].as_array().unwrap();
        assert_eq!((&list["first_id"], &list["last_id"]), (&data[0]["id"], &data[2]["id"]));
        for entry in data {
            assert_eq!(entry["type"], "model");
            assert!(entry["display_name"].is_string() && entry["created_at"].is_string());
        }
    } else if path.starts_with("/vertex-ai") {
        for entry in list["publisherModels"].as_array().unwrap() {
            assert!(entry["name"].as_str().unwrap().starts_with("publishers/google/models/"));
        }
    } else {
        for entry in list["models"].as_array().unwrap() {
            assert!(entry["name"].as_str().unwrap().starts_with("models/"));
            assert!(entry["supportedGenerationMethods"].is_array());
        }
    }
}

/// An operation for HEAD says what GET's says, without a body.
#[tokio::test(flavor = "multi_thread")]
async fn head_is_answered_without_a_body() {
    let apis = api("openai", "/models", ["gpt-4o", "gpt-4.1", "o3"], "gpt-4o-mini")
        .replace("method: GET", "method: '*'");
    let prepared = Gateway::prepare(&apis);
    let key = prepared.key("p", "production", &[]);
    let gateway = prepared.start();
    for mut client in [Client::http1(gateway.address()).await, Client::http2(gateway.address()).await] {
        let whole = get(&mut client, Method::GET, "/openai/models", "api-key", &key).await;
        let head = get(&mut client, Method::HEAD, "/openai/models", "api-key", &key).await;
        assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
        assert_eq!(head.header("content-length"), whole.body.len().to_string());
        // The connection is in step: the next answer is the next request's.
        let again = get(&mut client, Method::GET, "/openai/models", "api-key", &key).await;
        assert_eq!(again.body, whole.body);
    }
}
