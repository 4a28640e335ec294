//! The tries of a request: beginning one, telling what came of it, and deciding whether there is another.

use super::context::{Attempt, Destination, RequestContext};
use super::refusal::Refusal;
use super::told::Told;
use super::{Balancer, STALE_CONNECTIONS, failure, respond, tracing};
use crate::balance::{Finding, NoChoice, Outcome, Phase, Tick, Trail};
use crate::gateway::{Credential, Pairs};
use crate::live::{Serving, time_of_day};
use http::{HeaderMap, StatusCode};
use log::{info, warn};
use pingora_core::Error;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_proxy::Session;
use std::sync::Arc;
use std::time::Duration;

impl Balancer {
    /// Begins a try, or goes on with one whose address or pooled connection was dead.
    pub(super) fn next_attempt(
        &self,
        session: &Session,
        ctx: &mut RequestContext,
        now: Tick,
    ) -> Result<(), Refusal> {
        if ctx.attempt.as_ref().is_some_and(|attempt| !attempt.reported) {
            return Ok(());
        }
        if let Some(attempt) = &mut ctx.attempt {
            attempt.span.end();
        }
        self.count_attempt(session, ctx, now);
        ctx.gate.open();
        ctx.response = None;
        ctx.told = Told::Nothing;
        ctx.has_failed = false;
        ctx.refusal = None;
        let attempt = match &ctx.admitted.as_ref().ok_or(Refusal::Internal)?.destination {
            Destination::Primary(endpoint) => Attempt::new(endpoint.clone(), endpoint.timeouts(), None, now),
            // Answered before any try.
            Destination::Models => return Err(Refusal::Internal),
            Destination::Balanced(pairs) => {
                let choice = pairs.pool().choose(now, ctx.trail.tried());
                let choice = choice.map_err(|none| refusal_for(none, &ctx.trail, now))?;
                ctx.trail.begin(choice.place);
                let pair = pairs.pair(choice.place).ok_or(Refusal::Internal)?;
                Attempt::new(pair.endpoint.clone(), pair.timeouts, Some((pairs.clone(), choice)), now)
            }
        };
        ctx.attempt = Some(attempt);
        Ok(())
    }

    /// A peer for the try: the endpoint's next address that has not been tried. An endpoint for which there is no credential
    /// is as good as one that cannot be connected to, and is waited for no longer.
    pub(super) async fn peer(
        &self,
        serving: &Serving,
        attempt: &mut Attempt,
    ) -> Result<Box<HttpPeer>, Outcome> {
        let mut peer = match serving.upstreams.peer(&attempt.endpoint, attempt.timeouts).await {
            Ok(peer) => peer,
            Err(error) => {
                warn!("endpoint `{}`: {error}", attempt.endpoint.name());
                return Err(Outcome::Connect);
            }
        };
        if let Some(Credential::Signer(signer)) = &attempt.endpoint.headers().credential
            && let Err(error) = signer.ready(time_of_day(), attempt.timeouts.connect).await
        {
            warn!("endpoint `{}`: {error}", attempt.endpoint.name());
            return Err(Outcome::Connect);
        }
        if let Some(others) = attempt.addresses.as_mut().filter(|others| !others.is_empty()) {
            peer._address = others.remove(0);
        }
        Ok(peer)
    }

    /// Tells the pool what came of the try, and what the vendor said with it.
    pub(super) fn report(
        &self,
        ctx: &mut RequestContext,
        outcome: Outcome,
        headers: Option<&HeaderMap>,
        now: Tick,
    ) {
        // A response that says that nothing is left is a good one to its request.
        if outcome != Outcome::Quota {
            ctx.end_try(outcome);
        }
        let Some(attempt) = &mut ctx.attempt else {
            return;
        };
        tracing::tell(&mut attempt.span, outcome);
        let counts = attempt.chosen.as_ref().is_some_and(|(pairs, _)| is_cause(pairs, outcome));
        let finding = Finding {
            outcome,
            vendor_delay: headers
                .filter(|_| counts)
                .and_then(|headers| attempt.endpoint.vendor().limits.delay(headers, time_of_day())),
            jitter: if counts { 2.0 * fastrand::f64() - 1.0 } else { 0.0 },
            poisoned: ctx.trail.is_poisoned_by(outcome),
        };
        if attempt.report(&finding, now) {
            ctx.suspended = true;
            let api = ctx.api.as_deref().map_or("", |api| api.name());
            self.tell_of_suspension(api, attempt, outcome);
            Self::count_suspension(ctx, outcome);
        }
    }

    /// What an error during a try comes to. Returns whether the request is tried again.
    pub(super) fn after_error(&self, session: &Session, ctx: &mut RequestContext, error: &Error) -> bool {
        if failure::is_clients(error) {
            return false;
        }
        if let Some(kept) = ctx.gate.take_kept() {
            // The outcome was told when its header came; whatever ended it, the next try is due.
            ctx.kept = Some(kept);
            return true;
        }
        let Some(outcome) = failure::outcome(error) else {
            return false;
        };
        // A response that breaks off is no failure to connect.
        let began = ctx.response.is_some();
        let outcome = if began && outcome == Outcome::Connect { Outcome::Stream } else { outcome };
        let now = self.clock.now();
        self.report(ctx, outcome, None, now);
        may_try_another(session, ctx, outcome, now)
    }

    /// Whether a reused connection turned out to be dead, so that the same pair is tried on another one.
    pub(super) fn was_stale(&self, session: &Session, ctx: &mut RequestContext, error: &Error) -> bool {
        let untouched = ctx.response.is_none()
            && is_uncommitted(session)
            && !session.as_downstream().retry_buffer_truncated();
        let Some(attempt) = ctx.attempt.as_mut().filter(|attempt| !attempt.reported) else {
            return false;
        };
        let broken = failure::outcome(error) == Some(Outcome::Connect);
        if !untouched || !broken || attempt.stale_connections >= STALE_CONNECTIONS {
            return false;
        }
        attempt.stale_connections += 1;
        true
    }

    /// Whether the endpoint has another address to connect to after this error at `peer`.
    pub(super) fn has_another_address(
        &self,
        ctx: &mut RequestContext,
        peer: &HttpPeer,
        error: &Error,
    ) -> bool {
        // An address that lets a connection hang has taken its time already.
        if failure::outcome(error) != Some(Outcome::Connect) {
            return false;
        }
        let Some(attempt) = &mut ctx.attempt else {
            return false;
        };
        let upstreams = &ctx.serving.upstreams;
        let others = || upstreams.other_addresses(&attempt.endpoint, &peer._address);
        !attempt.addresses.get_or_insert_with(others).is_empty()
    }

    fn tell_of_suspension(&self, api: &str, attempt: &Attempt, outcome: Outcome) {
        let (Some((pairs, choice)), Some(pair)) = (&attempt.chosen, attempt.pair()) else {
            return;
        };
        let now = self.clock.now();
        let Some(Phase::Suspended { until, .. }) = pairs.pool().phase(choice.place, now) else {
            return;
        };
        // To the millisecond: what is left of it has been passing since the failure.
        let left = Duration::from_millis(u64::try_from(until.since(now).as_millis()).unwrap_or(u64::MAX) + 1);
        info!(
            "AI API `{api}`: `{}` on `{}` is suspended for {}: {outcome}",
            pair.model.name(),
            pair.endpoint.name(),
            humantime::format_duration(left),
        );
    }
}

/// The answer where no pair can be chosen: after a try, what that try comes to.
fn refusal_for(none: NoChoice, trail: &Trail, now: Tick) -> Refusal {
    match (trail.tries().last(), none) {
        (None, NoChoice::AllSuspended { until }) => {
            Refusal::NoActiveEndpoints { retry_after: until.map(|until| until.since(now)) }
        }
        (Some((_, Some(Outcome::Timeout))), _) => Refusal::UpstreamTimeout,
        (Some(_), _) | (None, NoChoice::AllTried) => Refusal::UpstreamUnreachable,
    }
}

/// What a status says of a pair: that it is exhausted, if the response is good and its headers say so.
pub(super) fn outcome_of(ctx: &RequestContext, status: StatusCode, headers: &HeaderMap) -> Outcome {
    let good = status.is_success() || status.is_redirection();
    let limits = ctx.attempt.as_ref().map(|attempt| &attempt.endpoint.vendor().limits);
    match good && limits.is_some_and(|limits| limits.is_exhausted(headers)) {
        true => Outcome::Quota,
        false => Outcome::Status(status.as_u16()),
    }
}

/// Whether another pair may be tried after `outcome`, nothing of a response having gone to the client.
pub fn may_try_another(session: &Session, ctx: &RequestContext, outcome: Outcome, now: Tick) -> bool {
    another_pairs(session, ctx).is_some_and(|pairs| pairs.may_try_another(&ctx.trail, outcome, now))
}

/// Whether a stream is held until its first event, because another pair could be tried if it is an error.
pub fn holds_streams(session: &Session, ctx: &RequestContext, now: Tick) -> bool {
    another_pairs(session, ctx).is_some_and(|pairs| pairs.holds_streams(&ctx.trail, now))
}

/// The pairs that a request is balanced over, while nothing of a response has gone to the client.
fn another_pairs<'a>(session: &Session, ctx: &'a RequestContext) -> Option<&'a Arc<Pairs>> {
    let (pairs, _) = ctx.attempt.as_ref()?.chosen.as_ref()?;
    is_uncommitted(session).then_some(pairs)
}

fn is_uncommitted(session: &Session) -> bool {
    respond::begun(session).is_none()
}

fn is_cause(pairs: &Pairs, outcome: Outcome) -> bool {
    pairs.pool().suspension().is_some_and(|suspension| suspension.causes.contains(outcome))
}
