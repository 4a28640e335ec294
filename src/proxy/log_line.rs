//! A request's line in the access log.

use super::context::RequestContext;
use super::{Balancer, respond};
use crate::live::time_of_day;
use crate::observe::access_log::{Entry, Format, seconds};
use crate::observe::trace::Trace;
use http::HeaderValue;
use pingora_proxy::Session;

impl Balancer {
    /// Counts a request that is over, and writes its line.
    pub(super) fn log(&self, session: &Session, ctx: &mut RequestContext) {
        let status = respond::begun(session).map(|status| status.as_u16());
        self.count_request(session, ctx, status);
        let format = ctx.serving.log_format();
        if format == Format::Off {
            return;
        }
        let request = session.req_header();
        let client = session.as_downstream();
        let attempt = ctx.attempt.as_ref();
        let pair = attempt.and_then(|attempt| attempt.pair());
        let response = ctx.response.as_ref();
        let usage = ctx.told.usage().unwrap_or_default();
        self.access_log.write(
            format,
            &Entry {
                time: time_of_day(),
                request_id: ctx.id.as_ref().map_or("", text),
                trace_id: ctx.trace.as_ref().map(Trace::id),
                method: request.method.as_str(),
                path: request.uri.path(),
                api: ctx.api.as_ref().map(|api| api.name()),
                environment: ctx.admitted.as_ref().map(|admitted| admitted.environment.as_str()),
                key: ctx.key.as_ref().map(|key| key.name.as_str()),
                asked_model: ctx.asked_model(),
                model: pair.map(|pair| pair.model.name()),
                response_model: ctx.told.model(),
                endpoint: attempt.map(|attempt| attempt.endpoint.name()),
                status,
                error: ctx.refusal.as_ref().map(|refusal| refusal.code()),
                attempts: ctx.attempts().as_deref(),
                suspended: ctx.suspended,
                vendor_request_id: response.and_then(|r| r.vendor_request_id.as_ref()).map(text),
                first_byte_seconds: response.map(|response| seconds(response.came.since(ctx.began))),
                duration_seconds: seconds(self.clock.now().since(ctx.began)),
                prompt_tokens: usage.prompt,
                completion_tokens: usage.completion,
                cached_tokens: usage.cached,
                total_tokens: usage.total,
                bytes_received: client.body_bytes_read() as u64,
                bytes_sent: client.body_bytes_sent() as u64,
            },
        );
    }
}

fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or("")
}
