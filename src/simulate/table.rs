//! What came of a script.

use crate::balance::{Outcome, Tick};

/// How many suspensions of a pair are listed; the rest are counted.
pub const LISTED_SUSPENSIONS: usize = 20;

/// What came of a script.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Of all requests.
    pub totals: Totals,
    /// Of each pair, in the order listed.
    pub pairs: Vec<PairRow>,
}

impl Table {
    /// The share, 0 to 1, that the pair at `place` has of the requests that were served.
    pub fn actual_share(&self, place: usize) -> f64 {
        match (self.pairs.get(place), self.totals.served) {
            (None, _) | (_, 0) => 0.0,
            (Some(row), served) => row.served as f64 / served as f64,
        }
    }
}

/// What came of all requests. Each was served, failed or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// How many there were.
    pub requests: u64,
    /// How many got a good answer.
    pub served: u64,
    /// How many got a failure, because no other pair might be tried.
    pub failed: u64,
    /// How many were tried nowhere, because every pair was suspended.
    pub refused: u64,
    /// How many tries there were beyond each request's first.
    pub retries: u64,
}

/// What came of the tries at one pair.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PairRow {
    /// The share of requests, 0 to 1, that it gets while all pairs are active.
    pub expected_share: f64,
    /// How many requests it served.
    pub served: u64,
    /// How many tries there were at it; each served a request or failed.
    pub tries: u64,
    /// How many of them failed.
    pub failures: u64,
    /// How many of them found out whether the pair was well again.
    pub probes: u64,
    /// How often it was suspended.
    pub suspensions: u64,
    /// The first [`LISTED_SUSPENSIONS`] of those.
    pub listed: Vec<SuspensionRow>,
}

/// A time during which a pair got nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuspensionRow {
    /// When it failed.
    pub from: Tick,
    /// When it could be probed.
    pub until: Tick,
    /// What for.
    pub reason: Outcome,
}

impl PairRow {
    pub(super) fn suspend(&mut self, from: Tick, until: Tick, reason: Outcome) {
        self.suspensions += 1;
        if self.listed.len() < LISTED_SUSPENSIONS {
            self.listed.push(SuspensionRow { from, until, reason });
        }
    }
}
