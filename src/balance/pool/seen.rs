//! What a request finds when it looks at the pairs of a list.

use crate::balance::{PairSet, Tick};

/// The pairs as a request finds them.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) active: PairSet,
    /// Active pairs that have only a part of their weight.
    pub(super) parts: Vec<(usize, f64)>,
    pub(super) due: PairSet,
    /// When the first of the others comes back.
    pub(super) back: Option<Tick>,
    /// The one that comes back first of those that no operator holds.
    pub(super) soonest: Option<(usize, Tick)>,
    /// Whether any waits for an operator.
    pub(super) drained: bool,
}

impl Seen {
    pub(super) fn has_part(&mut self, place: usize, part: f64) {
        if part < 1.0 {
            self.parts.push((place, part));
        }
    }

    pub(super) fn comes_back(&mut self, place: usize, at: Tick, held: bool) {
        self.back = Some(self.back.map_or(at, |back| back.min(at)));
        if !held && self.soonest.is_none_or(|(_, soonest)| at < soonest) {
            self.soonest = Some((place, at));
        }
    }

    pub(super) fn is_anyone_out(&self) -> bool {
        self.back.is_some() || self.drained
    }
}
