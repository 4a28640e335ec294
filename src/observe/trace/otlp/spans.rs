//! The span of a request and those of its tries.
//!
//! The names are those of OpenTelemetry's semantic conventions: for HTTP, stable, as of version 1.44; for generative AI,
//! still in development (`docs/tracing.md` says more). What they have no name for begins with `evenkeel.`.

use crate::observe::trace::{Answered, Attempted, TRACESTATE, TraceParent};
use http::HeaderMap;
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId,
    TraceState, Tracer,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SdkTracer, Span};

/// The span of a request: `SERVER`, the child of the client's.
#[derive(Debug, Default)]
pub struct RequestSpan(Option<Open>);

/// The span of a try: `CLIENT`, the child of the request's. It ends when it is dropped, if not before.
#[derive(Debug, Default)]
pub struct AttemptSpan(Option<Open>);

/// A span that has begun.
#[derive(Debug)]
struct Open {
    tracer: SdkTracer,
    span: Span,
    /// Whether the client says that the trace's id is random.
    random: bool,
}

impl Open {
    fn context(&self) -> Option<TraceParent> {
        let context = self.span.span_context();
        let trace = u128::from_be_bytes(context.trace_id().to_bytes());
        let span = u64::from_be_bytes(context.span_id().to_bytes());
        TraceParent::new(trace, span, context.is_sampled(), self.random)
    }

    /// The span's own bounded name, and what it tells.
    fn tell(&mut self, name: String, attributes: impl IntoIterator<Item = Option<KeyValue>>) {
        self.span.update_name(name);
        self.span.set_attributes(attributes.into_iter().flatten());
    }

    fn fail(&mut self, why: impl Into<opentelemetry::Value>) {
        self.span.set_attribute(KeyValue::new("error.type", why));
        self.span.set_status(Status::error(""));
    }
}

impl RequestSpan {
    /// Begins a span. Whether it is recorded is the client's decision, unless `OTEL_TRACES_SAMPLER` asks for another.
    pub fn begin(tracer: &SdkTracer, client: Option<TraceParent>, headers: &HeaderMap) -> Self {
        let parent = client.map(|client| remote(client, headers));
        let context =
            parent.map_or_else(Context::new, |parent| Context::new().with_remote_span_context(parent));
        let builder = SpanBuilder::from_name("request").with_kind(SpanKind::Server);
        let span = tracer.build_with_context(builder, &context);
        let random = client.is_some_and(|client| client.is_random());
        Self(Some(Open { tracer: tracer.clone(), span, random }))
    }

    /// Its place in the trace; `None` if there is no span.
    pub fn context(&self) -> Option<TraceParent> {
        self.0.as_ref()?.context()
    }

    /// Begins the span of a try.
    pub fn attempt<'a>(&self, facts: impl FnOnce() -> Attempted<'a>) -> AttemptSpan {
        let Some(request) = &self.0 else {
            return AttemptSpan::default();
        };
        let context = Context::new().with_remote_span_context(request.span.span_context().clone());
        let builder = SpanBuilder::from_name("attempt").with_kind(SpanKind::Client);
        let span = request.tracer.build_with_context(builder, &context);
        let mut open = Open { tracer: request.tracer.clone(), span, random: request.random };
        if open.span.is_recording() {
            tell_attempt(&mut open, &facts());
        }
        AttemptSpan(Some(open))
    }

    /// Ends it.
    pub fn end<'a>(&mut self, facts: impl FnOnce() -> Answered<'a>) {
        let Some(open) = &mut self.0 else {
            return;
        };
        if open.span.is_recording() {
            tell_request(open, &facts());
        }
        open.span.end();
    }
}

impl AttemptSpan {
    /// Whether it was begun.
    pub fn has_begun(&self) -> bool {
        self.0.is_some()
    }

    /// Its place in the trace; `None` if there is no span.
    pub fn context(&self) -> Option<TraceParent> {
        self.0.as_ref()?.context()
    }

    /// The vendor answered with this status.
    pub fn answered(&mut self, status: u16) {
        let Some(open) = &mut self.0 else {
            return;
        };
        open.span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        if status >= 400 {
            open.fail(status.to_string());
        }
    }

    /// It failed: `connect`, `timeout` or `stream`.
    pub fn failed(&mut self, why: &'static str) {
        if let Some(open) = &mut self.0 {
            open.fail(why);
        }
    }

    /// The vendor has counted these tokens.
    pub fn used(&mut self, input_tokens: Option<u64>, output_tokens: Option<u64>) {
        let Some(open) = &mut self.0 else {
            return;
        };
        let counts =
            [("gen_ai.usage.input_tokens", input_tokens), ("gen_ai.usage.output_tokens", output_tokens)];
        for (name, count) in counts {
            if let Some(count) = count.and_then(|count| i64::try_from(count).ok()) {
                open.span.set_attribute(KeyValue::new(name, count));
            }
        }
    }

    /// Ends it.
    pub fn end(&mut self) {
        if let Some(open) = &mut self.0 {
            open.span.end();
        }
    }
}

/// The client's place in its trace, as the SDK has it.
fn remote(client: TraceParent, headers: &HeaderMap) -> SpanContext {
    let flags = TraceFlags::NOT_SAMPLED.with_sampled(client.is_sampled());
    let trace = TraceId::from_bytes(client.trace().number().to_be_bytes());
    let span = SpanId::from_bytes(client.parent().to_be_bytes());
    SpanContext::new(trace, span, flags, true, state(headers))
}

/// What tracing systems before this one have added, all headers together; nothing if they cannot be read.
fn state(headers: &HeaderMap) -> TraceState {
    let values: Option<Vec<_>> =
        headers.get_all(TRACESTATE).iter().map(|value| value.to_str().ok()).collect();
    values.and_then(|values| values.join(",").parse().ok()).unwrap_or_default()
}

fn tell_request(open: &mut Open, request: &Answered<'_>) {
    let method = known_method(request.method);
    let name = match (method, &request.route) {
        (None, None) => "HTTP".to_owned(),
        (None, Some(route)) => format!("HTTP {route}"),
        (Some(method), None) => method.to_owned(),
        (Some(method), Some(route)) => format!("{method} {route}"),
    };
    let text = |name: &'static str, value: &str| KeyValue::new(name, value.to_owned());
    open.tell(
        name,
        [
            Some(KeyValue::new("http.request.method", method.unwrap_or("_OTHER"))),
            method.is_none().then(|| text("http.request.method_original", request.method)),
            request.route.as_deref().map(|route| text("http.route", route)),
            Some(KeyValue::new("url.scheme", request.scheme)),
            Some(text("url.path", request.path)),
            Some(KeyValue::new("network.protocol.version", request.protocol_version)),
            request.status.map(|status| KeyValue::new("http.response.status_code", i64::from(status))),
            Some(text("evenkeel.request_id", request.request_id)),
            request.api.map(|api| text("evenkeel.api", api)),
            request.environment.map(|environment| text("evenkeel.environment", environment)),
            request.error.map(|error| text("evenkeel.error", error)),
        ],
    );
    // A 4xx is the client's error and not that of what serves it.
    if let Some(status) = request.status.filter(|status| *status >= 500) {
        open.fail(request.error.map_or_else(|| status.to_string(), str::to_owned));
    }
}

fn tell_attempt(open: &mut Open, attempt: &Attempted<'_>) {
    let method = known_method(attempt.method);
    let what = attempt.operation.or(method).unwrap_or("HTTP");
    let name = match attempt.model {
        Some(model) => format!("{what} {model}"),
        None => what.to_owned(),
    };
    let text = |name: &'static str, value: &str| KeyValue::new(name, value.to_owned());
    let resent = i64::try_from(attempt.resent).ok().filter(|resent| *resent > 0);
    open.tell(
        name,
        [
            attempt.operation.map(|operation| text("gen_ai.operation.name", operation)),
            Some(text("gen_ai.provider.name", attempt.provider)),
            attempt.model.map(|model| text("gen_ai.request.model", model)),
            Some(KeyValue::new("server.address", attempt.host.clone())),
            Some(KeyValue::new("server.port", i64::from(attempt.port))),
            Some(KeyValue::new("http.request.method", method.unwrap_or("_OTHER"))),
            resent.map(|resent| KeyValue::new("http.request.resend_count", resent)),
            Some(text("evenkeel.endpoint", attempt.endpoint)),
        ],
    );
}

/// The method if it is one of HTTP's own (RFC 9110 and RFC 5789): others are without number, and stand in no name.
fn known_method(method: &str) -> Option<&'static str> {
    const KNOWN: [&str; 9] = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];
    KNOWN.into_iter().find(|known| *known == method)
}
