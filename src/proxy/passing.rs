//! How a response goes on to the client, and what is looked for in a stream of events.

use super::attempts::{holds_streams, may_try_another};
use super::context::RequestContext;
use super::{Balancer, deadline, failure};
use crate::answer::Seen;
use crate::balance::{Outcome, Tick};
use pingora_core::{Error, Result};
use pingora_proxy::Session;
use std::time::Duration;

/// How long a vendor's error may take to be whole before the next try begins without it.
const KEEP_LIMIT: Duration = Duration::from_secs(1);

impl Balancer {
    /// Decides how a response goes on to the client. Returns how long it may pause, if Pingora does not see to it.
    pub(super) fn let_on(
        &self,
        session: &mut Session,
        ctx: &mut RequestContext,
        status: Outcome,
        now: Tick,
    ) -> Option<Duration> {
        let within = ctx.attempt.as_ref().and_then(|attempt| deadline::within_response(attempt.timeouts));
        if may_try_another(session, ctx, status, now) {
            self.ensure_wrapped(session, ctx);
            ctx.gate.keep();
            return Some(within.map_or(KEEP_LIMIT, |within| within.min(KEEP_LIMIT)));
        }
        if ctx.told.may_be_stream(session.req_header().uri.path()) && holds_streams(session, ctx, now) {
            self.ensure_wrapped(session, ctx);
            ctx.gate.hold();
        }
        within
    }

    /// Reads the next chunk of a response: what it tells, and whether a stream has failed.
    pub(super) fn read(
        &self,
        session: &Session,
        ctx: &mut RequestContext,
        chunk: &[u8],
        now: Tick,
    ) -> Result<()> {
        let seen = ctx.told.feed(chunk);
        if ctx.has_failed {
            return Ok(());
        }
        if !ctx.told.is_stream() {
            // One that was held because it might have been a stream.
            if ctx.wrapped.is_some() && !ctx.told.is_undecided() {
                ctx.gate.release();
            }
            return Ok(());
        }
        match seen {
            Seen::Nothing => {}
            Seen::Events => ctx.gate.release(),
            Seen::Error if ctx.gate.is_holding() && may_try_another(session, ctx, Outcome::Stream, now) => {
                return Err(Error::new_up(failure::ERROR_EVENT));
            }
            Seen::Error => {
                // With no other pair to try, a vendor's own word is better than ours. One is enough.
                ctx.gate.release();
                ctx.has_failed = true;
                self.report(ctx, Outcome::Stream, None, now);
            }
        }
        Ok(())
    }
}
