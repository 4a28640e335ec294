//! The spans that a build with the feature `otlp` exports.

use super::{CLIENTS, CLIENTS_TRACE, PATH, patient, place, request, values};
use crate::support::{Client, Collector, Gateway, RawVendor, Running, SeenSpan, Step, chat, post, vendor};
use evenkeel::mock::{Fault, MockVendor};
use http::{Method, StatusCode};
use serde_json::json;
use std::time::Duration;

/// A gateway that exports to `collector`.
pub(super) fn gateway(vendor: &MockVendor, collector: &Collector, more: &[(&str, &str)]) -> Running {
    let endpoint = collector.endpoint();
    let mut variables = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
    variables.extend(more);
    Gateway::prepare(&patient(vendor.address())).start_with(&variables)
}

/// The spans of all requests. Nothing but the end of the process makes the exporter send them so soon.
pub(super) fn spans(gateway: Running, collector: &Collector) -> Vec<SeenSpan> {
    gateway.end("TERM");
    collector.spans()
}

/// The spans of one request: its own, and those of its tries in the order in which they began.
fn split(spans: Vec<SeenSpan>) -> (SeenSpan, Vec<SeenSpan>) {
    let (mut requests, mut attempts): (Vec<_>, Vec<_>) = spans.into_iter().partition(|s| s.kind == "server");
    assert_eq!(requests.len(), 1, "{requests:?}");
    attempts.sort_by_key(|span| span.times);
    (requests.remove(0), attempts)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_has_a_span_and_its_try_another_below_it() {
    let (vendor, collector) = (vendor().await, Collector::start().await);
    let gateway = gateway(&vendor, &collector, &[]);
    let mut asked = request(&[("traceparent", CLIENTS), ("tracestate", "a=1"), ("tracestate", "b=2")]);
    asked.headers_mut().insert("x-request-id", "req-1".parse().unwrap());
    *asked.uri_mut() = format!("{PATH}?secret=1").parse().unwrap();
    let answer = Client::http1(gateway.address()).await.send(asked).await;
    let usage = &answer.json()["usage"];
    assert!(usage["prompt_tokens"].is_u64(), "{usage}");
    assert_eq!(gateway.access_line()["trace_id"], CLIENTS_TRACE);
    let (request, attempts) = split(spans(gateway, &collector));
    assert_eq!(request.name, format!("POST {PATH}"));
    assert_eq!(format!("{:032x}", request.trace), CLIENTS_TRACE);
    assert_eq!((request.parent, request.is_error), (0x00f0_67aa_0ba9_02b7, false));
    assert_eq!(
        request.attributes,
        json!({
            "http.request.method": "POST",
            "http.route": PATH,
            "url.scheme": "http",
            "url.path": PATH,
            "network.protocol.version": "1.1",
            "http.response.status_code": 200,
            "evenkeel.request_id": "req-1",
            "evenkeel.api": "SmartChat",
            "evenkeel.environment": "production",
        })
    );
    let [attempt] = &attempts[..] else {
        panic!("not one try: {attempts:?}");
    };
    assert_eq!((attempt.name.as_str(), attempt.kind), ("chat open-mistral-7b", "client"));
    assert_eq!((attempt.trace, attempt.parent, attempt.is_error), (request.trace, request.id, false));
    assert!(request.times.0 <= attempt.times.0 && attempt.times.1 <= request.times.1);
    assert_eq!(
        attempt.attributes,
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "mistral_ai",
            "gen_ai.request.model": "open-mistral-7b",
            "server.address": "127.0.0.1",
            "server.port": vendor.address().port(),
            "http.request.method": "POST",
            "http.response.status_code": 200,
            "gen_ai.usage.input_tokens": usage["prompt_tokens"],
            "gen_ai.usage.output_tokens": usage["completion_tokens"],
            "evenkeel.endpoint": "The Endpoint",
        })
    );
    let seen = vendor.requests().remove(0);
    let place = place(&seen);
    assert_eq!((place.trace().number(), place.parent()), (attempt.trace, attempt.id));
    assert!(place.is_sampled());
    assert_eq!(values(&seen, "tracestate"), ["a=1", "b=2"]);
    assert_eq!((request.trace_state.as_str(), attempt.trace_state.as_str()), ("a=1,b=2", "a=1,b=2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_try_has_a_span_that_says_what_came_of_it() {
    let (vendor, collector) = (vendor().await, Collector::start().await);
    vendor.faults().set("open-mistral-7b", Fault::status(StatusCode::TOO_MANY_REQUESTS));
    vendor.faults().set("mistral-small", Fault::CloseBeforeHeaders);
    let gateway = gateway(&vendor, &collector, &[]);
    let answer = Client::http2(gateway.address()).await.send(request(&[])).await;
    assert_eq!(answer.status, 200);
    let logged = gateway.access_line()["trace_id"].as_str().unwrap().to_owned();
    let (request, attempts) = split(spans(gateway, &collector));
    assert_eq!((format!("{:032x}", request.trace), request.parent), (logged, 0));
    assert_eq!(request.attributes["network.protocol.version"], "2");
    let told: Vec<_> = attempts
        .iter()
        .map(|span| {
            let of = |name: &str| span.attributes.get(name).cloned().unwrap_or_default();
            let (status, error) = (of("http.response.status_code"), of("error.type"));
            (span.name.as_str(), status, error, of("http.request.resend_count"), span.is_error)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("chat open-mistral-7b", json!(429), json!("429"), json!(null), true),
            ("chat mistral-small", json!(null), json!("connect"), json!(1), true),
            ("chat mistral-medium", json!(200), json!(null), json!(2), false),
        ]
    );
    assert!(attempts.iter().all(|span| (span.trace, span.parent) == (request.trace, request.id)));
    assert!(
        attempts.is_sorted_by(|one, next| one.times.1 <= next.times.0),
        "one ends before the next begins"
    );
    let sent: Vec<_> = vendor.requests().iter().map(|seen| place(seen).parent()).collect();
    assert_eq!(sent, attempts.iter().map(|span| span.id).collect::<Vec<_>>());
}

/// The vendor accepts no connection, says nothing, or breaks off within a stream.
#[tokio::test(flavor = "multi_thread")]
async fn a_try_that_ends_without_a_whole_answer_says_why() {
    const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 999\r\n\r\n";
    let table: [(&[Step], _, _); 3] = [
        (&[Step::Read], "connect", (Some(502), Some("upstream_unreachable"))),
        (&[Step::Hang], "timeout", (Some(504), Some("upstream_timeout"))),
        (
            &[
                Step::Read,
                Step::Send(STREAM),
                Step::Send("data: {}\n\n"),
                Step::Pause(Duration::from_millis(50)),
            ],
            "stream",
            (Some(200), None),
        ),
    ];
    for (steps, error, (status, code)) in table {
        let (vendor, collector) = (RawVendor::start(steps).await, Collector::start().await);
        let endpoint = collector.endpoint();
        let apis = patient(vendor.address()).replace("credential:", "first_byte_timeout: 300ms, credential:");
        let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
        let gateway = Gateway::prepare(&apis.replace("suspend_duration: 30", "retry: { attempts: 0 }"))
            .start_with(&variables);
        let mut client = Client::http1(gateway.address()).await;
        let answer = client.begin(request(&[])).await;
        assert_eq!(Some(answer.status().as_u16()), status);
        gateway.access_line();
        let (request, attempts) = split(spans(gateway, &collector));
        assert_eq!((&attempts[0].attributes["error.type"], attempts[0].is_error), (&json!(error), true));
        assert_eq!(request.attributes["http.response.status_code"].as_u64(), status.map(u64::from));
        assert_eq!(request.attributes.get("evenkeel.error").and_then(|code| code.as_str()), code);
        assert_eq!(request.is_error, code.is_some());
        assert_eq!(request.attributes.get("error.type").and_then(|code| code.as_str()), code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_few_whatever_clients_send() {
    let (vendor, collector) = (vendor().await, Collector::start().await);
    let gateway = gateway(&vendor, &collector, &[]);
    for (method, path) in [("GET", "/smartchat/files/a"), ("BREW", "/smartchat/files/b"), ("POST", "/x/y")] {
        let mut request = post(path, None, "");
        *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
        Client::http1(gateway.address()).await.send(request).await;
    }
    let mut told: Vec<_> = spans(gateway, &collector)
        .into_iter()
        .map(|span| {
            let method = span.attributes["http.request.method"].as_str().unwrap().to_owned();
            let original = span.attributes.get("http.request.method_original").cloned();
            (span.name, span.kind, method, original, span.is_error)
        })
        .collect();
    told.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
    // A 404 is an error of whoever asked: of the try, which asked the vendor, and not of the request, which was asked.
    let line = |name: &str, kind, method: &str, original: Option<&str>| {
        (name.to_owned(), kind, method.to_owned(), original.map(|original| json!(original)), kind == "client")
    };
    assert_eq!(
        told,
        [
            line("GET", "client", "GET", None),
            line("HTTP", "client", "_OTHER", None),
            line("GET /smartchat/files/*", "server", "GET", None),
            line("HTTP /smartchat/files/*", "server", "_OTHER", Some("BREW")),
            line("POST", "server", "POST", None),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_client_does_not_record_is_not_recorded() {
    const UNSAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02";
    const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03";
    // The sampler, what the client sends, how many spans there are, the flags that the vendor gets.
    let table = [
        (None, Some(UNSAMPLED), 0, "02"),
        (None, Some(SAMPLED), 2, "03"),
        (None, None, 2, "01"),
        (Some("parentbased_always_off"), None, 0, "00"),
        (Some("parentbased_always_off"), Some(SAMPLED), 2, "03"),
        (Some("always_off"), Some(SAMPLED), 0, "02"),
        (Some("always_on"), Some(UNSAMPLED), 2, "03"),
    ];
    for (sampler, header, expected, flags) in table {
        let (vendor, collector) = (vendor().await, Collector::start().await);
        let more: Vec<_> = sampler.map(|sampler| ("OTEL_TRACES_SAMPLER", sampler)).into_iter().collect();
        let gateway = gateway(&vendor, &collector, &more);
        let headers: Vec<_> = header.map(|header| ("traceparent", header)).into_iter().collect();
        Client::http1(gateway.address()).await.send(request(&headers)).await;
        let trace = gateway.access_line()["trace_id"].as_str().unwrap().to_owned();
        let seen = vendor.requests().remove(0);
        let value = values(&seen, "traceparent")[0].to_owned();
        assert!(value.starts_with(&format!("00-{trace}-")) && value.ends_with(flags), "{value}");
        assert_ne!(Some(value.as_str()), header, "the vendor's parent is the try");
        assert!(header.is_none_or(|_| trace == CLIENTS_TRACE), "{trace}");
        assert_eq!(spans(gateway, &collector).len(), expected, "{sampler:?} {header:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_hold_nothing_secret() {
    let (vendor, collector) = (vendor().await, Collector::start().await);
    let prepared = Gateway::prepare(&patient(vendor.address()).replace("authentication: none", ""));
    let key = prepared.key("team-a", "production", &[]);
    let endpoint = collector.endpoint();
    let gateway = prepared.start_with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    let body = chat("secret-model").replace("Hello", "secret-content");
    for (fault, key) in
        [(None, &*key), (Some(Fault::CloseBeforeHeaders), &*key), (None, "ek_prod_secret-guess")]
    {
        vendor.faults().clear_all();
        fault.into_iter().for_each(|fault| vendor.faults().set_all(fault));
        let path = format!("{PATH}?key=secret-query");
        Client::http1(gateway.address()).await.send(post(&path, Some(key), body.clone())).await;
    }
    let spans = spans(gateway, &collector);
    assert!(spans.len() > 5, "{spans:?}");
    let text = collector.text();
    assert!(text.contains("SmartChat") && !text.contains("secret"), "{text}");
    assert!(!text.contains(&key["ek_prod_".len()..]), "{text}");
}
