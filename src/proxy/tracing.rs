//! A request's trace: what its spans tell, and what the vendor gets of it.

use super::context::{Attempt, RequestContext};
use super::respond;
use crate::balance::Outcome;
use crate::observe::trace::{Answered, AttemptSpan, Attempted, TRACEPARENT, TRACESTATE, Trace};
use crate::vendor::conventions;
use http::{Method, Version};
use pingora_core::Result;
use pingora_http::RequestHeader;
use pingora_proxy::Session;

/// Begins the span of a try, unless the try goes on with another connection.
pub fn begin_attempt(session: &Session, ctx: &mut RequestContext) {
    let (Some(trace), Some(attempt)) = (&ctx.trace, &mut ctx.attempt) else {
        return;
    };
    if attempt.span.has_begun() {
        return;
    }
    let span = trace.attempt(|| {
        let request = session.req_header();
        let url = attempt.endpoint.url();
        Attempted {
            operation: operation(request),
            provider: conventions::provider(&attempt.endpoint.vendor().name),
            model: attempt.pair().map(|pair| pair.model.name()),
            endpoint: attempt.endpoint.name(),
            host: url.host().to_string(),
            port: url.port(),
            method: request.method.as_str(),
            resent: ctx.trail.tries().len().saturating_sub(1),
        }
    });
    attempt.span = span;
}

/// Sets the headers that tell the vendor of the trace, where they are not to be the client's.
pub fn pass_on(request: &mut RequestHeader, trace: Option<&Trace>, attempt: &Attempt) -> Result<()> {
    let Some(trace) = trace else {
        return Ok(());
    };
    if !trace.is_clients() {
        request.remove_header(&TRACESTATE);
    }
    match trace.onward(&attempt.span) {
        Some(value) => request.insert_header(TRACEPARENT, value),
        None => Ok(()),
    }
}

/// Tells what came of a try without an answer; what the vendor answered is told when it comes.
pub fn tell(span: &mut AttemptSpan, outcome: Outcome) {
    match outcome {
        Outcome::Connect | Outcome::Timeout | Outcome::Stream => {
            span.failed(outcome.name().unwrap_or_default());
        }
        Outcome::Status(_) | Outcome::Quota => {}
    }
}

/// Ends the spans of a request that is over.
pub fn end(session: &Session, ctx: &mut RequestContext) {
    if let Some(attempt) = &mut ctx.attempt {
        if let Some(usage) = ctx.told.usage() {
            attempt.span.used(usage.prompt.map(u64::from), usage.completion.map(u64::from));
        }
        attempt.span.end();
    }
    let Some(mut trace) = ctx.trace.take() else {
        return;
    };
    trace.end(|| answered(session, ctx));
    ctx.trace = Some(trace);
}

fn answered<'a>(session: &'a Session, ctx: &'a RequestContext) -> Answered<'a> {
    let request = session.req_header();
    let encrypted = session.digest().is_some_and(|digest| digest.ssl_digest.is_some());
    let route = ctx.api.as_ref().zip(ctx.admitted.as_ref());
    Answered {
        request_id: ctx.id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default(),
        method: request.method.as_str(),
        scheme: if encrypted { "https" } else { "http" },
        protocol_version: version(request.version),
        path: request.uri.path(),
        route: route
            .map(|(api, admitted)| format!("{}{}", api.context().as_str(), admitted.operation.path())),
        api: ctx.api.as_ref().map(|api| api.name()),
        environment: ctx.admitted.as_ref().map(|admitted| admitted.environment.as_str()),
        status: respond::begun(session).map(|status| status.as_u16()),
        error: ctx.refusal.as_ref().map(|refusal| refusal.code()),
    }
}

/// What is asked of the model, in the conventions' words.
pub fn operation(request: &RequestHeader) -> Option<&'static str> {
    (request.method == Method::POST).then(|| conventions::operation(request.uri.path())).flatten()
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => "1.1",
    }
}
