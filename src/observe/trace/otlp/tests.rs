use super::spans::RequestSpan;
use crate::observe::trace::{Answered, Attempted, TraceParent};
use http::HeaderMap;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use parking_lot::Mutex;
use std::sync::Arc;

/// Keeps what it gets.
#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Kept {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().extend(batch);
        Ok(())
    }
}

impl Kept {
    /// The name and the attributes of a span.
    fn span(&self, place: usize) -> (String, Vec<(String, String)>) {
        let spans = self.0.lock();
        let span = &spans[place];
        let attribute = |pair: &opentelemetry::KeyValue| (pair.key.to_string(), pair.value.to_string());
        (span.name.to_string(), span.attributes.iter().map(attribute).collect())
    }
}

/// The span of a request with this `traceparent`, and where it goes.
fn begin(kept: &Kept, traceparent: &str) -> RequestSpan {
    let provider = SdkTracerProvider::builder().with_simple_exporter(kept.clone()).build();
    let client = TraceParent::parse(traceparent.as_bytes());
    RequestSpan::begin(&provider.tracer("test"), client, &HeaderMap::new())
}

fn attempted() -> Attempted<'static> {
    Attempted {
        operation: Some("embeddings"),
        provider: "openai",
        model: Some("text-embedding-3-small"),
        endpoint: "e",
        host: "api.openai.com".to_owned(),
        port: 443,
        method: "POST",
        resent: 0,
    }
}

fn answered() -> Answered<'static> {
    Answered {
        request_id: "r1",
        method: "POST",
        scheme: "https",
        protocol_version: "1.1",
        path: "/v1/embeddings",
        route: None,
        api: None,
        environment: None,
        status: Some(503),
        error: Some("no_active_endpoints"),
    }
}

const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const UNSAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

#[test]
fn the_tokens_that_a_vendor_counted_are_told() {
    let table = [
        (Some(12), Some(34), "gen_ai.usage.input_tokens=12 gen_ai.usage.output_tokens=34"),
        (Some(12), None, "gen_ai.usage.input_tokens=12"),
        (None, Some(u64::MAX), ""),
    ];
    for (input, output, expected) in table {
        let kept = Kept::default();
        let request = begin(&kept, SAMPLED);
        let mut attempt = request.attempt(attempted);
        attempt.used(input, output);
        attempt.end();
        let (name, attributes) = kept.span(0);
        assert_eq!(name, "embeddings text-embedding-3-small");
        let usage: Vec<_> = attributes.iter().filter(|(key, _)| key.starts_with("gen_ai.usage.")).collect();
        let usage: Vec<_> = usage.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(usage.join(" "), expected);
    }
}

#[test]
fn a_span_ends_once_and_at_the_latest_when_it_is_dropped() {
    let kept = Kept::default();
    let request = begin(&kept, SAMPLED);
    let mut attempt = request.attempt(attempted);
    attempt.end();
    drop(attempt);
    assert_eq!(kept.0.lock().len(), 1);
    drop(request.attempt(attempted));
    assert_eq!(kept.0.lock().len(), 2);
}

#[test]
fn an_error_of_the_gateways_own_is_named() {
    let kept = Kept::default();
    begin(&kept, SAMPLED).end(answered);
    let (name, attributes) = kept.span(0);
    assert_eq!(name, "POST");
    for name in ["evenkeel.error", "error.type"] {
        assert!(attributes.contains(&(name.to_owned(), "no_active_endpoints".to_owned())), "{attributes:?}");
    }
}

#[test]
fn what_is_not_recorded_is_not_asked_for() {
    let kept = Kept::default();
    let mut request = begin(&kept, UNSAMPLED);
    let attempt = request.attempt(|| panic!("the try was asked for"));
    let context = attempt.context().unwrap();
    assert!(!context.is_sampled());
    assert_eq!(context.trace(), TraceParent::parse(UNSAMPLED.as_bytes()).unwrap().trace());
    drop(attempt);
    request.end(|| panic!("the request was asked for"));
    assert!(kept.0.lock().is_empty());
}
