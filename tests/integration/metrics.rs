//! `/metrics` counts what happened, neither more nor less.

use crate::support::{Answer, Client, Gateway, Prepared, Running, Scrape, chat, post, read_chunk, vendor};
use evenkeel::mock::{Fault, MockVendor};
use http::StatusCode;
use http_body_util::BodyExt;
use serde_json::json;
use std::collections::BTreeMap;
use std::net::SocketAddr;

pub const CHAT: &str = "/smartchat/chat/completions";

fn prepare(vendor: SocketAddr, more: &str) -> Prepared {
    Gateway::prepare_file(&format!(
        "
listeners: [{{ address: '127.0.0.1:0' }}]
{more}
apis:
  - name: SmartChat
    context: /smartchat
    vendor: openai
    endpoints:
      production: [{{ name: E, url: 'http://{vendor}/v1' }}]
      sandbox: [{{ name: S, url: 'http://{vendor}/v1' }}]
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_weighted_round_robin
          production: [{{ model: a, weight: 3 }}, {{ model: b, weight: 1 }}]
          suspend_duration: 60
          retry: {{ attempts: 1 }}
      - {{ method: POST, path: /embeddings }}
"
    ))
}

pub struct Served {
    pub gateway: Running,
    pub production: String,
    sandbox: String,
}

impl Served {
    pub fn by(vendor: &MockVendor) -> Self {
        Self::with(vendor, "")
    }

    pub fn with(vendor: &MockVendor, more: &str) -> Self {
        let prepared = prepare(vendor.address(), more);
        let production = prepared.key("p", "production", &[]);
        let sandbox = prepared.key("s", "sandbox", &[]);
        Self { gateway: prepared.start(), production, sandbox }
    }

    /// Sends a request, and waits until it is counted.
    pub async fn send(&self, path: &str, key: Option<&str>, body: &str) -> Answer {
        let answer = Client::http1(self.gateway.address()).await.send(post(path, key, body.to_owned())).await;
        self.gateway.access_line();
        answer
    }

    pub async fn chat(&self) -> Answer {
        self.send(CHAT, Some(&self.production), &chat("any")).await
    }

    pub async fn scrape(&self) -> Scrape {
        Scrape::of(self.gateway.admin).await
    }
}

fn numbers<const N: usize>(numbers: [(&str, usize); N]) -> BTreeMap<&str, f64> {
    numbers.map(|(name, number)| (name, number as f64)).into()
}

/// By the mock vendor's rule: four bytes a token.
fn tokens(text: &str) -> usize {
    text.len().div_ceil(4)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_request_is_counted_once_where_it_belongs() {
    let vendor = vendor().await;
    let served = Served::by(&vendor);
    let (key, sandbox) = (served.production.as_str(), served.sandbox.as_str());
    let body = chat("any");
    for (path, key, body, times, status) in [
        (CHAT, Some(key), body.as_str(), 8, 200),
        (CHAT, Some(sandbox), &body, 2, 200),
        ("/smartchat/embeddings", Some(key), r#"{"model":"x","input":"y"}"#, 3, 200),
        (CHAT, Some("ek_prod_wrong"), &body, 1, 401),
        (CHAT, Some(key), "[]", 2, 400),
        ("/smartchat/nowhere", Some(key), &body, 1, 404),
        ("/nowhere", None, &body, 4, 404),
    ] {
        for _ in 0..times {
            assert_eq!(served.send(path, key, body).await.status.as_u16(), status, "{path}");
        }
    }
    let scrape = served.scrape().await;
    // The model is spliced in: `a` for `any`.
    let (prompt, spliced, embedding) =
        (tokens(&body), tokens(&chat("a")), tokens(r#"{"model":"x","input":"y"}"#));
    let (completion, sandbox_completion) = (tokens("Hello from a."), tokens("Hello from any."));
    let expected = numbers([
        (r#"evenkeel_requests_total{api="SmartChat",environment="production",code="200"}"#, 11),
        (r#"evenkeel_requests_total{api="SmartChat",environment="production",code="400"}"#, 2),
        (r#"evenkeel_requests_total{api="SmartChat",environment="sandbox",code="200"}"#, 2),
        (r#"evenkeel_requests_total{api="SmartChat",environment="",code="401"}"#, 1),
        (r#"evenkeel_requests_total{api="",environment="",code="404"}"#, 5),
        (
            r#"evenkeel_attempts_total{api="SmartChat",environment="production",model="a",endpoint="E",outcome="200"}"#,
            6,
        ),
        (
            r#"evenkeel_attempts_total{api="SmartChat",environment="production",model="b",endpoint="E",outcome="200"}"#,
            2,
        ),
        (
            r#"evenkeel_attempts_total{api="SmartChat",environment="production",model="",endpoint="E",outcome="200"}"#,
            3,
        ),
        (
            r#"evenkeel_attempts_total{api="SmartChat",environment="sandbox",model="",endpoint="S",outcome="200"}"#,
            2,
        ),
        (
            r#"evenkeel_tokens_total{api="SmartChat",environment="production",model="a",endpoint="E",type="prompt"}"#,
            6 * spliced,
        ),
        (
            r#"evenkeel_tokens_total{api="SmartChat",environment="production",model="a",endpoint="E",type="completion"}"#,
            6 * completion,
        ),
        (
            r#"evenkeel_tokens_total{api="SmartChat",environment="production",model="b",endpoint="E",type="prompt"}"#,
            2 * spliced,
        ),
        (
            r#"evenkeel_tokens_total{api="SmartChat",environment="production",model="b",endpoint="E",type="completion"}"#,
            2 * completion,
        ),
        (
            r#"evenkeel_tokens_total{api="SmartChat",environment="production",model="",endpoint="E",type="prompt"}"#,
            3 * embedding,
        ),
        (
            r#"evenkeel_tokens_total{api="SmartChat",environment="sandbox",model="",endpoint="S",type="prompt"}"#,
            2 * prompt,
        ),
        (
            r#"evenkeel_tokens_total{api="SmartChat",environment="sandbox",model="",endpoint="S",type="completion"}"#,
            2 * sandbox_completion,
        ),
    ]);
    assert_eq!(scrape.counted(), expected);
    for (series, expected) in [
        (
            r#"evenkeel_pair_share_expected{api="SmartChat",environment="production",model="a",endpoint="E"}"#,
            0.75,
        ),
        (
            r#"evenkeel_pair_share_actual{api="SmartChat",environment="production",model="a",endpoint="E"}"#,
            0.75,
        ),
        (
            r#"evenkeel_pair_share_actual{api="SmartChat",environment="production",model="b",endpoint="E"}"#,
            0.25,
        ),
        (r#"evenkeel_request_duration_seconds_count{api="SmartChat",environment="production"}"#, 13.0),
        (r#"evenkeel_time_to_first_byte_seconds_count{api="SmartChat",environment="production"}"#, 11.0),
        (r#"evenkeel_overhead_seconds_count{api="SmartChat",environment="production"}"#, 11.0),
        ("evenkeel_in_flight", 0.0),
        ("evenkeel_config_generation", 1.0),
        ("evenkeel_config_last_reload_success", 1.0),
    ] {
        assert_eq!(scrape.value(series), expected, "{series}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_try_is_counted_and_every_suspension() {
    let vendor = vendor().await;
    let served = Served::by(&vendor);
    vendor.faults().set("a", Fault::status(StatusCode::TOO_MANY_REQUESTS));
    assert_eq!(served.chat().await.status, StatusCode::OK);
    vendor.faults().set("b", Fault::CloseBeforeHeaders);
    assert_eq!(served.chat().await.status, StatusCode::BAD_GATEWAY);
    assert_eq!(served.chat().await.status, StatusCode::SERVICE_UNAVAILABLE);
    let scrape = served.scrape().await;
    let mut counted = scrape.counted();
    counted.retain(|name, _| !name.starts_with("evenkeel_tokens"));
    let expected = numbers([
        (r#"evenkeel_requests_total{api="SmartChat",environment="production",code="200"}"#, 1),
        (r#"evenkeel_requests_total{api="SmartChat",environment="production",code="502"}"#, 1),
        (r#"evenkeel_requests_total{api="SmartChat",environment="production",code="503"}"#, 1),
        (r#"evenkeel_retries_total{api="SmartChat",environment="production"}"#, 1),
        (
            r#"evenkeel_attempts_total{api="SmartChat",environment="production",model="a",endpoint="E",outcome="429"}"#,
            1,
        ),
        (
            r#"evenkeel_attempts_total{api="SmartChat",environment="production",model="b",endpoint="E",outcome="200"}"#,
            1,
        ),
        (
            r#"evenkeel_attempts_total{api="SmartChat",environment="production",model="b",endpoint="E",outcome="connect"}"#,
            1,
        ),
        (
            r#"evenkeel_suspensions_total{api="SmartChat",environment="production",model="a",endpoint="E",reason="429"}"#,
            1,
        ),
        (
            r#"evenkeel_suspensions_total{api="SmartChat",environment="production",model="b",endpoint="E",reason="connect"}"#,
            1,
        ),
    ]);
    assert_eq!(counted, expected);
    for (state, expected) in [("active", 0.0), ("suspended", 1.0), ("probing", 0.0)] {
        let series = format!(
            r#"evenkeel_pair_state{{api="SmartChat",environment="production",model="a",endpoint="E",state="{state}"}}"#
        );
        assert_eq!(scrape.value(&series), expected, "{state}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_is_counted_as_one() {
    let vendor = vendor().await;
    let served = Served::by(&vendor);
    vendor.faults().set("a", Fault::Hang);
    let mut client = Client::http1(served.gateway.address()).await;
    let request = post(CHAT, Some(&served.production), chat("any"));
    let waiting = tokio::spawn(async move { client.begin(request).await });
    while vendor.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(served.scrape().await.value("evenkeel_in_flight"), 1.0);
    waiting.abort();
    served.gateway.access_line();
    let scrape = served.scrape().await;
    let expected = numbers([
        (r#"evenkeel_requests_total{api="SmartChat",environment="production",code="499"}"#, 1),
        (
            r#"evenkeel_attempts_total{api="SmartChat",environment="production",model="a",endpoint="E",outcome="abandoned"}"#,
            1,
        ),
    ]);
    assert_eq!(scrape.counted(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_tell_of_their_tokens_and_of_their_ends() {
    let vendor = vendor().await;
    let served = Served::by(&vendor);
    let stream = |tells: bool| {
        json!({ "model": "any", "messages": [], "stream": true, "stream_options": { "include_usage": tells } }).to_string()
    };
    let key = Some(served.production.as_str());
    let mut answer =
        Client::http2(served.gateway.address()).await.begin(post(CHAT, key, stream(true))).await.into_body();
    while read_chunk(&mut answer).await.is_some() {}
    let line = served.gateway.access_line();
    let prompt = line["prompt_tokens"].as_f64().unwrap();
    assert_eq!(prompt, stream(true).replace("any", "a").len().div_ceil(4) as f64);
    served.send(CHAT, key, &stream(false)).await;
    vendor.faults().set_all(Fault::CloseMidStream(2));
    let mut client = Client::http1(served.gateway.address()).await;
    let broken = client.begin(post(CHAT, key, stream(true))).await;
    assert!(broken.into_body().collect().await.is_err());
    served.gateway.access_line();
    let scrape = served.scrape().await;
    let pair = |model: &str, rest: &str| {
        format!(r#"{{api="SmartChat",environment="production",model="{model}",endpoint="E",{rest}}}"#)
    };
    for (series, expected) in [
        (format!("evenkeel_tokens_total{}", pair("a", "type=\"prompt\"")), prompt),
        (format!("evenkeel_tokens_total{}", pair("b", "type=\"prompt\"")), 0.0),
        (format!("evenkeel_attempts_total{}", pair("a", "outcome=\"200\"")), 2.0),
        (format!("evenkeel_attempts_total{}", pair("b", "outcome=\"200\"")), 0.0),
        (format!("evenkeel_attempts_total{}", pair("b", "outcome=\"stream\"")), 1.0),
        (format!("evenkeel_suspensions_total{}", pair("b", "reason=\"stream\"")), 1.0),
    ] {
        assert_eq!(scrape.value(&series), expected, "{series}");
    }
    // The client had its status before the stream broke off.
    assert_eq!(
        scrape.value(r#"evenkeel_requests_total{api="SmartChat",environment="production",code="200"}"#),
        3.0
    );
}
