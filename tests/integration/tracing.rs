//! The trace of a request: passed on, or begun. What is here holds of every build, the rest of one with `otlp`.

#[cfg(feature = "otlp")]
mod exporting;
#[cfg(feature = "otlp")]
mod spans;

use crate::support::{Body, Client, Gateway, Running, chat, post, vendor};
use evenkeel::mock::{Fault, MockVendor, SeenRequest};
use evenkeel::observe::trace::TraceParent;
use http::{HeaderName, HeaderValue, Request, StatusCode};
use std::net::SocketAddr;

const PATH: &str = "/smartchat/chat/completions";
const CLIENTS: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const CLIENTS_TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Three pairs on one vendor, and an operation without a policy.
fn apis(vendor: SocketAddr) -> String {
    format!(
        "
  - name: SmartChat
    context: /smartchat
    vendor: mistral
    authentication: none
    endpoints:
      production: [{{ name: The Endpoint, url: 'http://{vendor}/v1', credential: sk-secret-of-the-endpoint }}]
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_round_robin
          production: [{{ model: open-mistral-7b }}, {{ model: mistral-small }}, {{ model: mistral-medium }}]
          suspend_duration: 30
      - {{ method: '*', path: '/files/*' }}
"
    )
}

/// The same, in a process that ends when its requests are over: a client has its answer before that.
fn patient(vendor: SocketAddr) -> String {
    apis(vendor) + "server: { threads: 2, graceful_shutdown_timeout_seconds: 10 }\n"
}

fn gateway(vendor: &MockVendor) -> Running {
    Gateway::start(&patient(vendor.address()))
}

/// A request with these headers.
fn request(headers: &[(&'static str, &'static str)]) -> Request<Body> {
    let mut request = post(PATH, None, chat("any"));
    for (name, value) in headers {
        request.headers_mut().append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    request
}

fn values<'a>(seen: &'a SeenRequest, name: &str) -> Vec<&'a str> {
    seen.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
}

/// The place in a trace that the vendor was told.
fn place(seen: &SeenRequest) -> TraceParent {
    let [value] = values(seen, "traceparent")[..] else {
        panic!("not one traceparent: {:?}", seen.headers);
    };
    TraceParent::parse(value.as_bytes()).unwrap_or_else(|| panic!("{value}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_valid_traceparent_reaches_the_vendor_as_it_came() {
    let vendor = vendor().await;
    let gateway = gateway(&vendor);
    for value in [
        CLIENTS,
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff",
        "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes",
    ] {
        for http2 in [false, true] {
            let mut client = match http2 {
                false => Client::http1(gateway.address()).await,
                true => Client::http2(gateway.address()).await,
            };
            let headers =
                [("traceparent", value), ("tracestate", "a=1, b=2"), ("tracestate", "\tc=3,not a member")];
            assert_eq!(client.send(request(&headers)).await.status, 200);
            let seen = vendor.requests().pop().unwrap();
            assert_eq!(values(&seen, "traceparent"), [value]);
            assert_eq!(values(&seen, "tracestate"), ["a=1, b=2", "c=3,not a member"]);
            assert_eq!(gateway.access_line()["trace_id"], CLIENTS_TRACE);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_valid_one_a_trace_is_begun_and_the_tracestate_dropped() {
    let vendor = vendor().await;
    let gateway = gateway(&vendor);
    let table: [&[(&str, &str)]; 5] = [
        &[],
        &[("traceparent", "")],
        &[("traceparent", "00-00000000000000000000000000000000-00f067aa0ba902b7-01")],
        &[("traceparent", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01")],
        &[("traceparent", CLIENTS), ("traceparent", CLIENTS)],
    ];
    let mut traces = Vec::new();
    for headers in table {
        let mut headers = headers.to_vec();
        headers.push(("tracestate", "a=1"));
        let mut client = Client::http1(gateway.address()).await;
        assert_eq!(client.send(request(&headers)).await.status, 200);
        let seen = vendor.requests().pop().unwrap();
        let place = place(&seen);
        assert!(!place.is_sampled(), "nobody records it");
        assert!(values(&seen, "tracestate").is_empty(), "{headers:?}");
        let trace = place.trace().to_string();
        assert_eq!(gateway.access_line()["trace_id"], trace.as_str());
        traces.push(trace);
    }
    traces.push(CLIENTS_TRACE.to_owned());
    traces.sort();
    traces.dedup();
    assert_eq!(traces.len(), 6, "each is a trace of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_try_of_a_request_is_in_the_same_trace() {
    let vendor = vendor().await;
    let gateway = gateway(&vendor);
    for (headers, trace) in [(&[("traceparent", CLIENTS)][..], Some(CLIENTS_TRACE)), (&[], None)] {
        vendor.faults().set("open-mistral-7b", Fault::status(StatusCode::INTERNAL_SERVER_ERROR));
        vendor.faults().set("mistral-small", Fault::CloseBeforeHeaders);
        let before = vendor.requests().len();
        let mut client = Client::http1(gateway.address()).await;
        let answer = client.send(request(headers)).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-evenkeel-model")), (200, "mistral-medium"));
        let line = gateway.access_line();
        let told = line["trace_id"].as_str().unwrap();
        assert!(trace.is_none_or(|trace| trace == told), "{line}");
        let places: Vec<_> = vendor.requests().iter().skip(before).map(place).collect();
        let tries = if trace.is_some() { 3 } else { 1 };
        assert_eq!(places.len(), tries, "the pairs that failed are suspended by the second request");
        assert!(places.iter().all(|place| place.trace().to_string() == told), "{places:?} {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_refused_has_its_trace_in_the_log() {
    let vendor = vendor().await;
    let gateway = gateway(&vendor);
    let mut refused = request(&[("traceparent", CLIENTS)]);
    *refused.uri_mut() = "/nowhere".parse().unwrap();
    let answer = Client::http1(gateway.address()).await.send(refused).await;
    assert_eq!(answer.status, 404);
    assert_eq!(gateway.access_line()["trace_id"], CLIENTS_TRACE);
}
