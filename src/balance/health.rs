//! Whether one pair is in or out: a state machine.
//!
//! ```text
//!            failure (threshold reached)
//!   active ─────────────────────────────▶ suspended ◀──────────┐
//!     ▲                                       │ time is over,  │ probe fails
//!     │                                       ▼ one request    │
//!     └──────────────────────────────────  probing ────────────┘
//!                 probe succeeds
//! ```
//!
//! Time, outcomes and jitter come in; nothing here reads a clock or throws dice. The rules:
//! - a failure suspends for the suspend duration, or until the vendor says where that is later;
//! - a deadline only grows;
//! - when the time is over, one request at a time probes; success restores the pair, failure suspends it again;
//! - a probe that has no answer in time frees its place;
//! - what comes of an attempt that began before the state changed changes nothing.
//!
//! What an operator says of a pair lies on top: while it is held, it gets nothing, whatever the machine below says, and
//! when the hold is over, it is what it has become meanwhile. A hold is no failure, and nothing probes it away.

mod shared;

pub(super) use shared::{Glance, regained};
pub use shared::{Locked, Shared};

use super::Tick;
use super::verdict::Outcome;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The longest time that a vendor's own word can suspend a pair for.
pub const MAX_VENDOR_DELAY: Duration = Duration::from_secs(3600);

/// When a pair is suspended, for how long, and how it comes back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// How long a failed pair receives no traffic.
    pub duration: Duration,
    /// With it, each failed probe doubles that, up to this.
    pub max_duration: Option<Duration>,
    /// How many failures within `window` it takes; at least 1.
    pub threshold: u32,
    /// How long a failure counts.
    pub window: Duration,
    /// How long a weighted pair takes to get its full share back.
    pub ramp: Option<Duration>,
}

/// A failure that a policy counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Failure {
    /// What it was.
    pub reason: Outcome,
    /// How long the vendor asks to be left alone.
    pub vendor_delay: Option<Duration>,
    /// A number from -1 to 1, drawn by the caller, that spreads the ends of doubled suspensions by a tenth.
    pub jitter: f64,
}

/// The health of one pair.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Health {
    state: State,
    /// Attempts that began before this tell nothing new.
    since: Tick,
    /// The latest end of a suspension: it never moves back.
    deadline: Tick,
    /// When the failures that still count happened; fewer than the threshold.
    failures: Vec<Tick>,
    /// How many probes in a row have failed.
    failed_probes: u32,
    /// When the pair came back, while it may still be regaining its share.
    restored: Option<Tick>,
    /// What an operator has said of it.
    hold: Option<Hold>,
}

/// An operator's word.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Hold {
    /// Until when; `None` until it is taken back.
    until: Option<Tick>,
    note: Option<Arc<str>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
enum State {
    #[default]
    Active,
    Suspended {
        until: Tick,
        reason: Outcome,
    },
    Probing {
        began: Tick,
        until: Tick,
        reason: Outcome,
    },
}

/// What a pair is at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It takes its turns.
    Active,
    /// It gets nothing.
    Suspended {
        /// When it may be probed, or is back if an operator suspended it.
        until: Tick,
        /// What it was suspended for.
        reason: Reason,
    },
    /// Its time is over: the next request is its probe.
    Due {
        /// What it was suspended for.
        reason: Outcome,
    },
    /// A request is on its way to find out.
    Probing {
        /// When it may be probed again if no answer comes.
        until: Tick,
        /// What it was suspended for.
        reason: Outcome,
    },
    /// It gets nothing until an operator says so.
    Drained,
}

/// What a pair is suspended for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// What came of a request.
    Failed(Outcome),
    /// An operator has said so.
    Operator,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(outcome) => outcome.fmt(f),
            Self::Operator => f.write_str("operator"),
        }
    }
}

/// What a request to a pair is to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// One of many.
    Regular,
    /// The one that finds out whether the pair is well again.
    Probe,
}

impl Health {
    /// What the pair is at `now`.
    pub fn phase(&self, now: Tick) -> Phase {
        let below = self.phase_below(now);
        match (&self.hold, below) {
            (Some(Hold { until: None, .. }), _) => Phase::Drained,
            (Some(Hold { until: Some(held), .. }), Phase::Suspended { until, reason }) if now < *held => {
                let reason = if until > *held { reason } else { Reason::Operator };
                Phase::Suspended { until: until.max(*held), reason }
            }
            (Some(Hold { until: Some(until), .. }), _) if now < *until => {
                Phase::Suspended { until: *until, reason: Reason::Operator }
            }
            _ => below,
        }
    }

    /// What it would be without an operator's word.
    fn phase_below(&self, now: Tick) -> Phase {
        match self.state {
            State::Active => Phase::Active,
            State::Suspended { until, reason } if now < until => {
                Phase::Suspended { until, reason: Reason::Failed(reason) }
            }
            State::Probing { until, reason, .. } if now < until => Phase::Probing { until, reason },
            State::Suspended { reason, .. } | State::Probing { reason, .. } => Phase::Due { reason },
        }
    }

    /// A request wants to go to the pair at `now`; `None` if it may not, because the pair is suspended or another
    /// request is probing it.
    pub fn begin(&mut self, now: Tick, patience: Duration) -> Option<Role> {
        match self.phase(now) {
            Phase::Active => Some(Role::Regular),
            Phase::Due { reason } => Some(self.probe(now, patience, reason)),
            Phase::Suspended { .. } | Phase::Probing { .. } | Phase::Drained => None,
        }
    }

    /// Whether an operator keeps the pair out at `now`.
    pub fn is_held(&self, now: Tick) -> bool {
        self.hold.as_ref().is_some_and(|hold| hold.until.is_none_or(|until| now < until))
    }

    /// What the operator said with the hold that is in force at `now`.
    pub fn note(&self, now: Tick) -> Option<&str> {
        if !self.is_held(now) {
            return None;
        }
        self.hold.as_ref()?.note.as_deref()
    }

    /// An operator takes the pair out until `until`, or until [`Health::resume`].
    pub fn hold(&mut self, until: Option<Tick>, note: Option<Arc<str>>) {
        self.hold = Some(Hold { until, note });
    }

    /// An operator says at `now` that the pair is well: it is active at once, whatever it was.
    pub fn resume(&mut self, now: Tick) {
        // What is still under way tells of the time before.
        *self = Self { since: now, ..Self::default() };
    }

    /// A request goes to the pair at `now` though it is out, since all are: the first of them is its probe.
    pub fn begin_early(&mut self, now: Tick, patience: Duration) -> Role {
        match self.state {
            State::Active => Role::Regular,
            State::Probing { until, .. } if now < until => Role::Regular,
            State::Suspended { reason, .. } | State::Probing { reason, .. } => {
                self.probe(now, patience, reason)
            }
        }
    }

    /// An attempt that began at `began` has succeeded at `now`. Returns whether that restored the pair.
    pub fn succeed(&mut self, role: Role, began: Tick, now: Tick) -> bool {
        if !self.is_open_probe(role, began) {
            return false;
        }
        // `since` stays: what still comes of the probe itself counts.
        self.state = State::Active;
        self.failures.clear();
        self.failed_probes = 0;
        self.restored = Some(now);
        true
    }

    /// An attempt that began at `began` has failed at `now`. Returns whether that suspended the pair.
    pub fn fail(&mut self, role: Role, began: Tick, now: Tick, failure: &Failure, rules: &Rules) -> bool {
        if began < self.since {
            return false;
        }
        match self.state {
            State::Active => {
                self.failures.retain(|&failed| now.since(failed) < rules.window);
                self.failures.push(now);
                let counted = u32::try_from(self.failures.len()).unwrap_or(u32::MAX);
                if counted < rules.threshold {
                    return false;
                }
                self.suspend(now, rules.duration, failure);
            }
            State::Probing { .. } if role == Role::Probe => {
                self.failed_probes = self.failed_probes.saturating_add(1);
                self.suspend(now, backed_off(rules, self.failed_probes, failure.jitter), failure);
            }
            State::Probing { .. } | State::Suspended { .. } => return false,
        }
        true
    }

    /// An attempt that began at `began` was given up before anything came of it: if it was the probe, its place is free.
    pub fn abandon(&mut self, role: Role, began: Tick) {
        if !self.is_open_probe(role, began) {
            return;
        }
        if let State::Probing { reason, .. } = self.state {
            self.state = State::Suspended { until: self.deadline.min(began), reason };
        }
    }

    fn probe(&mut self, now: Tick, patience: Duration, reason: Outcome) -> Role {
        self.state = State::Probing { began: now, until: now.after(patience), reason };
        self.since = now;
        Role::Probe
    }

    fn is_open_probe(&self, role: Role, began: Tick) -> bool {
        let open = matches!(self.state, State::Probing { began: probe, .. } if probe == began);
        role == Role::Probe && open
    }

    fn suspend(&mut self, now: Tick, length: Duration, failure: &Failure) {
        let vendor = failure.vendor_delay.unwrap_or_default().min(MAX_VENDOR_DELAY);
        self.deadline = self.deadline.max(now.after(length.max(vendor)));
        self.state = State::Suspended { until: self.deadline, reason: failure.reason };
        self.since = now;
        self.failures.clear();
        self.restored = None;
    }
}

/// The suspend duration, doubled for each failed probe in a row up to the greatest, and spread by a tenth.
fn backed_off(rules: &Rules, failed_probes: u32, jitter: f64) -> Duration {
    let Some(greatest) = rules.max_duration else {
        return rules.duration;
    };
    let doubled = rules.duration.saturating_mul(2u32.saturating_pow(failed_probes));
    let spread = doubled.min(greatest).mul_f64(1.0 + 0.1 * jitter.clamp(-1.0, 1.0));
    spread.max(rules.duration).min(greatest)
}

#[cfg(test)]
mod tests;
