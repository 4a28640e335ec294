//! A policy played on a virtual clock, with the very code that serves.
//!
//! [`play`] sends a number of requests at a steady rate to an operation's pairs, lets the pairs fail as a [`Script`]
//! says, and counts what came of it in a [`Table`]. There is no clock, no socket and no randomness in here: one script
//! has one table. What is chosen, suspended, probed and tried again is decided by [`Pool`](crate::balance::Pool),
//! [`Trail`] and [`Pairs`], as it is for a client's request.
//!
//! What is left out of the world: a try takes no time, so that a probe is answered at once and `retry: { within }` is
//! never used up; a vendor asks for no longer suspension than the policy's; and doubled suspensions are not spread.

mod table;

pub use table::{LISTED_SUSPENSIONS, PairRow, SuspensionRow, Table, Totals};

use crate::balance::{Choice, Finding, NoChoice, Outcome, Phase, Role, Tick, Trail};
use crate::gateway::{Commit, Pairs};
use std::time::Duration;

/// What is played.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// How many requests there are.
    pub requests: u64,
    /// How many begin in a second, above 0. The first begins at 0.
    pub rate: f64,
    /// When which pair fails. Where two of a pair overlap, the first listed counts.
    pub failures: Vec<Failure>,
}

impl Script {
    /// When the request `number`, counted from 0, begins; saturates.
    pub fn moment(&self, number: u64) -> Duration {
        Duration::try_from_secs_f64(number as f64 / self.rate).unwrap_or(Duration::MAX)
    }
}

/// A time during which every try at a pair fails.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The pair's place in its list.
    pub place: usize,
    /// The first moment.
    pub from: Duration,
    /// The first moment when it is over.
    pub to: Duration,
    /// What the tries come to.
    pub outcome: Outcome,
}

/// Plays `script` on `pairs`, which have served nothing yet.
pub fn play(pairs: &Pairs, script: &Script) -> Table {
    let mut play = Play::new(pairs, script);
    for number in 0..script.requests {
        play.request(Tick::at(script.moment(number)));
    }
    play.table
}

/// A script while it is played.
struct Play<'a> {
    pairs: &'a Pairs,
    /// The failures of each place: a well pair is not looked for among those of the others at every try.
    failures: Vec<Vec<&'a Failure>>,
    table: Table,
}

impl<'a> Play<'a> {
    fn new(pairs: &'a Pairs, script: &'a Script) -> Self {
        let places = 0..pairs.iter().count();
        let of_place = |place| script.failures.iter().filter(move |failure| failure.place == place);
        let row = |place| PairRow { expected_share: pairs.pool().share(place), ..PairRow::default() };
        Self {
            pairs,
            failures: places.clone().map(|place| of_place(place).collect()).collect(),
            table: Table { totals: Totals::default(), pairs: places.map(row).collect() },
        }
    }

    fn request(&mut self, now: Tick) {
        self.table.totals.requests += 1;
        let mut trail = Trail::new(now);
        loop {
            let choice = match self.pairs.pool().choose(now, trail.tried()) {
                Ok(choice) => choice,
                Err(NoChoice::AllSuspended { .. }) if trail.tries().is_empty() => {
                    self.table.totals.refused += 1;
                    return;
                }
                Err(NoChoice::AllSuspended { .. } | NoChoice::AllTried) => {
                    self.table.totals.failed += 1;
                    return;
                }
            };
            if !trail.tries().is_empty() {
                self.table.totals.retries += 1;
            }
            trail.begin(choice.place);
            let outcome = self.outcome(choice.place, now);
            self.hear(&mut trail, choice, outcome, now);
            if is_good(outcome) {
                self.table.totals.served += 1;
                return;
            }
            if !self.may_try_another(&trail, outcome, now) {
                self.table.totals.failed += 1;
                return;
            }
        }
    }

    /// What a try at the pair at `place` comes to.
    fn outcome(&self, place: usize, now: Tick) -> Outcome {
        let is_on = |failure: &&&Failure| Tick::at(failure.from) <= now && now < Tick::at(failure.to);
        let failing = self.failures.get(place).and_then(|failures| failures.iter().find(is_on));
        failing.map_or(Outcome::Status(200), |failure| failure.outcome)
    }

    /// Tells the trail and the pool what came of a try, in the order in which the server hears of it.
    fn hear(&mut self, trail: &mut Trail, choice: Choice, outcome: Outcome, now: Tick) {
        match outcome {
            // The response is good to its request.
            Outcome::Quota => trail.end(Outcome::Status(200)),
            Outcome::Stream => {
                // Its header said nothing of the end.
                trail.end(Outcome::Status(200));
                self.report(trail, choice, Outcome::Status(200), now);
                trail.end(outcome);
            }
            Outcome::Status(_) | Outcome::Connect | Outcome::Timeout => trail.end(outcome),
        }
        let suspended = self.report(trail, choice, outcome, now);
        let Some(row) = self.table.pairs.get_mut(choice.place) else {
            return;
        };
        row.tries += 1;
        row.probes += u64::from(choice.role == Role::Probe);
        match is_good(outcome) {
            true => row.served += 1,
            false => row.failures += 1,
        }
        let phase = self.pairs.pool().phase(choice.place, now).filter(|_| suspended);
        if let Some(Phase::Suspended { until, .. }) = phase {
            row.suspend(now, until, outcome);
        }
    }

    /// Returns whether the pair was suspended for it.
    fn report(&self, trail: &Trail, choice: Choice, outcome: Outcome, now: Tick) -> bool {
        let poisoned = trail.is_poisoned_by(outcome);
        let finding = Finding { outcome, vendor_delay: None, jitter: 0.0, poisoned };
        self.pairs.pool().report(choice, &finding, now)
    }

    fn may_try_another(&self, trail: &Trail, outcome: Outcome, now: Tick) -> bool {
        // The header of a stream that is not held has gone to the client before the stream dies.
        let committed = outcome == Outcome::Stream && self.pairs.commit() == Commit::Headers;
        !committed && self.pairs.may_try_another(trail, outcome, now)
    }
}

/// Whether a client would call it an answer.
fn is_good(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Status(status) => status < 400,
        Outcome::Quota => true,
        Outcome::Connect | Outcome::Timeout | Outcome::Stream => false,
    }
}

#[cfg(test)]
mod tests;
