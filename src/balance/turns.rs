//! Whose turn it is, on every thread, and how often each pair has had it.

use super::{PairSet, Turn};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The turns of one list. A list that replaces it while requests are served goes on with them.
#[derive(Debug)]
pub struct Turns {
    /// Held for a choice, never across an await.
    turn: Mutex<Turn>,
    chosen: Box<[AtomicU64]>,
}

/// The turns of a list, to be carried to another process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TurnsRecord {
    turn: Turn,
    chosen: Vec<u64>,
}

impl Turns {
    /// Nobody has had a turn yet.
    pub fn new(turn: Turn) -> Self {
        let chosen = (0..turn.count()).map(|_| AtomicU64::new(0)).collect();
        Self { turn: Mutex::new(turn), chosen }
    }

    /// What another process needs to go on with them.
    pub fn record(&self) -> TurnsRecord {
        let chosen = self.chosen.iter().map(|chosen| chosen.load(Ordering::Relaxed)).collect();
        TurnsRecord { turn: self.turn.lock().clone(), chosen }
    }

    /// `fresh`, going on where `earlier` is; `places` has, for each pair, its place there. Where nothing has changed they
    /// are `earlier` itself, so that choices that are made meanwhile count.
    pub fn continued(fresh: &Arc<Self>, earlier: &Arc<Self>, places: &[Option<usize>]) -> Arc<Self> {
        let mut turn = fresh.turn.lock().clone();
        let unmoved = places.iter().enumerate().all(|(here, there)| *there == Some(here));
        let before = earlier.turn.lock();
        if unmoved && turn.takes_the_same_turns(&before) {
            return Arc::clone(earlier);
        }
        turn.continue_from(&before, places);
        Arc::new(Self::counted(turn, places, |there| earlier.times_chosen(there)))
    }

    /// `fresh`, going on where another process was when it made `record`; `places` has, for each pair, its place there.
    pub fn restored(fresh: &Arc<Self>, record: &TurnsRecord, places: &[Option<usize>]) -> Arc<Self> {
        let mut turn = fresh.turn.lock().clone();
        turn.continue_from(&record.turn, places);
        Arc::new(Self::counted(turn, places, |there| record.chosen.get(there).copied().unwrap_or(0)))
    }

    fn counted(turn: Turn, places: &[Option<usize>], times: impl Fn(usize) -> u64) -> Self {
        let chosen = places.iter().map(|there| AtomicU64::new(there.map_or(0, &times))).collect();
        Self { turn: Mutex::new(turn), chosen }
    }

    /// The next pair among `eligible`, of which some have only a part of their weight.
    pub(super) fn next(&self, eligible: PairSet, parts: &[(usize, f64)]) -> Option<usize> {
        self.turn.lock().next_ramping(eligible, parts)
    }

    pub(super) fn share(&self, place: usize) -> f64 {
        self.turn.lock().share(place)
    }

    pub(super) fn policy(&self) -> &'static str {
        self.turn.lock().policy()
    }

    pub(super) fn count(&self, place: usize) {
        if let Some(chosen) = self.chosen.get(place) {
            chosen.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn times_chosen(&self, place: usize) -> u64 {
        self.chosen.get(place).map_or(0, |chosen| chosen.load(Ordering::Relaxed))
    }
}
