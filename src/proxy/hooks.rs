//! Pingora's hooks.

use super::attempts::may_try_another;
use super::body::ReadError;
use super::context::{RequestBody, RequestContext};
use super::gate::Kept;
use super::refusal::Refusal;
use super::session::Replay;
use super::told::Told;
use super::{Balancer, attempts, body, deadline, failure, forward, models, respond, tracing};
use crate::balance::Outcome;
use crate::upstream::Holder;
use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use pingora_core::modules::http::HttpModules;
use pingora_core::protocols::Digest;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_core::{Error, Result};
use pingora_http::{RequestHeader, ResponseHeader};
use pingora_proxy::{FailToProxy, ProxyHttp, ProxyWarnLogContext, Session};
use std::time::Duration;

#[async_trait]
impl ProxyHttp for Balancer {
    type CTX = RequestContext;

    /// Called when a request's header has been read, not when its connection begins to wait for it.
    fn new_ctx(&self) -> RequestContext {
        RequestContext::new(self.live.current(), self.live.drain().request(), self.clock.now())
    }

    /// Nothing is compressed or otherwise changed on its way.
    fn init_downstream_modules(&self, _modules: &mut HttpModules) {}

    async fn early_request_filter(&self, session: &mut Session, ctx: &mut RequestContext) -> Result<()> {
        self.note_connection(session);
        ctx.begin(&session.req_header().headers, &self.tracing);
        Ok(())
    }

    async fn request_filter(&self, session: &mut Session, ctx: &mut RequestContext) -> Result<bool> {
        match self.receive(session, ctx).await {
            Ok(()) if ctx.is_for_models() => models::answer(session, ctx).await.map(|()| true),
            Ok(()) => Ok(false),
            Err(ReadError::Broken(error)) => Err(error),
            Err(ReadError::Refused(refusal)) => {
                respond::refuse(session, ctx, refusal).await?;
                Ok(true)
            }
        }
    }

    async fn upstream_peer(&self, session: &mut Session, ctx: &mut RequestContext) -> Result<Box<HttpPeer>> {
        let now = self.clock.now();
        ctx.stopwatch.start(now);
        if let Err(refusal) = self.next_attempt(session, ctx, now) {
            ctx.refusal = Some(refusal);
            return Err(failure::refused());
        }
        tracing::begin_attempt(session, ctx);
        let Some(mut attempt) = ctx.attempt.take() else {
            return Err(failure::refused());
        };
        if attempt.timeouts.first_byte != attempt.timeouts.idle && ctx.wrapped.is_none() {
            self.wrap(session, ctx, Replay::Clients);
        }
        ctx.stopwatch.stop(self.clock.now());
        let peer = self.peer(&ctx.serving, &mut attempt).await;
        ctx.attempt = Some(attempt);
        peer.map_err(|outcome| {
            let now = self.clock.now();
            self.report(ctx, outcome, None, now);
            ctx.refusal = Some(Refusal::UpstreamUnreachable);
            let mut error = failure::refused();
            error.set_retry(may_try_another(session, ctx, outcome, now));
            error
        })
    }

    async fn connected_to_upstream(
        &self,
        _session: &mut Session,
        _reused: bool,
        _peer: &HttpPeer,
        _descriptor: std::os::unix::io::RawFd,
        digest: Option<&Digest>,
        ctx: &mut RequestContext,
    ) -> Result<()> {
        ctx.stopwatch.start(self.clock.now());
        if let RequestBody::Whole(_) = ctx.body
            && let Some(holder) = Holder::of(digest)
        {
            holder.hold();
        }
        let timeouts = ctx.attempt.as_ref().map(|attempt| attempt.timeouts);
        self.set_deadline(ctx, timeouts.and_then(deadline::before_first_byte));
        Ok(())
    }

    async fn upstream_request_filter(
        &self,
        _session: &mut Session,
        request: &mut RequestHeader,
        ctx: &mut RequestContext,
    ) -> Result<()> {
        let (Some(api), Some(admitted), Some(attempt)) = (&ctx.api, &ctx.admitted, &mut ctx.attempt) else {
            return Err(failure::refused());
        };
        let by_path = forward::rewrite(request, api, attempt, admitted.context_len)?;
        tracing::pass_on(request, ctx.trace.as_ref(), attempt)?;
        attempt.outgoing = attempt.body_of(&mut ctx.body, by_path);
        if let Some(body) = &attempt.outgoing {
            forward::set_length(request, body.len(), ctx.decoded)?;
        }
        if attempt.endpoint.is_signed() {
            forward::sign(request, attempt).await?;
        }
        ctx.stopwatch.stop(self.clock.now());
        Ok(())
    }

    async fn request_body_filter(
        &self,
        _session: &mut Session,
        body: &mut Option<Bytes>,
        end_of_stream: bool,
        ctx: &mut RequestContext,
    ) -> Result<()> {
        let limit = ctx.serving.gateway.request_body_limit();
        match body::outgoing(ctx, body, end_of_stream, limit) {
            Ok(()) => Ok(()),
            Err(refusal) => {
                ctx.refusal = Some(refusal);
                Err(failure::refused())
            }
        }
    }

    async fn upstream_response_filter(
        &self,
        session: &mut Session,
        response: &mut ResponseHeader,
        ctx: &mut RequestContext,
    ) -> Result<()> {
        if response.status.is_informational() {
            return Ok(());
        }
        let now = self.clock.now();
        ctx.stopwatch.start(now);
        respond::note(ctx, response, now);
        if session.req_header().method == Method::HEAD {
            // The header is of a body that does not come.
            ctx.told = Told::Nothing;
        }
        let status = Outcome::Status(response.status.as_u16());
        ctx.end_try(status);
        let outcome = attempts::outcome_of(ctx, response.status, &response.headers);
        self.report(ctx, outcome, Some(&response.headers), now);
        let limit = self.let_on(session, ctx, status, now);
        self.set_deadline(ctx, limit);
        Ok(())
    }

    fn upstream_response_body_filter(
        &self,
        session: &mut Session,
        body: &mut Option<Bytes>,
        _end_of_stream: bool,
        ctx: &mut RequestContext,
    ) -> Result<Option<Duration>> {
        let now = self.clock.now();
        ctx.stopwatch.start(now);
        // An error that is kept has its own time, from its header to its end.
        if ctx.deadline.is_some() && !ctx.gate.is_keeping() {
            let timeouts = ctx.attempt.as_ref().map(|attempt| attempt.timeouts);
            self.set_deadline(ctx, timeouts.and_then(deadline::within_response));
        }
        if let Some(chunk) = body.as_ref().filter(|chunk| !chunk.is_empty()) {
            if let Some(attempt) = &mut ctx.attempt {
                attempt.first_chunk.get_or_insert(now);
            }
            self.read(session, ctx, chunk, now)?;
        }
        ctx.stopwatch.stop(self.clock.now());
        Ok(None)
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        response: &mut ResponseHeader,
        ctx: &mut RequestContext,
    ) -> Result<()> {
        if response.status.is_informational() {
            return Ok(());
        }
        if self.live.drain().is_draining() {
            session.as_downstream_mut().set_keepalive(None);
        }
        respond::complete(response, ctx)?;
        ctx.stopwatch.stop(self.clock.now());
        Ok(())
    }

    fn fail_to_connect(
        &self,
        session: &mut Session,
        peer: &HttpPeer,
        ctx: &mut RequestContext,
        mut error: Box<Error>,
    ) -> Box<Error> {
        ctx.stopwatch.start(self.clock.now());
        let retry = self.has_another_address(ctx, peer, &error) || self.after_error(session, ctx, &error);
        error.set_retry(retry);
        error
    }

    fn error_while_proxy(
        &self,
        _peer: &HttpPeer,
        session: &mut Session,
        mut error: Box<Error>,
        ctx: &mut RequestContext,
        reused: bool,
    ) -> Box<Error> {
        ctx.stopwatch.start(self.clock.now());
        self.set_deadline(ctx, None);
        let retry = reused && self.was_stale(session, ctx, &error) || self.after_error(session, ctx, &error);
        error.set_retry(retry);
        error
    }

    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        error: &Error,
        ctx: &mut RequestContext,
    ) -> FailToProxy {
        ctx.stopwatch.stop(self.clock.now());
        let refusal = ctx.refusal.take().or_else(|| failure::refusal(error));
        ctx.gate.open();
        let error_code = match (refusal, ctx.kept.take().and_then(Kept::into_parts)) {
            (None, _) => 0,
            // A vendor's own word is better than ours.
            (Some(_), Some((header, body))) => respond::with_kept(session, ctx, header, body).await,
            (Some(refusal), None) => respond::refuse_late(session, ctx, refusal).await,
        };
        FailToProxy { error_code, can_reuse_downstream: false }
    }

    /// As the process's log shows a request: without its query, in which some clients send a credential.
    fn request_summary(&self, session: &Session, ctx: &RequestContext) -> String {
        let request = session.req_header();
        let id = ctx.id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default();
        format!("{} {}, request {id}", request.method, request.uri.path())
    }

    fn suppress_error_log(&self, _session: &Session, _ctx: &RequestContext, error: &Error) -> bool {
        // The access log tells of a refusal.
        *error.etype() == failure::REFUSED
    }

    fn suppress_proxy_warn_log(
        &self,
        _session: &Session,
        _ctx: &RequestContext,
        _error: &Error,
        _context: ProxyWarnLogContext,
    ) -> bool {
        // The access log tells of every try.
        true
    }

    async fn logging(&self, session: &mut Session, error: Option<&Error>, ctx: &mut RequestContext) {
        if error.is_none() {
            ctx.told.end();
        }
        if let Some(wrapped) = ctx.wrapped.take() {
            wrapped.unwrap(&mut session.downstream_session);
        }
        tracing::end(session, ctx);
        self.log(session, ctx);
        if error.is_none() {
            respond::read_rest(session).await;
        }
    }
}
