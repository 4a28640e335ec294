//! The place where the metrics of requests move.

use super::context::{Attempt, RequestContext};
use super::{Balancer, tracing};
use crate::answer::Usage;
use crate::balance::{Outcome, Tick};
use crate::observe::metrics::{Count, OperationKind, Served, Target};
use pingora_proxy::Session;

/// The status of a request whose client went before it got one, as nginx has it.
const CLIENT_WENT: u16 = 499;

impl Balancer {
    /// Counts a request that is over, whose client got `status` if it did not go before.
    pub(super) fn count_request(&self, session: &Session, ctx: &mut RequestContext, status: Option<u16>) {
        let now = self.clock.now();
        ctx.stopwatch.stop(now);
        self.count_attempt(session, ctx, now);
        let status = status.unwrap_or(CLIENT_WENT);
        let Some(served) = served(ctx) else {
            ctx.serving.meters.count_unserved(ctx.api.as_ref().map(|api| api.number()), status);
            return;
        };
        let meter = &served.meter;
        meter.requests.count(status);
        meter.duration.observe_duration(now.since(ctx.began));
        // All tries but the first.
        meter.retries.add(ctx.trail.tries().len().saturating_sub(1) as u64);
        if ctx.attempt.is_some() {
            meter.overhead.observe_duration(ctx.stopwatch.total());
        }
        if let Some(response) = &ctx.response {
            meter.first_byte.observe_duration(response.came.since(ctx.began));
        }
    }

    /// Counts the latest try, which is over.
    pub(super) fn count_attempt(&self, session: &Session, ctx: &mut RequestContext, now: Tick) {
        let attempt = ctx.attempt.as_mut().filter(|attempt| !attempt.counted);
        if let Some(attempt) = attempt {
            attempt.counted = true;
            let operation = OperationKind::named(tracing::operation(session.req_header()));
            count_outcome(ctx, operation, now);
        }
    }

    /// Counts a suspension of the pair that the latest try went to.
    pub(super) fn count_suspension(ctx: &RequestContext, outcome: Outcome) {
        if let Some(target) = ctx.attempt.as_ref().and_then(|attempt| target(ctx, attempt)) {
            target.meter.suspensions.count(Some(outcome));
        }
    }
}

fn count_outcome(ctx: &RequestContext, operation: OperationKind, now: Tick) {
    let (Some(attempt), Some(served)) = (&ctx.attempt, served(ctx)) else {
        return;
    };
    let Some(target) = target(ctx, attempt) else {
        return;
    };
    target.meter.attempts.count(attempt.outcome);
    let usage = ctx.told.usage();
    if let Some(usage) = usage {
        count_tokens(target, usage);
    }
    if ctx.told.is_unreadable() {
        served.meter.usage_unread.add(1);
    }
    let Some(operation) = target.client.as_ref().and_then(|client| client.operation(operation)) else {
        return;
    };
    operation.observe(attempt.outcome, now.since(attempt.began));
    if let Some(first_chunk) = attempt.first_chunk.filter(|_| ctx.told.is_stream()) {
        operation.first_chunk.observe_duration(first_chunk.since(attempt.began));
    }
    for (histogram, tokens) in [
        (&operation.input, usage.and_then(|u| u.prompt)),
        (&operation.output, usage.and_then(|u| u.completion)),
    ] {
        if let Some(tokens) = tokens {
            histogram.observe(tokens.into());
        }
    }
}

/// The numbers of the AI API and the environment of a request; `None` if it was refused before it had one.
fn served(ctx: &RequestContext) -> Option<&Served> {
    let (api, admitted) = ctx.api.as_ref().zip(ctx.admitted.as_ref())?;
    ctx.serving.meters.served(api.number(), admitted.environment)
}

/// The numbers of what a try goes to.
fn target<'a>(ctx: &'a RequestContext, attempt: &Attempt) -> Option<&'a Target> {
    match attempt.pair() {
        Some(pair) => ctx.serving.meters.pair(pair.number.0),
        None => served(ctx).map(|served| &served.primary),
    }
}

fn count_tokens(target: &Target, usage: Usage) {
    let add = |count: &Count, tokens: Option<u32>| count.add(tokens.unwrap_or_default().into());
    add(&target.meter.prompt_tokens, usage.prompt);
    add(&target.meter.completion_tokens, usage.completion);
    add(&target.meter.cached_tokens, usage.cached);
}
