//! How a pair is.

use super::timestamp;
use crate::balance::{Phase, Tick};
use crate::gateway::{Pair, Share};
use crate::live::{Live, Serving};
use crate::observe::metrics::{Outcomes, TargetMeter};
use schemars::JsonSchema;
use serde::Serialize;
use std::time::Duration;

/// How a pair is.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Pair")]
pub(in crate::admin) struct PairStatus {
    /// The model.
    model: String,
    /// The endpoint.
    endpoint: String,
    /// Whether it is in: `probing` means that one request is on its way, or the next will be, to find out.
    state: PairState,
    /// Until when it gets nothing, RFC 3339 in UTC; null if it is in, or an operator has to resume it.
    #[schemars(extend("format" = "date-time"))]
    suspended_until: Option<String>,
    /// How long that is from now; 0 if it is not suspended, null if an operator has to resume it.
    suspended_for_seconds: Option<f64>,
    /// What it is out for: a status, `connect`, `timeout`, `stream`, `quota`, `operator` or `drained`.
    reason: Option<String>,
    /// What the operator said.
    note: Option<String>,
    /// The part of the choices, 0 to 1, that the configuration gives it, for the operations as they are used.
    expected_share: f64,
    /// The part of the choices, 0 to 1, that it has got.
    actual_share: f64,
    /// What has happened to it.
    counters: Counters,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum PairState {
    Active,
    Suspended,
    Probing,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct Counters {
    /// How many times it has been chosen.
    choices: u64,
    /// Tries that are over.
    attempts: u64,
    /// Those with a status below 400.
    successes: u64,
    /// Those with another status, without a connection or an answer in time, or with a stream that broke off.
    failures: u64,
    /// How many times it was taken out, for failures and by hand.
    suspensions: u64,
}

impl Counters {
    fn of(share: Share, meter: Option<&TargetMeter>) -> Self {
        let (attempts, suspensions) = match meter {
            Some(meter) => {
                (Tally::of(&meter.attempts), Tally::of(&meter.suspensions).all + meter.holds.get())
            }
            None => (Tally::default(), 0),
        };
        let Tally { all, good, given_up } = attempts;
        let failures = all.saturating_sub(good).saturating_sub(given_up);
        Self { choices: share.chosen, attempts: all, successes: good, failures, suspensions }
    }
}

/// Sums of what came of tries.
#[derive(Debug, Default)]
struct Tally {
    all: u64,
    good: u64,
    given_up: u64,
}

impl Tally {
    fn of(outcomes: &Outcomes) -> Self {
        let mut tally = Self::default();
        for (status, count) in outcomes.statuses().met() {
            tally.all += count;
            tally.good += if status.is_some_and(|status| status < 400) { count } else { 0 };
        }
        for (word, count) in outcomes.named() {
            tally.all += count;
            tally.given_up += if word == "abandoned" { count } else { 0 };
        }
        tally
    }
}

impl PairStatus {
    /// How `pair`, which has this `share`, is now.
    pub(in crate::admin) fn of(live: &Live, serving: &Serving, pair: &Pair, share: Share) -> Self {
        let now = live.now();
        let health = pair.health.lock();
        let (phase, note) = (health.phase(now), health.note(now).map(str::to_owned));
        drop(health);
        let told = Told::of(phase, now);
        Self {
            model: pair.model.name().to_owned(),
            endpoint: pair.endpoint.name().to_owned(),
            state: told.state,
            suspended_until: told.until.and_then(|until| live.time_of(until)).map(timestamp),
            suspended_for_seconds: told.left.map(|left| left.as_millis() as f64 / 1000.0),
            reason: told.reason,
            note,
            expected_share: share.expected,
            actual_share: share.actual,
            counters: Counters::of(share, serving.meters.pair(pair.number.0).map(|target| &*target.meter)),
        }
    }
}

/// What is told of a phase.
#[derive(Debug, PartialEq)]
struct Told {
    state: PairState,
    until: Option<Tick>,
    left: Option<Duration>,
    reason: Option<String>,
}

impl Told {
    fn of(phase: Phase, now: Tick) -> Self {
        let told = |state, reason| Self { state, until: None, left: Some(Duration::ZERO), reason };
        match phase {
            Phase::Active => told(PairState::Active, None),
            Phase::Suspended { until, reason } => Self {
                state: PairState::Suspended,
                until: Some(until),
                left: Some(until.since(now)),
                reason: Some(reason.to_string()),
            },
            Phase::Due { reason } | Phase::Probing { reason, .. } => {
                told(PairState::Probing, Some(reason.to_string()))
            }
            Phase::Drained => Self { left: None, ..told(PairState::Suspended, Some("drained".to_owned())) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balance::{Outcome, Reason};

    #[test]
    fn each_phase_has_its_words() {
        let now = Tick::at(Duration::from_secs(100));
        let until = now.after(Duration::from_millis(1500));
        let failed = Outcome::Status(429);
        let (active, suspended, probing) = (PairState::Active, PairState::Suspended, PairState::Probing);
        let table = [
            (Phase::Active, active, None, Some(0), None),
            (
                Phase::Suspended { until, reason: Reason::Failed(failed) },
                suspended,
                Some(until),
                Some(1500),
                Some("429"),
            ),
            (
                Phase::Suspended { until, reason: Reason::Operator },
                suspended,
                Some(until),
                Some(1500),
                Some("operator"),
            ),
            (Phase::Due { reason: Outcome::Connect }, probing, None, Some(0), Some("connect")),
            (Phase::Probing { until, reason: Outcome::Quota }, probing, None, Some(0), Some("quota")),
            (Phase::Drained, suspended, None, None, Some("drained")),
        ];
        for (phase, state, until, left, reason) in table {
            let left = left.map(Duration::from_millis);
            let expected = Told { state, until, left, reason: reason.map(str::to_owned) };
            assert_eq!(Told::of(phase, now), expected, "{phase:?}");
        }
    }
}
