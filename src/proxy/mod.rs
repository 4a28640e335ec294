//! The proxy itself: Pingora's hooks, each a few lines that call what the other rooms know.

mod admission;
mod attempts;
mod body;
mod context;
mod deadline;
mod failure;
mod forward;
mod gate;
mod headers;
mod hooks;
mod log_line;
mod measure;
mod models;
mod passing;
mod place;
mod refusal;
mod respond;
mod session;
mod stopwatch;
mod told;
mod tracing;

pub use refusal::{KeyFault, Refusal};

use crate::balance::Trail;
use crate::live::{Clock, Live};
use crate::observe::access_log::AccessLog;
use crate::observe::trace::Tracing;
use crate::splice;
use context::{Admitted, Destination, RequestBody, RequestContext};
use deadline::Deadline;
use pingora_proxy::Session;
use place::{BodyPlace, Looked};
use session::{Replay, Wrapped};
use std::sync::Arc;

/// How many dead pooled connections one try may meet before a vendor that closes every connection counts as failed.
const STALE_CONNECTIONS: u8 = 2;

/// How many times Pingora may be asked to try one request: more than the tries that a policy can allow, each with its
/// addresses and dead connections.
pub const MAX_TRIES: usize = 128;

/// The load balancer.
pub struct Balancer {
    live: Arc<Live>,
    access_log: Arc<AccessLog>,
    tracing: Tracing,
    clock: Clock,
}

impl Balancer {
    /// A balancer that serves what is live, and writes a line of each request to `access_log` and its spans to `tracing`.
    pub fn new(live: Arc<Live>, access_log: Arc<AccessLog>, tracing: Tracing) -> Self {
        Self { live, access_log, tracing, clock: Clock }
    }

    /// Remembers the client's connection, if this is its first request.
    fn note_connection(&self, session: &Session) {
        let Some(digest) = session.as_downstream().digest() else {
            return;
        };
        let drain = self.live.drain();
        let first = digest.socket_digest.as_ref().is_some_and(|socket| drain.request_on(socket));
        if first && digest.ssl_digest.is_some() {
            drain.handshake_done();
        }
    }

    /// Decides where the request goes, and reads its body if the model is to be replaced in it, or its bytes to be signed.
    async fn receive(&self, session: &mut Session, ctx: &mut RequestContext) -> Result<(), body::ReadError> {
        let admitted = self.admit(session, ctx).map_err(body::ReadError::Refused)?;
        let admitted = &*ctx.admitted.insert(admitted);
        let looked_for = match &admitted.destination {
            Destination::Balanced(pairs) => {
                let api = ctx.api.as_ref().ok_or(body::ReadError::Refused(Refusal::Internal))?;
                let looked = place::look(session.req_header(), api.vendor(), pairs, admitted.context_len);
                let Looked { asked, place } = looked.map_err(body::ReadError::Refused)?;
                ctx.asked = asked;
                Some(place)
            }
            Destination::Primary(endpoint) if endpoint.is_signed() => Some(BodyPlace::Nowhere),
            Destination::Primary(_) | Destination::Models => None,
        };
        if expects_continue(session) {
            let client = session.as_downstream_mut();
            // Pingora would take the answer for a final one, and close the connection after it.
            client.set_close_on_response_before_downstream_finish(false);
            client.write_continue_response().await.map_err(|e| body::ReadError::Broken(e.into_down()))?;
            client.set_close_on_response_before_downstream_finish(true);
        }
        if let Some(looked_for) = looked_for {
            ctx.body = self.read_body(session, ctx, looked_for).await?;
        }
        Ok(())
    }

    fn admit(&self, session: &Session, ctx: &mut RequestContext) -> Result<Admitted, Refusal> {
        let raw = session.as_downstream().as_http1().map(|http1| http1.get_headers_raw_bytes());
        let keys = self.live.keys();
        let serving = Arc::clone(&ctx.serving);
        admission::admit(&serving.gateway, &keys, session.req_header(), raw.as_deref(), ctx)
    }

    async fn read_body(
        &self,
        session: &mut Session,
        ctx: &mut RequestContext,
        looked_for: BodyPlace,
    ) -> Result<RequestBody, body::ReadError> {
        let promised = admission::content_length(&session.req_header().headers);
        // Also where its model is not looked for in it. Without a policy it is read to be signed as it is. What a request
        // without a body says of one is nobody's business.
        let coding = match ctx.is_balanced() && !session.as_downstream_mut().is_body_empty() {
            true => headers::coding(&session.req_header().headers)
                .map_err(|error| body::ReadError::Refused(Refusal::UnsupportedContentEncoding(error)))?,
            false => None,
        };
        let limit = ctx.serving.gateway.request_body_limit();
        ctx.stopwatch.stop(self.clock.now());
        let received = body::read_whole(session.as_downstream_mut(), promised, limit, coding).await?;
        ctx.decoded = coding.is_some();
        let now = self.clock.now();
        ctx.stopwatch.start(now);
        // A slow upload is not held against the tries.
        ctx.trail = Trail::new(now);
        let text = received.buffer.get(received.begin..).unwrap_or_default();
        let found = looked_for.find(text);
        let told = |refusal: Refusal| refusal.told_of(headers::form(&session.req_header().headers));
        let place = found.map_err(|refusal| body::ReadError::Refused(told(refusal)))?;
        if !body::will_be_replayed(session.as_downstream(), received.sent) {
            self.wrap(session, ctx, Replay::Body);
        }
        Ok(RequestBody::Whole(splice::Body::new(received.buffer, received.begin, place)))
    }

    /// Puts a stand-in in the place of the client's session.
    fn wrap(&self, session: &mut Session, ctx: &mut RequestContext, replay: Replay) {
        let deadline = Deadline::new();
        let (watch, gate) = (deadline.watch(), ctx.gate.clone());
        let drain = Arc::clone(self.live.drain());
        ctx.wrapped = Some(Wrapped::wrap(&mut session.downstream_session, replay, watch, gate, drain));
        ctx.deadline = Some(deadline);
    }

    fn ensure_wrapped(&self, session: &mut Session, ctx: &mut RequestContext) {
        if ctx.wrapped.is_none() {
            self.wrap(session, ctx, Replay::Clients);
        }
    }

    /// Sets the deadline of the try, if Pingora does not keep it.
    fn set_deadline(&self, ctx: &RequestContext, after: Option<std::time::Duration>) {
        let Some(deadline) = &ctx.deadline else {
            return;
        };
        deadline.set(after.map(|after| self.clock.instant(after)));
    }
}

fn expects_continue(session: &Session) -> bool {
    let expect = session.req_header().headers.get(http::header::EXPECT);
    expect.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}
