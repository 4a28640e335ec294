//! A list of pairs that a policy balances over.

mod seen;

use super::health::{Failure, Glance, Phase, Role, Rules, Shared, regained};
use super::{CauseSet, Outcome, PairSet, Tick, Turn, Turns};
use seen::Seen;
use std::sync::Arc;
use std::time::Duration;

/// When and for how long a policy suspends a pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Suspension {
    /// What counts as a failure.
    pub causes: CauseSet,
    /// How long it suspends for.
    pub rules: Rules,
}

/// What happens to a request when every pair is out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenAllSuspended {
    /// It is refused.
    #[default]
    Reject,
    /// The pair that comes back first is tried.
    TrySoonest,
}

/// A pair of a pool.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its health, which is that of the pair in every pool that has it.
    pub health: Arc<Shared>,
    /// How long a probe of it may go without an answer.
    pub probe_patience: Duration,
}

/// The pairs of one operation in one environment: whose turn it is among them, and which are in.
///
/// Chosen from on every thread; a choice holds locks for its own few instructions only.
#[derive(Debug)]
pub struct Pool {
    turns: Arc<Turns>,
    members: PairSet,
    pairs: Box<[Member]>,
    suspension: Option<Suspension>,
    when_all_suspended: WhenAllSuspended,
}

/// A pair that a request goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// Its place in the list.
    pub place: usize,
    /// What the request is to it.
    pub role: Role,
    /// When it was chosen: what comes of the attempt is reported with it.
    pub began: Tick,
}

/// What came of an attempt, and what the vendor said with it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finding {
    /// What came of it.
    pub outcome: Outcome,
    /// How long the vendor asks to be left alone.
    pub vendor_delay: Option<Duration>,
    /// A number from -1 to 1, drawn by the caller: see [`Failure::jitter`].
    pub jitter: f64,
    /// Whether the request, not the pair, is to blame: a second pair that fails in the same way.
    pub poisoned: bool,
}

/// Why no pair could be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoChoice {
    /// Every pair that could be chosen is out.
    #[error("all pairs are suspended")]
    AllSuspended {
        /// When the first of them comes back; `None` if each waits for an operator.
        until: Option<Tick>,
    },
    /// Every pair that is in has been tried by this request.
    #[error("all pairs have been tried")]
    AllTried,
}

impl Pool {
    /// A pool that takes `turn` among `pairs`, in the list's order. Without a `suspension` its failures are not
    /// remembered.
    pub fn new(
        turn: Turn,
        pairs: Vec<Member>,
        suspension: Option<Suspension>,
        when_all_suspended: WhenAllSuspended,
    ) -> Self {
        Self {
            members: turn.members(),
            turns: Arc::new(Turns::new(turn)),
            pairs: pairs.into_boxed_slice(),
            suspension,
            when_all_suspended,
        }
    }

    /// Whose turn it is, as a pool that replaces this one takes it over.
    pub fn turns(&self) -> &Arc<Turns> {
        &self.turns
    }

    /// Takes its turns by `turns`, which were made of this pool's own.
    pub fn take_turns(&mut self, turns: Arc<Turns>) {
        self.turns = turns;
    }

    /// Shares the health of the pair at `place` with whoever has `health`.
    pub fn share_health(&mut self, place: usize, health: &Arc<Shared>) {
        if let Some(pair) = self.pairs.get_mut(place) {
            pair.health = Arc::clone(health);
        }
    }

    /// The pair that a request goes to at `now`, having tried those in `tried` already.
    ///
    /// A pair whose time is over is probed by the next request; one that has failed once already goes to a pair that is
    /// known to be well if there is one.
    ///
    /// # Errors
    /// [`NoChoice`] if no pair is left that it could go to.
    pub fn choose(&self, now: Tick, tried: PairSet) -> Result<Choice, NoChoice> {
        let mut seen = self.look(now, tried);
        loop {
            let due = seen.due.iter().next();
            let first = if tried.is_empty() { due } else { None };
            let place = first.or_else(|| self.turns.next(seen.active, &seen.parts)).or(due);
            let Some(place) = place else {
                return self.choose_suspended(now, tried, &seen);
            };
            if let Some(role) = self.begin(place, now) {
                if role == Role::Probe {
                    // A probe is a turn, too.
                    self.turns.next([place].into_iter().collect(), &[]);
                }
                return Ok(self.chosen(place, role, now));
            }
            // Another thread was quicker: it probes the pair, or has suspended it.
            seen.active.remove(place);
            seen.due.remove(place);
        }
    }

    /// Whether there is a pair that a request could go to at `now`, having tried those in `tried`.
    pub fn has_another(&self, now: Tick, tried: PairSet) -> bool {
        let seen = self.look(now, tried);
        !seen.active.is_empty() || !seen.due.is_empty()
    }

    /// Records what came of the attempt at `choice` at `now`: a failure if it is among the causes, and a success
    /// otherwise. Returns whether the pair was suspended for it.
    pub fn report(&self, choice: Choice, finding: &Finding, now: Tick) -> bool {
        let Some(pair) = self.pairs.get(choice.place) else {
            return false;
        };
        let cause = self.suspension.as_ref().filter(|s| s.causes.contains(finding.outcome));
        if choice.role == Role::Regular && (cause.is_none() || finding.poisoned) {
            // Only of a probe does a success, or nothing at all, change anything.
            return false;
        }
        let mut health = pair.health.lock();
        if self.suspension.is_none() {
            // Not this pool's to judge: the next request finds out.
            health.abandon(choice.role, choice.began);
            return false;
        }
        let Some(suspension) = cause else {
            health.succeed(choice.role, choice.began, now);
            return false;
        };
        if finding.poisoned {
            health.abandon(choice.role, choice.began);
            return false;
        }
        let Finding { outcome, vendor_delay, jitter, .. } = *finding;
        let failure = Failure { reason: outcome, vendor_delay, jitter };
        health.fail(choice.role, choice.began, now, &failure, &suspension.rules)
    }

    /// Records that the attempt at `choice` was given up before anything came of it.
    pub fn abandon(&self, choice: Choice) {
        if choice.role == Role::Regular {
            return;
        }
        if let Some(pair) = self.pairs.get(choice.place) {
            pair.health.lock().abandon(choice.role, choice.began);
        }
    }

    /// What the pair at `place` is at `now`.
    pub fn phase(&self, place: usize, now: Tick) -> Option<Phase> {
        Some(self.pairs.get(place)?.health.lock().phase(now))
    }

    /// The share of requests, 0 to 1, that the pair at `place` gets while all are active.
    pub fn share(&self, place: usize) -> f64 {
        self.turns.share(place)
    }

    /// How many times the pair at `place` has been chosen.
    pub fn times_chosen(&self, place: usize) -> u64 {
        self.turns.times_chosen(place)
    }

    /// The name of the policy that pairs are chosen by.
    pub fn policy(&self) -> &'static str {
        self.turns.policy()
    }

    /// When and for how long a pair is suspended; `None` if failures are not remembered.
    pub fn suspension(&self) -> Option<&Suspension> {
        self.suspension.as_ref()
    }

    /// What happens to a request when every pair is out.
    pub fn when_all_suspended(&self) -> WhenAllSuspended {
        self.when_all_suspended
    }

    fn look(&self, now: Tick, tried: PairSet) -> Seen {
        let mut seen = Seen { active: self.members.without(tried), ..Seen::default() };
        let ramp = self.suspension.as_ref().and_then(|suspension| suspension.rules.ramp);
        for (place, pair) in self.pairs.iter().enumerate() {
            match pair.health.glance() {
                Glance::Active { restored: None } => {}
                Glance::Active { restored: Some(_) } if ramp.is_none() => {}
                _ if !seen.active.contains(place) => {}
                Glance::Active { restored } => seen.has_part(place, regained(restored, now, ramp)),
                Glance::Unclear => self.look_closely(&mut seen, place, now, ramp),
            }
        }
        seen
    }

    /// Looks under the lock of the pair at `place`, which is among the active ones so far.
    #[cold]
    fn look_closely(&self, seen: &mut Seen, place: usize, now: Tick, ramp: Option<Duration>) {
        let Some(pair) = self.pairs.get(place) else {
            return;
        };
        let health = pair.health.lock();
        let phase = health.phase(now);
        if phase != Phase::Active {
            seen.active.remove(place);
        }
        match phase {
            Phase::Active => seen.has_part(place, health.regained(now, ramp)),
            Phase::Due { .. } => seen.due.insert(place),
            Phase::Suspended { until, .. } => seen.comes_back(place, until, health.is_held(now)),
            // Its probe may succeed at any moment.
            Phase::Probing { .. } => seen.comes_back(place, now, false),
            Phase::Drained => seen.drained = true,
        }
    }

    fn chosen(&self, place: usize, role: Role, began: Tick) -> Choice {
        self.turns.count(place);
        Choice { place, role, began }
    }

    fn begin(&self, place: usize, now: Tick) -> Option<Role> {
        let pair = self.pairs.get(place)?;
        match pair.health.glance() {
            Glance::Active { .. } => Some(Role::Regular),
            Glance::Unclear => pair.health.lock().begin(now, pair.probe_patience),
        }
    }

    fn choose_suspended(&self, now: Tick, tried: PairSet, seen: &Seen) -> Result<Choice, NoChoice> {
        // Another thread may have taken out what was in when this one looked.
        let again = if seen.is_anyone_out() { None } else { Some(self.look(now, tried)) };
        let seen = again.as_ref().unwrap_or(seen);
        if !seen.is_anyone_out() {
            return Err(NoChoice::AllTried);
        }
        let none = NoChoice::AllSuspended { until: seen.back };
        if self.when_all_suspended == WhenAllSuspended::Reject || !tried.is_empty() {
            return Err(none);
        }
        let (place, _) = seen.soonest.ok_or(none)?;
        let pair = self.pairs.get(place).ok_or(NoChoice::AllTried)?;
        let role = pair.health.lock().begin_early(now, pair.probe_patience);
        Ok(self.chosen(place, role, now))
    }
}

#[cfg(test)]
mod tests;
