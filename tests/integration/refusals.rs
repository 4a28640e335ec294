//! The gateway's own answers to what it does not forward: the first rows of the error table.

use crate::support::{Body, Client, Gateway, Raw, Running, chat, in_chunks, post, vendor};
use bytes::Bytes;
use evenkeel::mock::MockVendor;
use http::{HeaderValue, Method, Request};
use std::net::SocketAddr;

const CHAT: &str = "/both/chat/completions";
const LIMIT: usize = 1024;
const CHUNKED: &str = "Transfer-Encoding: chunked";

/// An AI API of that name at its name in lower case, with these endpoints and a policy for one environment.
fn api(name: &str, endpoints: &str, environment: &str) -> String {
    let context = name.to_lowercase();
    format!(
        "
  - name: {name}
    context: /{context}
    vendor: openai
    endpoints: {{ {endpoints} }}
    operations:
      - method: POST
        path: /chat/completions
        policy: {{ type: model_round_robin, {environment}: [{{ model: gpt-4o }}] }}
      - {{ method: POST, path: /embeddings }}
      - {{ method: GET, path: /models }}
      - {{ method: DELETE, path: /models }}
"
    )
}

struct Keys {
    production: String,
    sandbox: String,
    of_another_api: String,
    revoked: String,
}

/// A gateway with AI APIs that have endpoints in both environments or in one, and its keys.
fn gateway(vendor: SocketAddr) -> (Running, Keys) {
    let production = format!("production: [{{ name: Production, url: 'http://{vendor}/v1' }}]");
    let sandbox = format!("sandbox: [{{ name: Sandbox, url: 'http://{vendor}/v1' }}]");
    let prepared = Gateway::prepare_file(&format!(
        "listeners: [{{ address: '127.0.0.1:0' }}]\nlimits: {{ request_body: {LIMIT} }}\napis:\n{}{}{}",
        api("Both", &format!("{production}, {sandbox}"), "production"),
        api("Production", &production, "production"),
        api("Sandbox", &sandbox, "sandbox"),
    ));
    let keys = Keys {
        production: prepared.key("production", "production", &[]),
        sandbox: prepared.key("sandbox", "sandbox", &[]),
        of_another_api: prepared.key("of-another-api", "production", &["Production"]),
        revoked: prepared.key("revoked", "production", &[]),
    };
    assert!(prepared.call(&["keys", "revoke"], &["revoked"]).status.success());
    (prepared.start(), keys)
}

fn request(method: Method, path: &str, key: &str) -> Request<Body> {
    let mut request = post(path, Some(key), "");
    *request.method_mut() = method;
    request
}

fn saw_nothing(vendor: &MockVendor) {
    assert!(vendor.requests().is_empty(), "{:?}", vendor.requests());
}

/// All over one connection, which every refusal leaves open.
#[tokio::test(flavor = "multi_thread")]
async fn a_path_or_method_that_leads_nowhere() {
    let vendor = vendor().await;
    let (gateway, keys) = gateway(vendor.address());
    for mut client in [Client::http1(gateway.address()).await, Client::http2(gateway.address()).await] {
        for (method, path, status, code) in [
            (Method::POST, "/", 404, "api_not_found"),
            (Method::POST, "/nowhere/chat/completions", 404, "api_not_found"),
            (Method::POST, "/bothersome/chat/completions", 404, "api_not_found"),
            (Method::POST, "/both", 404, "operation_not_found"),
            (Method::POST, "/both/chat", 404, "operation_not_found"),
            (Method::POST, "/both/chat/completions/", 404, "operation_not_found"),
            (Method::POST, "/both/../both/chat/completions", 404, "operation_not_found"),
            (Method::POST, "/both/./chat/completions", 404, "operation_not_found"),
            (Method::POST, "/both/%2e%2E/both/chat/completions", 404, "operation_not_found"),
            (Method::GET, CHAT, 405, "method_not_allowed"),
            (Method::OPTIONS, "/both/models?a=b", 405, "method_not_allowed"),
        ] {
            let answer = client.send(request(method, path, &keys.production)).await;
            answer.assert_refused(status, code);
            let allow = match path {
                CHAT => "POST",
                _ if status == 405 => "DELETE, GET",
                _ => "",
            };
            assert_eq!(answer.header("allow"), allow, "{path}");
        }
    }
    saw_nothing(&vendor);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_does_not_open() {
    let vendor = vendor().await;
    let (gateway, keys) = gateway(vendor.address());
    let mut client = Client::http1(gateway.address()).await;
    let mistyped = keys.production.replacen("ek_prod_", "ek_prod_x", 1);
    let other_environment = keys.production.replacen("ek_prod_", "ek_sbx_", 1);
    for (key, message) in [
        (None, "No API key was given"),
        (Some(""), "No API key was given"),
        (Some("sk-of-some-vendor"), "not known"),
        (Some(&keys.revoked), "revoked"),
        (Some(&mistyped), "mistyped"),
        (Some(&other_environment), "mistyped"),
    ] {
        for path in [CHAT, "/both/embeddings"] {
            let answer = client.send(post(path, key, chat("any"))).await;
            answer.assert_refused(401, "invalid_api_key");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
            let error = answer.json();
            assert!(error["error"]["message"].as_str().unwrap().contains(message), "{error}");
        }
    }
    saw_nothing(&vendor);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_opens_something_else() {
    let vendor = vendor().await;
    let (gateway, keys) = gateway(vendor.address());
    let mut client = Client::http1(gateway.address()).await;
    for (key, context, code) in [
        (&keys.sandbox, "production", "environment_not_available"),
        (&keys.production, "sandbox", "environment_not_available"),
        (&keys.of_another_api, "both", "api_not_subscribed"),
        (&keys.of_another_api, "sandbox", "api_not_subscribed"),
    ] {
        for operation in ["chat/completions", "embeddings"] {
            let answer = client.send(post(&format!("/{context}/{operation}"), Some(key), chat("any"))).await;
            answer.assert_refused(403, code);
        }
    }
    saw_nothing(&vendor);
    let opened =
        client.send(post("/production/chat/completions", Some(&keys.of_another_api), chat("any"))).await;
    assert_eq!(opened.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_one_json_object() {
    let vendor = vendor().await;
    let (gateway, keys) = gateway(vendor.address());
    let (mut http1, mut http2) =
        (Client::http1(gateway.address()).await, Client::http2(gateway.address()).await);
    for (body, param) in [
        (&b""[..], None),
        (b" \n", None),
        (b"null", None),
        (b"[{\"model\":\"a\"}]", None),
        (b"\"model\"", None),
        (b"{\"model\":\"a\"", None),
        (b"{\"model\":\"a\"}}", None),
        (b"{\"model\":\"a\"} {}", None),
        (b"{\"model\":\"a\",}", None),
        (b"{'model':'a'}", None),
        (b"{\"model\":\"\xff\"}", None),
        (b"{\"model\":\"a\",\"messages\":[{]}", None),
        (b"{\"model\":\"a\",\"model\":\"b\"}", Some("model")),
        (b"{\"model\":\"a\",\"mod\\u0065l\":\"a\"}", Some("model")),
        (b"{\"model\":1}", Some("model")),
        (b"{\"model\":null}", Some("model")),
        (b"{\"model\":[\"a\"]}", Some("model")),
    ] {
        let body = Bytes::from_static(body);
        let whole = || post(CHAT, Some(&keys.production), body.clone());
        let chunked = || in_chunks(post(CHAT, Some(&keys.production), ""), &body, 3);
        for client in [&mut http1, &mut http2] {
            for request in [whole(), chunked()] {
                let answer = client.send(request).await;
                answer.assert_refused(400, "invalid_json");
                assert_eq!(answer.json()["error"]["param"].as_str(), param, "{body:?}");
            }
        }
    }
    saw_nothing(&vendor);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_or_compressed() {
    let vendor = vendor().await;
    let (gateway, keys) = gateway(vendor.address());
    let body_of = |length: usize| Bytes::from(format!("{:length$}", chat("any")));
    for path in [CHAT, "/both/embeddings"] {
        let large = body_of(LIMIT + 1);
        for mut client in [Client::http1(gateway.address()).await, Client::http2(gateway.address()).await] {
            let whole = post(path, Some(&keys.production), large.clone());
            let chunked = in_chunks(post(path, Some(&keys.production), ""), &large, 600);
            for request in [whole, chunked] {
                let answer = client.send(request).await;
                answer.assert_refused(413, "request_too_large");
            }
        }
        // A client that sends all of it before it reads is not reset: it gets its answer, too.
        let mut client = Raw::connect(gateway.address()).await;
        let key = &keys.production;
        client
            .send(format!("POST {path} HTTP/1.1\r\nHost: g\r\nx-api-key: {key}\r\n{CHUNKED}\r\n\r\n"))
            .await;
        for _ in 0..200 {
            client.send(format!("10000\r\n{}\r\n", "x".repeat(0x10000))).await;
        }
        client.send("0\r\n\r\n").await;
        client.answer().await.assert_refused(413, "request_too_large");
    }
    let mut compressed = post(CHAT, Some(&keys.production), chat("any"));
    compressed.headers_mut().insert("content-encoding", HeaderValue::from_static("gzip"));
    let mut client = Client::http1(gateway.address()).await;
    client.send(compressed).await.assert_refused(415, "unsupported_content_encoding");
    saw_nothing(&vendor);

    // As large as may be, and compressed where nobody looks into it.
    let fitting = client.send(post(CHAT, Some(&keys.production), body_of(LIMIT))).await;
    assert_eq!(fitting.status, 200);
    let mut compressed = post("/both/embeddings", Some(&keys.production), "not really");
    compressed.headers_mut().insert("content-encoding", HeaderValue::from_static("gzip"));
    client.send(compressed).await;
    let seen = vendor.requests().pop().unwrap();
    assert_eq!((seen.header("content-encoding"), &seen.body[..]), (Some("gzip"), &b"not really"[..]));
}
