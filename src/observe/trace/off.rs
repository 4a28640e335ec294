//! No spans: this build has no feature `otlp`. Everything here has no size and does nothing.

use super::{Answered, Attempted, TraceParent};
use http::HeaderMap;

/// What makes spans.
#[derive(Debug, Clone, Default)]
pub struct Tracing(());

/// The span of a request.
#[derive(Debug, Default)]
pub struct RequestSpan(());

/// The span of a try.
#[derive(Debug, Default)]
pub struct AttemptSpan(());

impl Tracing {
    /// What the environment asks for is not looked at.
    #[inline]
    pub fn configured(_variable: impl Fn(&str) -> Option<String>) -> Self {
        Self(())
    }

    /// There is nothing to start.
    #[inline]
    pub fn start(&self) {}

    /// There is nothing to end.
    #[inline]
    pub fn end(&self) {}

    /// The span of a request whose headers tell this place in a trace.
    #[inline]
    pub fn request(&self, _client: Option<TraceParent>, _headers: &HeaderMap) -> RequestSpan {
        RequestSpan(())
    }
}

impl RequestSpan {
    /// It is in no trace.
    #[inline]
    pub fn context(&self) -> Option<TraceParent> {
        None
    }

    /// The span of a try.
    #[inline]
    pub fn attempt<'a>(&self, _facts: impl FnOnce() -> Attempted<'a>) -> AttemptSpan {
        AttemptSpan(())
    }

    /// Nothing is told.
    #[inline]
    pub fn end<'a>(&mut self, _facts: impl FnOnce() -> Answered<'a>) {}
}

impl AttemptSpan {
    /// There is nothing to begin.
    #[inline]
    pub fn has_begun(&self) -> bool {
        true
    }

    /// It is in no trace.
    #[inline]
    pub fn context(&self) -> Option<TraceParent> {
        None
    }

    /// Nothing is told.
    #[inline]
    pub fn answered(&mut self, _status: u16) {}

    /// Nothing is told.
    #[inline]
    pub fn failed(&mut self, _why: &'static str) {}

    /// Nothing is told.
    #[inline]
    pub fn used(&mut self, _input_tokens: Option<u64>, _output_tokens: Option<u64>) {}

    /// Nothing is told.
    #[inline]
    pub fn end(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_no_room() {
        assert_eq!(size_of::<(Tracing, RequestSpan, AttemptSpan)>(), 0);
    }
}
