//! The management API: what it tells, what it changes, and what it writes down.

use crate::support::{Answer, Body, Client, Gateway, Prepared, Running, Scrape, chat, post, signal, vendor};
use evenkeel::mock::{Fault, MockVendor};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

pub const PATH: &str = "/smartchat/chat/completions";
/// Far more than any change needs to be seen.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Three of four requests to `gpt-4o` on `First`, one to `org/mini` on `Second`.
pub fn file(vendor: SocketAddr, access: &str) -> String {
    format!(
        "listeners: [{{ address: '127.0.0.1:0' }}]
apis:
  - name: SmartChat
    context: /smartchat
    vendor: openai
    {access}
    endpoints:
      production:
        - {{ name: First, url: 'http://{vendor}/v1', credential: sk-first, headers: {{ X-Org: org-secret }} }}
        - {{ name: Second, url: 'http://{vendor}/v1' }}
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_weighted_round_robin
          production:
            - {{ model: gpt-4o, endpoint: First, weight: 3 }}
            - {{ model: org/mini, endpoint: Second, weight: 1 }}
          suspend_duration: 10m
          retry: {{ attempts: 0 }}
      - {{ method: GET, path: /models }}
"
    )
}

pub fn prepare(vendor: &MockVendor) -> Prepared {
    Gateway::prepare_file(&file(vendor.address(), "authentication: none"))
}

/// A request to the admin address.
pub fn request(method: Method, path: &str, body: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:9901");
    request.body(Full::new(body.to_owned().into()).boxed()).unwrap()
}

pub async fn send(gateway: &Running, method: Method, path: &str, body: &str) -> Answer {
    let answer = Client::http1(gateway.admin).await.send(request(method, path, body)).await;
    assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{answer:?}");
    answer
}

pub async fn get(gateway: &Running, path: &str) -> Value {
    let answer = send(gateway, Method::GET, path, "").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
    answer.json()
}

/// The pairs of the one AI API and environment, by model.
async fn pairs(gateway: &Running) -> BTreeMap<String, Value> {
    let status = get(gateway, "/api/v1/status").await;
    let pairs = status["apis"][0]["environments"][0]["pairs"].as_array().unwrap().clone();
    pairs.into_iter().map(|pair| (pair["model"].as_str().unwrap().to_owned(), pair)).collect()
}

/// Who served these many requests.
async fn served(gateway: &Running, requests: usize) -> BTreeMap<String, usize> {
    let mut client = Client::http1(gateway.address()).await;
    let mut served = BTreeMap::new();
    for _ in 0..requests {
        let answer = client.send(post(PATH, None, chat("any"))).await;
        assert_eq!(answer.status, 200);
        *served.entry(answer.header("x-evenkeel-model").to_owned()).or_default() += 1;
    }
    all_counted(gateway).await;
    served
}

/// Waits until nothing is under way: a request is counted after its client has the answer.
async fn all_counted(gateway: &Running) {
    let over = async { while get(gateway, "/api/v1/status").await["in_flight"] != 0 {} };
    tokio::time::timeout(PATIENCE, over).await.expect("all requests are over");
}

/// Ends the gateway, so that its log is whole, and returns the lines of the audit without their time.
pub fn audit(gateway: Running) -> Vec<String> {
    let (_, _, log) = gateway.end("INT");
    audit_of(&log)
}

/// The lines of the audit in a log, without their time.
pub fn audit_of(log: &str) -> Vec<String> {
    log.lines().filter_map(|line| Some(line.split_once("audit: ")?.1.to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_tells_shares_and_suspensions() {
    let vendor = vendor().await;
    let gateway = prepare(&vendor).start();
    let before = pairs(&gateway).await;
    assert_eq!(
        (&before["gpt-4o"]["expected_share"], &before["gpt-4o"]["actual_share"]),
        (&json!(0.75), &json!(0.0))
    );
    served(&gateway, 8).await;
    let status = get(&gateway, "/api/v1/status").await;
    assert_eq!((&status["state"], &status["in_flight"]), (&json!("serving"), &json!(0)));
    assert_eq!((&status["pid"], &status["config"]["generation"]), (&json!(gateway.pid()), &json!(1)));
    assert_eq!(status["config"]["last_reload"]["success"], true);
    let environment = &status["apis"][0]["environments"][0];
    let operations = json!([
        { "method": "POST", "path": "/chat/completions", "policy": "model_weighted_round_robin" },
        { "method": "GET", "path": "/models", "policy": null },
    ]);
    assert_eq!(
        (&environment["environment"], &environment["operations"]),
        (&json!("production"), &operations)
    );
    for (model, share, choices) in [("gpt-4o", 0.75, 6), ("org/mini", 0.25, 2)] {
        let pair = &pairs(&gateway).await[model];
        assert_eq!(pair["state"], "active");
        assert_eq!((&pair["suspended_until"], &pair["reason"]), (&Value::Null, &Value::Null));
        assert_eq!((&pair["expected_share"], &pair["actual_share"]), (&json!(share), &json!(share)));
        let counters = json!({
            "choices": choices, "attempts": choices, "successes": choices, "failures": 0, "suspensions": 0,
        });
        assert_eq!(pair["counters"], counters);
    }

    vendor.faults().set("gpt-4o", Fault::status(StatusCode::TOO_MANY_REQUESTS));
    let mut client = Client::http1(gateway.address()).await;
    while client.send(post(PATH, None, chat("any"))).await.status != 429 {}
    all_counted(&gateway).await;
    let pair = &pairs(&gateway).await["gpt-4o"];
    assert_eq!(
        (&pair["state"], &pair["reason"], &pair["note"]),
        (&json!("suspended"), &json!("429"), &Value::Null)
    );
    assert_eq!((&pair["counters"]["failures"], &pair["counters"]["suspensions"]), (&json!(1), &json!(1)));
    let left = pair["suspended_for_seconds"].as_f64().unwrap();
    assert!((570.0..=600.0).contains(&left), "{left}");
    assert!(pair["suspended_until"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_that_an_operator_takes_out_gets_nothing() {
    let vendor = vendor().await;
    let gateway = prepare(&vendor).start();
    let act = async |verb: &str, body: &str| {
        let path = format!("/api/v1/pairs/SmartChat/First/gpt-4o/{verb}");
        let answer = send(&gateway, Method::POST, &path, body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    };
    let told = act("suspend", r#"{"for": "1h", "reason": "maintenance"}"#).await;
    let seen = pairs(&gateway).await;
    for pair in [&told, &seen["gpt-4o"]] {
        assert_eq!((&pair["state"], &pair["reason"]), (&json!("suspended"), &json!("operator")));
        assert_eq!(pair["note"], "maintenance");
    }
    assert_eq!(served(&gateway, 4).await, BTreeMap::from([("org/mini".to_owned(), 4)]));
    act("resume", "").await;
    assert_eq!(served(&gateway, 4).await["gpt-4o"], 3);
    let drained = act("drain", "").await;
    assert_eq!((&drained["reason"], &drained["counters"]["suspensions"]), (&json!("drained"), &json!(2)));
    let labels =
        r#"api="SmartChat",environment="production",model="gpt-4o",endpoint="First",reason="operator""#;
    let scrape = Scrape::of(gateway.admin).await;
    assert_eq!(scrape.value(&format!("evenkeel_suspensions_total{{{labels}}}")), 2.0);
    assert_eq!(served(&gateway, 4).await, BTreeMap::from([("org/mini".to_owned(), 4)]));
    // A time in place of the drain; it is over by itself.
    let start = Instant::now();
    act("suspend", r#"{"for": 0.3}"#).await;
    while pairs(&gateway).await["gpt-4o"]["state"] != "active" {
        assert!(start.elapsed() < PATIENCE, "it is not back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(start.elapsed() >= Duration::from_millis(300), "it was back too early");
    assert!(served(&gateway, 4).await["gpt-4o"] >= 1);

    let audited = audit(gateway);
    let lines: Vec<_> = audited.iter().map(|line| line.split(" (from").next().unwrap().to_owned()).collect();
    let pair = "AI API `SmartChat` `gpt-4o` on `First` (production)";
    let expected = [
        format!("suspend {pair} for 1h: maintenance"),
        format!("resume {pair}"),
        format!("drain {pair}"),
        format!("suspend {pair} for 300ms"),
    ];
    assert_eq!(lines, expected);
    assert!(audited[0].contains("(from 127.0.0.1:"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_changes_what_is_served_or_nothing() {
    let vendor = vendor().await;
    let gateway = prepare(&vendor).start();
    let configuration = gateway.prepared().file();
    let text = fs::read_to_string(&configuration).unwrap();
    let hold = r#"{"reason": "kept over a reload"}"#;
    send(&gateway, Method::POST, "/api/v1/pairs/SmartChat/Second/org/mini/drain", hold).await;

    fs::write(&configuration, text.replace("weight: 3", "weight: -3")).unwrap();
    let answer = send(&gateway, Method::POST, "/api/v1/reload", "").await;
    assert_eq!(answer.status, 422, "{answer:?}");
    let error = &answer.json()["error"];
    assert_eq!(error["code"], "configuration_invalid");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("evenkeel.yaml:") && message.contains("weight"), "{message}");
    let config = get(&gateway, "/api/v1/status").await["config"].clone();
    assert_eq!((&config["generation"], &config["last_reload"]["success"]), (&json!(1), &json!(false)));
    assert_eq!(config["last_reload"]["error"], *message);
    assert_eq!(served(&gateway, 1).await["gpt-4o"], 1);

    let changed = text
        .replace("gpt-4o", "gpt-5")
        .replace("127.0.0.1:0' }]", "127.0.0.1:0' }, { address: '127.0.0.1:1' }]");
    fs::write(&configuration, changed).unwrap();
    let answer = send(&gateway, Method::POST, "/api/v1/reload", "{}").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let reloaded = answer.json();
    assert_eq!((&reloaded["generation"], &reloaded["needs_restart"]), (&json!(2), &json!(["listeners"])));
    assert_eq!(served(&gateway, 1).await["gpt-5"], 1);
    assert_eq!(pairs(&gateway).await["org/mini"]["note"], "kept over a reload");
    let lines = audit(gateway);
    assert!(
        lines.iter().any(|line| line.starts_with("refused reload: the file has errors (from ")),
        "{lines:?}"
    );
    assert!(lines.iter().any(|line| line.starts_with("reload: configuration 2 (from ")), "{lines:?}");
}

/// What is under way goes on, the admin address answers, and nothing is changed any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_drains_changes_nothing() {
    let vendor = vendor().await;
    let text = file(vendor.address(), "authentication: none");
    let server = "server: { graceful_shutdown_timeout_seconds: 30 }\n";
    let gateway = Gateway::prepare_file(&format!("{server}{text}")).start();
    let gate = vendor.faults().hold_stream("gpt-4o");
    let mut client = Client::http1(gateway.address()).await;
    let answer = client.begin(post(PATH, None, r#"{"model":"any","stream":true}"#)).await;
    signal(gateway.pid(), "TERM");
    let start = Instant::now();
    while get(&gateway, "/api/v1/status").await["state"] != "draining" {
        assert!(start.elapsed() < PATIENCE, "it does not drain");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for path in ["/api/v1/reload", "/api/v1/pairs/SmartChat/First/gpt-4o/drain"] {
        let answer = send(&gateway, Method::POST, path, "").await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["error"]["code"]),
            (409, &json!("draining")),
            "{path}"
        );
    }
    let answer_to_probe = Client::http1(gateway.admin).await.send(request(Method::GET, "/readyz", "")).await;
    assert_eq!(
        (answer_to_probe.status.as_u16(), &answer_to_probe.body[..]),
        (503, &b"not ready: draining\n"[..])
    );
    drop(gate);
    assert!(answer.into_body().collect().await.unwrap().to_bytes().ends_with(b"data: [DONE]\n\n"));
}
