//! The pairs that one request has tried, and whether it may try another.

use super::{CauseSet, Outcome, PairSet, Tick};
use std::time::Duration;

/// When a request is tried again.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryRules {
    /// How many more tries there may be after the first.
    pub attempts: u32,
    /// What it is tried again for.
    pub on: CauseSet,
    /// How much time may have passed when another try begins.
    pub within: Duration,
}

impl Default for RetryRules {
    fn default() -> Self {
        Self { attempts: 2, on: CauseSet::standard_for_retries(), within: Duration::from_secs(10) }
    }
}

/// The tries of one request, in order.
#[derive(Debug, Clone)]
pub struct Trail {
    began: Tick,
    tried: PairSet,
    tries: Vec<(usize, Option<Outcome>)>,
}

impl Trail {
    /// A request that began at `began` and has tried nothing.
    pub fn new(began: Tick) -> Self {
        Self { began, tried: PairSet::EMPTY, tries: Vec::new() }
    }

    /// The pairs that have been tried.
    pub fn tried(&self) -> PairSet {
        self.tried
    }

    /// The tries, each with what came of it, which of the last may not be known yet.
    pub fn tries(&self) -> &[(usize, Option<Outcome>)] {
        &self.tries
    }

    /// The pair at `place` is tried now.
    pub fn begin(&mut self, place: usize) {
        self.tried.insert(place);
        self.tries.push((place, None));
    }

    /// The latest try has come to `outcome`. Something worse may still come of it, as a stream that breaks off.
    pub fn end(&mut self, outcome: Outcome) {
        if let Some((_, latest)) = self.tries.last_mut() {
            *latest = Some(outcome);
        }
    }

    /// Whether the request, not the pair, is to blame for `outcome` of the latest try: the same status has come of it
    /// on another pair already, and it is none that a well request gets from an exhausted or slow vendor.
    pub fn is_poisoned_by(&self, outcome: Outcome) -> bool {
        let Outcome::Status(status) = outcome else {
            return false;
        };
        let earlier = self.tries.iter().rev().skip(1);
        !matches!(status, 401 | 408 | 429) && earlier.into_iter().any(|(_, o)| *o == Some(outcome))
    }

    /// Whether another pair may be tried at `now` after `outcome`.
    pub fn may_go_on(&self, rules: &RetryRules, outcome: Outcome, now: Tick) -> bool {
        rules.on.contains(outcome) && self.has_more_tries(rules, now)
    }

    /// Whether there are tries and time left at `now`.
    pub fn has_more_tries(&self, rules: &RetryRules, now: Tick) -> bool {
        let more_tries = u32::try_from(self.tries.len()).is_ok_and(|tries| tries <= rules.attempts);
        more_tries && now.since(self.began) < rules.within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Tick {
        Tick::at(Duration::from_secs(seconds))
    }

    fn trail(outcomes: &[Outcome]) -> Trail {
        let mut trail = Trail::new(at(0));
        for (place, outcome) in outcomes.iter().enumerate() {
            trail.begin(place);
            trail.end(*outcome);
        }
        trail
    }

    #[test]
    fn two_more_tries_within_ten_seconds_by_default() {
        let rules = RetryRules::default();
        let failed = Outcome::Status(500);
        assert!(trail(&[failed]).may_go_on(&rules, failed, at(9)));
        assert!(trail(&[failed; 2]).may_go_on(&rules, failed, at(9)));
        assert!(!trail(&[failed; 3]).may_go_on(&rules, failed, at(9)));
        assert!(!trail(&[failed]).may_go_on(&rules, failed, at(10)));
    }

    #[test]
    fn only_what_is_listed_is_tried_again() {
        let rules = RetryRules::default();
        let table = [
            (Outcome::Status(429), true),
            (Outcome::Status(408), true),
            (Outcome::Status(503), true),
            (Outcome::Connect, true),
            (Outcome::Timeout, true),
            (Outcome::Status(400), false),
            (Outcome::Status(401), false),
            (Outcome::Status(200), false),
            (Outcome::Stream, false),
        ];
        for (outcome, expected) in table {
            assert_eq!(trail(&[outcome]).may_go_on(&rules, outcome, at(1)), expected, "{outcome}");
        }
    }

    #[test]
    fn the_same_status_on_a_second_pair_is_the_requests_own() {
        let status = Outcome::Status;
        let table: [(&[Outcome], bool); 7] = [
            (&[status(500)], false),
            (&[status(500), status(500)], true),
            (&[status(500), status(503)], false),
            (&[status(500), status(503), status(500)], true),
            (&[status(429), status(429)], false),
            (&[status(401), status(401)], false),
            (&[Outcome::Connect, Outcome::Connect], false),
        ];
        for (outcomes, expected) in table {
            let last = *outcomes.last().unwrap();
            assert_eq!(trail(outcomes).is_poisoned_by(last), expected, "{outcomes:?}");
        }
    }

    #[test]
    fn what_was_tried_is_told_in_order() {
        let mut trail = trail(&[Outcome::Status(429)]);
        trail.begin(3);
        assert_eq!(trail.tries(), [(0, Some(Outcome::Status(429))), (3, None)]);
        assert!(trail.tried().contains(0) && trail.tried().contains(3));
    }
}
