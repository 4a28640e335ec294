//! The trace that a request belongs to, and the spans that tell of it.
//!
//! A valid `traceparent` of the client's is passed on as it came; where there is none, a trace is begun. That is all
//! without the feature `otlp`: the types that make spans have no size then, and their methods are empty. With it, there is
//! a span for each request and one for each try, exported by OTLP, and the vendor gets the try's id in `traceparent`.

mod facts;
mod parent;

#[cfg(not(feature = "otlp"))]
mod off;
#[cfg(feature = "otlp")]
mod otlp;

pub use facts::{Answered, Attempted};
#[cfg(not(feature = "otlp"))]
pub use off::{AttemptSpan, RequestSpan, Tracing};
#[cfg(feature = "otlp")]
pub use otlp::{AttemptSpan, RequestSpan, Tracing};
pub use parent::{TRACEPARENT, TRACESTATE, TraceId, TraceParent, digits};

use http::{HeaderMap, HeaderValue};

/// The trace that one request belongs to.
#[derive(Debug)]
pub struct Trace {
    place: TraceParent,
    is_clients: bool,
    span: RequestSpan,
}

impl Trace {
    /// The trace that a request with these headers belongs to: the client's, or a new one.
    pub fn begin(headers: &HeaderMap, tracing: &Tracing) -> Self {
        let client = TraceParent::of(headers);
        let span = tracing.request(client, headers);
        let place = span.context().or(client).unwrap_or_else(TraceParent::begin);
        Self { place, is_clients: client.is_some(), span }
    }

    /// Its id.
    pub fn id(&self) -> TraceId {
        self.place.trace()
    }

    /// Whether the client began it. Otherwise a `tracestate` of the client's means nothing.
    pub fn is_clients(&self) -> bool {
        self.is_clients
    }

    /// The `traceparent` that the vendor gets in the place of the client's; `None` if it gets the client's.
    pub fn onward(&self, attempt: &AttemptSpan) -> Option<HeaderValue> {
        let ours = || (!self.is_clients).then_some(self.place);
        attempt.context().or_else(ours).map(|place| place.header())
    }

    /// Begins the span of a try.
    pub fn attempt<'a>(&self, facts: impl FnOnce() -> Attempted<'a>) -> AttemptSpan {
        self.span.attempt(facts)
    }

    /// Ends the span of the request.
    pub fn end<'a>(&mut self, facts: impl FnOnce() -> Answered<'a>) {
        self.span.end(facts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn begin(value: Option<&'static str>) -> Trace {
        let pair = |value| (TRACEPARENT, HeaderValue::from_static(value));
        Trace::begin(&value.map(pair).into_iter().collect(), &Tracing::default())
    }

    #[test]
    fn a_clients_trace_is_gone_on_with() {
        let trace = begin(Some(VALID));
        assert!(trace.is_clients());
        assert_eq!(trace.id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(trace.onward(&AttemptSpan::default()), None);
    }

    #[test]
    fn a_trace_is_begun_where_there_is_none_that_is_valid() {
        for value in [None, Some(""), Some("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")] {
            let trace = begin(value);
            assert!(!trace.is_clients());
            let header = trace.onward(&AttemptSpan::default()).unwrap();
            let sent = TraceParent::parse(header.as_bytes()).unwrap();
            assert_eq!((sent.trace(), sent.is_sampled()), (trace.id(), false), "{value:?}");
            let again = trace.onward(&AttemptSpan::default());
            assert_eq!(again, Some(header), "every try is in the same place");
        }
    }
}
