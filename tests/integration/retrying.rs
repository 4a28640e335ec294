//! A request that one pair fails is tried on another: how often, for what, for how long, and with what.

use crate::faults_rows::VENDORS_WORDS;
use crate::faults_sites::{Place, Site};
use crate::support::{Answer, Body, Client, Gateway, RawVendor, Running, Step, chat, post, vendor};
use evenkeel::mock::{Fault, MockVendor, Options};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;
use std::net::TcpListener;
use std::time::Duration;

pub(crate) const PATH: &str = "/smartchat/chat/completions";
pub(crate) const MODELS: [&str; 3] = ["gpt-4o", "gpt-4o-mini", "gpt-4.1"];

/// A pair for each of `endpoints`, the settings of which are as they stand in the file. They take turns.
pub(crate) fn gateway(endpoints: &[String], policy: &str) -> Running {
    let names = ["First", "Second", "Third"].iter();
    let endpoint = |(name, settings)| format!("        - {{ name: {name}, {settings} }}\n");
    let pair = |(name, model)| format!("{{ model: {model}, endpoint: {name} }}");
    let listed: String = names.clone().zip(endpoints).map(endpoint).collect();
    let pairs: Vec<_> = names.zip(MODELS).take(endpoints.len()).map(pair).collect();
    Gateway::start(&format!(
        "
  - name: SmartChat
    context: /smartchat
    vendor: openai
    authentication: none
    endpoints:
      production:
{listed}
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_round_robin
          production: [{}]
          suspend_duration: 30
          {policy}
",
        pairs.join(", ")
    ))
}

/// So many pairs on one vendor.
fn on(vendor: &MockVendor, pairs: usize, policy: &str) -> Running {
    gateway(&vec![at(vendor); pairs], policy)
}

pub(crate) fn at(vendor: &MockVendor) -> String {
    format!("url: 'http://{}/v1'", vendor.address())
}

pub(crate) fn failing(status: u16) -> Fault {
    Fault::Status {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::from_iter([("x-words".parse().unwrap(), HeaderValue::from_static("ours"))]),
        body: Some(VENDORS_WORDS.into()),
    }
}

pub(crate) async fn ask(gateway: &Running) -> Answer {
    Client::http1(gateway.address()).await.send(post(PATH, None, chat("any"))).await
}

/// The pairs that a request tried, each with what came of it.
pub(crate) fn tries(answer: &Answer) -> String {
    let attempts = answer.header("x-evenkeel-attempts").to_owned();
    MODELS.iter().fold(attempts, |attempts, model| attempts.replace(&format!("{model}@"), ""))
}

/// The client has the response of `endpoint` as the vendor sent it.
fn assert_vendors_own(answer: &Answer, status: u16, endpoint: &str) {
    assert_eq!(
        (answer.status.as_u16(), answer.header("x-evenkeel-endpoint")),
        (status, endpoint),
        "{answer:?}"
    );
    assert_eq!((answer.header("x-words"), &answer.body[..]), ("ours", VENDORS_WORDS.as_bytes()));
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("content-length"), VENDORS_WORDS.len().to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_often_than_attempts_says() {
    let vendor = vendor().await;
    for (attempts, status, tried) in [
        (0, 500, "First=500"),
        (1, 503, "First=500, Second=503"),
        (2, 200, "First=500, Second=503, Third=200"),
    ] {
        let gateway = on(&vendor, 3, &format!("retry: {{ attempts: {attempts} }}"));
        vendor.faults().set(MODELS[0], failing(500));
        vendor.faults().set(MODELS[1], failing(503));
        let answer = ask(&gateway).await;
        assert_eq!((answer.status.as_u16(), tries(&answer).as_str()), (status, tried));
        if status != 200 {
            assert_vendors_own(&answer, status, ["First", "Second"][attempts]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn not_after_within_has_passed() {
    let vendor = vendor().await;
    vendor.faults().set(MODELS[0], Fault::Hang);
    let endpoints = [format!("{}, first_byte_timeout: 200ms", at(&vendor)), at(&vendor)];
    let late = ask(&gateway(&endpoints, "retry: { within: 100ms }")).await;
    assert_eq!((late.code().as_str(), tries(&late).as_str()), ("upstream_timeout", "First=timeout"));
    let in_time = ask(&gateway(&endpoints, "retry: { within: 60s }")).await;
    assert_eq!((in_time.status.as_u16(), tries(&in_time).as_str()), (200, "First=timeout, Second=200"));
}

#[tokio::test(flavor = "multi_thread")]
async fn for_what_is_listed_only() {
    let vendor = vendor().await;
    for (on_what, status, expected) in [
        ("429", 429, "First=429, Second=200"),
        ("429", 500, "First=500"),
        ("5xx", 429, "First=429"),
        ("400, connect", 400, "First=400, Second=200"),
        ("", 500, "First=500"),
    ] {
        vendor.faults().set(MODELS[0], failing(status));
        let answer = ask(&on(&vendor, 2, &format!("retry: {{ on: [{on_what}] }}"))).await;
        assert_eq!(tries(&answer), expected, "{on_what}");
        match expected.contains("Second") {
            true => assert_eq!(answer.status, 200),
            false => assert_vendors_own(&answer, status, "First"),
        }
    }
}

/// What fails with the same status twice is the request's own fault, but for statuses of exhausted or slow vendors.
#[tokio::test(flavor = "multi_thread")]
async fn one_request_does_not_take_every_pair_down() {
    let vendor = vendor().await;
    for (statuses, still_in) in [
        ([500, 500], vec!["Second", "Third"]),
        ([500, 503], vec!["Third", "Third"]),
        ([429, 429], vec!["Third", "Third"]),
        ([408, 408], vec!["Third", "Third"]),
    ] {
        let gateway = on(&vendor, 3, "");
        for (model, status) in MODELS.iter().zip(statuses) {
            vendor.faults().set(model, failing(status));
        }
        let answer = ask(&gateway).await;
        let [first, second] = statuses;
        assert_eq!(tries(&answer), format!("First={first}, Second={second}, Third=200"));
        vendor.faults().clear_all();
        assert_eq!(next_two(&gateway).await, still_in, "{statuses:?}");
    }
}

/// The endpoints of the next two requests, sorted.
async fn next_two(gateway: &Running) -> Vec<String> {
    let mut served = Vec::new();
    for _ in 0..2 {
        served.push(ask(gateway).await.header("x-evenkeel-endpoint").to_owned());
    }
    served.sort_unstable();
    served
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_fails_everywhere_takes_one_pair_down() {
    let vendor = vendor().await;
    let gateway = on(&vendor, 3, "");
    vendor.faults().set_all(failing(500));
    let answer = ask(&gateway).await;
    assert_eq!(tries(&answer), "First=500, Second=500, Third=500");
    assert_vendors_own(&answer, 500, "Third");
    vendor.faults().clear_all();
    assert_eq!(next_two(&gateway).await, ["Second", "Third"]);
}

/// The vendor's own word is better than ours, though it is not the latest.
#[tokio::test(flavor = "multi_thread")]
async fn a_vendors_response_outlives_tries_that_come_to_none() {
    let vendor = vendor().await;
    vendor.faults().set(MODELS[0], failing(429));
    for (place, reason, settings) in [
        (Place::Closed, "connect", ""),
        (Place::NoName, "connect", ""),
        (Place::FullQueue, "timeout", ", connect_timeout: 150ms"),
        (Place::Mock(|| Fault::CloseBeforeHeaders), "connect", ""),
        (Place::Mock(|| Fault::Hang), "timeout", ", first_byte_timeout: 150ms"),
        (Place::Mock(|| Fault::CloseAfterHeaders), "stream", ""),
        (Place::Mock(|| Fault::StallAfterHeaders), "timeout", ", idle_timeout: 150ms"),
    ] {
        let site = Site::open(&place).await;
        site.switch();
        for http2 in [false, true] {
            let gateway = gateway(&[at(&vendor), format!("url: '{}'{settings}", site.url)], "");
            let address = gateway.address();
            let mut client = if http2 { Client::http2(address).await } else { Client::http1(address).await };
            let answer = client.send(streamed()).await;
            assert_vendors_own(&answer, 429, "First");
            assert_eq!(tries(&answer), format!("First=429, Second={reason}"));
            assert_eq!(answer.header("x-evenkeel-model"), MODELS[0]);
        }
    }
}

/// Whatever the gateway waits for, a client that goes ends the vendor's request, and no pair is to blame.
#[tokio::test(flavor = "multi_thread")]
async fn not_for_a_client_that_has_gone() {
    let vendor = vendor().await;
    for fault in [Fault::Hang, Fault::StallAfterHeaders, Fault::StallMidStream] {
        for http2 in [false, true] {
            let gateway = on(&vendor, 2, "");
            vendor.faults().set_all(fault.clone());
            let address = gateway.address();
            let mut client = if http2 { Client::http2(address).await } else { Client::http1(address).await };
            let asking = tokio::spawn(async move {
                let answer = client.begin(streamed()).await;
                // The client is there as long as the answer may come.
                std::future::pending::<()>().await;
                drop((client, answer));
            });
            vendor.in_flight_is(1).await;
            asking.abort();
            vendor.in_flight_is(0).await;
            let line = gateway.access_line();
            assert_eq!(line.get("suspended"), None, "{fault:?}: {line}");
            vendor.faults().clear_all();
            assert_eq!(next_two(&gateway).await, ["First", "Second"], "{fault:?}");
        }
    }
}

/// Nor is there another try for it when it goes while a vendor's error is still coming in.
#[tokio::test(flavor = "multi_thread")]
async fn not_after_an_error_whose_client_has_gone_meanwhile() {
    let error = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 1000\r\n\r\nhalf of it";
    let first = RawVendor::start(&[Step::Read, Step::Send(error), Step::Hang]).await;
    let second = TcpListener::bind("127.0.0.1:0").unwrap();
    second.set_nonblocking(true).unwrap();
    let urls = [first.address(), second.local_addr().unwrap()];
    let gateway = gateway(&urls.map(|address| format!("url: 'http://{address}/v1'")), "");
    let mut client = Client::http1(gateway.address()).await;
    let asking = tokio::spawn(async move { client.begin(post(PATH, None, chat("any"))).await });
    // The error's header has come when its pair is suspended.
    while !gateway.log().contains("is suspended for") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    asking.abort();
    gateway.access_line();
    assert!(second.accept().is_err(), "the second pair was connected to");
}

/// A request for a stream.
fn streamed() -> http::Request<Body> {
    post(PATH, None, json!({"model": "any", "stream": true, "messages": []}).to_string())
}

/// The endpoint's own timeouts are longer than any test would wait.
#[tokio::test(flavor = "multi_thread")]
async fn after_the_policys_timeouts_where_it_has_its_own() {
    let long = "connect_timeout: 1h, first_byte_timeout: 1h, idle_timeout: 1h";
    let second = vendor().await;
    for (place, policy) in [
        (Place::FullQueue, "connect_timeout: 150ms"),
        (Place::Mock(|| Fault::Hang), "first_byte_timeout: 150ms"),
        (Place::Mock(|| Fault::StallAfterHeaders), "idle_timeout: 150ms"),
    ] {
        let site = Site::open(&place).await;
        site.switch();
        let gateway = gateway(&[format!("url: '{}', {long}", site.url), at(&second)], policy);
        let answer = Client::http1(gateway.address()).await.send(streamed()).await;
        assert_eq!(tries(&answer), "First=timeout, Second=200", "{policy}");
    }
    // It may be the longer, too.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let slow = Options { latency: Duration::from_millis(200), ..Options::default() };
    let slow = MockVendor::start(listener, slow).await.unwrap();
    let impatient = format!("{}, first_byte_timeout: 50ms", at(&slow));
    assert_eq!(
        tries(&ask(&gateway(&[impatient.clone(), at(&second)], "")).await),
        "First=timeout, Second=200"
    );
    let patient = gateway(&[impatient, at(&second)], "first_byte_timeout: 1h");
    assert_eq!(tries(&ask(&patient).await), "First=200");
}

/// `commit: first_byte` holds a stream's header back, `commit: headers` does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_streams_header_waits_for_its_first_event_unless_told_not_to() {
    let vendor = vendor().await;
    vendor.faults().set(MODELS[0], Fault::StallAfterHeaders);
    let gateway = on(&vendor, 2, "commit: headers");
    let answer = Client::http1(gateway.address()).await.begin(streamed()).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["x-evenkeel-endpoint"], "First");
}
