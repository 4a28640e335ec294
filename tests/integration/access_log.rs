//! One line per request on standard output, and nothing secret anywhere.

use crate::support::{Client, Gateway, Prepared, Running, chat, post, read_chunk, vendor};
use evenkeel::mock::Fault;
use evenkeel::observe::trace::TraceParent;
use http::{HeaderValue, Method, StatusCode};
use serde_json::Value;
use std::net::SocketAddr;

const PATH: &str = "/smartchat/chat/completions";

fn gateway(vendor: SocketAddr, format: &str) -> Prepared {
    Gateway::prepare_file(&format!(
        "
listeners: [{{ address: '127.0.0.1:0' }}]
access_log: {{ format: {format} }}
apis:
  - name: SmartChat
    context: /smartchat
    vendor: openai
    endpoints:
      production:
        - name: The Endpoint
          url: 'http://{vendor}/v1'
          credential: sk-secret-of-the-endpoint
          headers: {{ x-tenant: secret-header }}
    operations:
      - method: POST
        path: /chat/completions
        policy: {{ type: model_round_robin, production: [{{ model: gpt-4o }}, {{ model: gpt-4o-mini }}], suspend_duration: 60, retry: {{ attempts: 0 }} }}
      - {{ method: POST, path: /embeddings }}
"
    ))
}

fn serving(vendor: SocketAddr) -> (Running, String) {
    let prepared = gateway(vendor, "json");
    let key = prepared.key("team-a", "production", &[]);
    (prepared.start(), key)
}

/// The line has these members and no others, but for those that no test can foretell.
fn assert_line(line: &Value, expected: &Value) {
    let mut line = line.as_object().unwrap().clone();
    assert!(line.remove("time").unwrap().as_str().unwrap().ends_with('Z'));
    let trace = line.remove("trace_id").unwrap();
    assert!(
        TraceParent::parse(format!("00-{}-1234567890abcdef-00", trace.as_str().unwrap()).as_bytes())
            .is_some()
    );
    let whole = line.remove("duration_seconds").unwrap().as_f64().unwrap();
    assert!(whole > 0.0);
    if let Some(first) = line.remove("first_byte_seconds") {
        let first = first.as_f64().unwrap();
        assert!(0.0 < first && first <= whole, "{first} {whole}");
    }
    assert_eq!(&Value::Object(line), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_tells_of_a_served_request() {
    let vendor = vendor().await;
    let (gateway, key) = serving(vendor.address());
    for mut client in [Client::http1(gateway.address()).await, Client::http2(gateway.address()).await] {
        for model in ["gpt-4o", "gpt-4o-mini"] {
            let mut request = post(&format!("{PATH}?user=someone"), Some(&key), chat("o3 \"mini\"\n"));
            request.headers_mut().insert("x-request-id", HeaderValue::from_static("req-1"));
            let answer = client.send(request).await;
            let line = gateway.access_line();
            assert!(line["first_byte_seconds"].is_number());
            assert_line(
                &line,
                &serde_json::json!({
                    "request_id": "req-1",
                    "method": "POST",
                    "path": PATH,
                    "api": "SmartChat",
                    "environment": "production",
                    "key": "team-a",
                    "asked_model": "o3 \"mini\"\n",
                    "model": model,
                    "endpoint": "The Endpoint",
                    "response_model": model,
                    "status": 200,
                    "attempts": format!("{model}@The%20Endpoint=200"),
                    // By the mock vendor's rule: four bytes a token.
                    "prompt_tokens": chat(model).len().div_ceil(4),
                    "completion_tokens": format!("Hello from {model}.").len().div_ceil(4),
                    "cached_tokens": 0,
                    "total_tokens": chat(model).len().div_ceil(4) + format!("Hello from {model}.").len().div_ceil(4),
                    "bytes_received": chat("o3 \"mini\"\n").len(),
                    "bytes_sent": answer.body.len(),
                }),
            );
        }
    }
    // Without a policy there is no model, and without an id of the client's a new one.
    let body = r#"{"model":"text-embedding-3-small","input":"x"}"#;
    let answer =
        Client::http1(gateway.address()).await.send(post("/smartchat/embeddings", Some(&key), body)).await;
    let line = gateway.access_line();
    assert_line(
        &line,
        &serde_json::json!({
            "request_id": answer.header("x-request-id"),
            "method": "POST",
            "path": "/smartchat/embeddings",
            "api": "SmartChat",
            "environment": "production",
            "key": "team-a",
            "endpoint": "The Endpoint",
            "response_model": "text-embedding-3-small",
            "status": 200,
            "prompt_tokens": body.len().div_ceil(4),
            "total_tokens": body.len().div_ceil(4),
            "bytes_received": body.len(),
            "bytes_sent": answer.body.len(),
        }),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_tells_of_a_refusal() {
    let vendor = vendor().await;
    let (gateway, key) = serving(vendor.address());
    let mut client = Client::http1(gateway.address()).await;
    for (path, key, body, status, error, api, name) in [
        ("/nowhere/x?key=ek_prod_1", None, "", 404, "api_not_found", None, None),
        ("/smartchat/nowhere", None, "", 404, "operation_not_found", None, None),
        (PATH, Some("ek_prod_mistyped"), "{}", 401, "invalid_api_key", Some("SmartChat"), None),
        (PATH, Some(key.as_str()), "[]", 400, "invalid_json", Some("SmartChat"), Some("team-a")),
    ] {
        let answer = client.send(post(path, key, body)).await;
        let line = gateway.access_line();
        assert_eq!((line["status"].as_u64(), line["error"].as_str()), (Some(status), Some(error)), "{line}");
        assert_eq!(line["request_id"].as_str(), Some(answer.header("x-request-id")));
        assert_eq!(line["path"].as_str(), path.split('?').next());
        assert_eq!((line["api"].as_str(), line["key"].as_str()), (api, name), "{line}");
        assert_eq!(line["bytes_sent"].as_u64(), Some(answer.body.len() as u64));
        for member in ["model", "endpoint", "first_byte_seconds", "suspended"] {
            assert!(line.get(member).is_none(), "{line}");
        }
    }
    let mut request = post(PATH, Some(&key), "");
    *request.method_mut() = Method::HEAD;
    client.send(request).await;
    let line = gateway.access_line();
    assert_eq!(
        (line["method"].as_str(), line["status"].as_u64(), line["bytes_sent"].as_u64()),
        (Some("HEAD"), Some(405), Some(0))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_tells_of_the_vendors_failure_and_of_the_suspension() {
    let vendor = vendor().await;
    let (gateway, key) = serving(vendor.address());
    let id = HeaderValue::from_static("req-of-the-vendor");
    let fault = |status| Fault::status_with_header(status, "x-request-id".parse().unwrap(), id.clone());
    vendor.faults().set("gpt-4o", fault(StatusCode::TOO_MANY_REQUESTS));
    vendor.faults().set("gpt-4o-mini", Fault::CloseBeforeHeaders);
    let mut lines = Vec::new();
    for _ in 0..3 {
        let mut client = Client::http1(gateway.address()).await;
        client.send(post(PATH, Some(&key), chat("any"))).await;
        lines.push(gateway.access_line());
    }
    let of = |line: &Value| {
        let text = |name: &str| line[name].as_str().map(str::to_owned);
        (
            line["status"].as_u64(),
            text("model"),
            text("error"),
            line["suspended"].as_bool(),
            text("vendor_request_id"),
        )
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(of(&lines[0]), (Some(429), text("gpt-4o"), None, Some(true), text("req-of-the-vendor")));
    assert_eq!(
        of(&lines[1]),
        (Some(502), text("gpt-4o-mini"), text("upstream_unreachable"), Some(true), None)
    );
    assert_eq!(of(&lines[2]), (Some(503), None, text("no_active_endpoints"), None, None));
    assert_eq!(lines[2]["asked_model"], "any");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_gets_its_line() {
    let vendor = vendor().await;
    let (gateway, key) = serving(vendor.address());
    let gate = vendor.faults().hold_stream("gpt-4o");
    let streamed = r#"{"model":"any","stream":true}"#;
    let mut client = Client::http1(gateway.address()).await;
    let mut answer = client.begin(post(PATH, Some(&key), streamed)).await;
    let first = read_chunk(answer.body_mut()).await.unwrap();
    drop((client, answer));
    let line = gateway.access_line();
    assert_eq!((line["status"].as_u64(), line["model"].as_str()), (Some(200), Some("gpt-4o")), "{line}");
    assert_eq!(line["bytes_sent"].as_u64(), Some(first.len() as u64), "{line}");
    assert!(line.get("error").is_none() && line.get("suspended").is_none(), "{line}");
    vendor.in_flight_is(0).await;
    drop(gate);

    // Before there is an answer there is no status.
    vendor.faults().set("gpt-4o-mini", Fault::Hang);
    let mut client = Client::http1(gateway.address()).await;
    let request = tokio::spawn(async move {
        client.begin(post(PATH, Some(&key), chat("any"))).await;
    });
    vendor.in_flight_is(1).await;
    request.abort();
    let line = gateway.access_line();
    assert_eq!((line.get("status"), line["model"].as_str()), (None, Some("gpt-4o-mini")), "{line}");
    assert!(line.get("suspended").is_none(), "{line}");
    vendor.in_flight_is(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logfmt_has_the_same_members() {
    let vendor = vendor().await;
    let prepared = gateway(vendor.address(), "logfmt");
    let key = prepared.key("team-a", "production", &[]);
    let gateway = prepared.start();
    let mut client = Client::http1(gateway.address()).await;
    client.send(post(&format!("{PATH}?a=b"), Some(&key), chat("o3 \"mini\""))).await;
    let line = gateway.access_text();
    let expected = format!(
        "method=POST path={PATH} api=SmartChat environment=production key=team-a asked_model=\"o3 \\\"mini\\\"\" \
         model=gpt-4o endpoint=\"The Endpoint\" response_model=gpt-4o status=200 attempts=\"gpt-4o@The%20Endpoint=200\" first_byte_seconds="
    );
    assert!(line.contains(&expected), "{line}");
    assert!(
        line.starts_with("time=2") && line.contains(" request_id=") && line.contains(" bytes_sent="),
        "{line}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn off_means_no_line() {
    let vendor = vendor().await;
    let prepared = gateway(vendor.address(), "off");
    let key = prepared.key("team-a", "production", &[]);
    let gateway = prepared.start();
    let answer = Client::http1(gateway.address()).await.send(post(PATH, Some(&key), chat("any"))).await;
    assert_eq!(answer.status, 200);
    let (_, lines, _) = gateway.end("TERM");
    assert!(lines.is_empty(), "{lines:?}");
}

/// Neither lost nor doubled, at work or at the end.
#[tokio::test(flavor = "multi_thread")]
async fn there_is_one_line_for_each_request() {
    for signal in ["TERM", "INT"] {
        let vendor = vendor().await;
        let (gateway, key) = serving(vendor.address());
        let tasks: Vec<_> = (0..10)
            .map(|client| {
                let (address, key) = (gateway.address(), key.clone());
                tokio::spawn(async move {
                    let mut connection = Client::http1(address).await;
                    for n in 0..10 {
                        let mut request = post(PATH, Some(&key), chat("any"));
                        let id = HeaderValue::try_from(format!("{client}-{n}")).unwrap();
                        request.headers_mut().insert("x-request-id", id);
                        assert_eq!(connection.send(request).await.status, 200);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        // A line follows its answer: the process may not end in between.
        let id = |_| gateway.access_line()["request_id"].as_str().unwrap().to_owned();
        let mut ids: Vec<_> = (0..100).map(id).collect();
        ids.sort();
        let (_, more, _) = gateway.end(signal);
        assert!(more.is_empty(), "{more:?}");
        let expected: Vec<_> = (0..100).map(|n| format!("{}-{}", n / 10, n % 10)).collect();
        assert_eq!(ids, expected, "{signal}");
    }
}

/// Whatever happens to a request: served, refused, failed, broken off.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_secret_is_told() {
    let vendor = vendor().await;
    let prepared = gateway(vendor.address(), "json");
    let key = prepared.key("team-a", "production", &[]);
    let revoked = prepared.key("team-b", "production", &[]);
    assert!(prepared.call(&["keys", "revoke"], &["team-b"]).status.success());
    let gateway = prepared.start_logging("evenkeel=trace,info");
    let body = r#"{"model":"any","messages":[{"role":"user","content":"secret-content"}]}"#;
    let bodies = [body, &body.replace("]}", "]"), &body.replace("\"any\"", "1")];
    for fault in [None, Some(Fault::status(StatusCode::BAD_GATEWAY)), Some(Fault::CloseBeforeHeaders)] {
        vendor.faults().clear_all();
        fault.into_iter().for_each(|fault| vendor.faults().set_all(fault));
        for presented in [&key, &revoked, &key.replacen("ek_prod_", "ek_prod_x", 1)] {
            for body in bodies {
                let mut client = Client::http1(gateway.address()).await;
                client.send(post(&format!("{PATH}?q=secret-query"), Some(presented), body.to_owned())).await;
            }
        }
    }
    let (_, lines, log) = gateway.end("TERM");
    assert_eq!(lines.len(), 27);
    let told = format!("{lines:?}\n{log}");
    assert!(told.contains("is suspended for"), "{told}");
    let key_tail = &key["ek_prod_".len()..];
    let revoked_tail = &revoked["ek_prod_".len()..];
    for secret in
        [key_tail, revoked_tail, "sk-secret", "secret-header", "secret-content", "secret-query", "Hello from"]
    {
        assert!(!told.contains(secret), "{secret}: {told}");
    }
}
