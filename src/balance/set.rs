//! A set of pairs of one list.

use serde::{Deserialize, Serialize};

/// The greatest number of pairs that one list can hold.
pub const MAX_PAIRS: usize = 128;

/// A set of places in a list of at most [`MAX_PAIRS`] pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(from = "Vec<usize>", into = "Vec<usize>")]
pub struct PairSet(u128);

impl PairSet {
    /// The empty set.
    pub const EMPTY: Self = Self(0);

    /// The first `count` places of a list, at most [`MAX_PAIRS`].
    pub fn first(count: usize) -> Self {
        match u32::try_from(count) {
            Ok(count) if count < u128::BITS => Self((1 << count) - 1),
            _ => Self(u128::MAX),
        }
    }

    /// Adds `place`; one beyond [`MAX_PAIRS`] is in no set.
    pub fn insert(&mut self, place: usize) {
        self.0 |= Self::bit(place);
    }

    /// Takes `place` out.
    pub fn remove(&mut self, place: usize) {
        self.0 &= !Self::bit(place);
    }

    /// The places of this set that are not in `others`.
    #[must_use]
    pub fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Whether `place` is in the set.
    pub fn contains(self, place: usize) -> bool {
        self.0 & Self::bit(place) != 0
    }

    /// Whether nothing is in the set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many places are in the set.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The places, lowest first.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let place = rest.trailing_zeros();
            rest &= rest.checked_sub(1)?;
            Some(place as usize)
        })
    }

    /// Of every place, from the first on, whether it is in the set.
    pub fn flags(self) -> impl Iterator<Item = bool> {
        let mut rest = self.0;
        std::iter::repeat_with(move || {
            let is_in = rest & 1 == 1;
            rest >>= 1;
            is_in
        })
    }

    /// The lowest place at or after `from`, else the lowest of all: the next one going round.
    pub fn next_round(self, from: usize) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let ahead = self.0 & !Self::first(from).0;
        let rest = if ahead == 0 { self.0 } else { ahead };
        Some(rest.trailing_zeros() as usize)
    }

    fn bit(place: usize) -> u128 {
        u32::try_from(place).ok().and_then(|place| 1u128.checked_shl(place)).unwrap_or(0)
    }
}

impl From<Vec<usize>> for PairSet {
    fn from(places: Vec<usize>) -> Self {
        places.into_iter().collect()
    }
}

impl From<PairSet> for Vec<usize> {
    fn from(set: PairSet) -> Self {
        set.iter().collect()
    }
}

impl FromIterator<usize> for PairSet {
    fn from_iter<I: IntoIterator<Item = usize>>(places: I) -> Self {
        let mut set = Self::EMPTY;
        for place in places {
            set.insert(place);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_was_put_in() {
        let mut set: PairSet = [0, 5, 127].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 5, 127]);
        assert_eq!(set.len(), 3);
        set.remove(5);
        assert!(!set.contains(5) && set.contains(127));
    }

    #[test]
    fn flags_and_places_tell_the_same() {
        let set: PairSet = [0, 5, 64, 127].into_iter().collect();
        let flagged = set.flags().take(MAX_PAIRS + 9).enumerate().filter(|(_, is_in)| *is_in);
        assert_eq!(flagged.map(|(place, _)| place).collect::<PairSet>(), set);
        let others: PairSet = [5, 6, 127].into_iter().collect();
        assert_eq!(set.without(others).iter().collect::<Vec<_>>(), [0, 64]);
    }

    #[test]
    fn a_place_beyond_the_end_is_in_no_set() {
        let mut set = PairSet::EMPTY;
        set.insert(MAX_PAIRS);
        assert!(set.is_empty());
        assert!(!PairSet::first(MAX_PAIRS).contains(MAX_PAIRS));
        assert_eq!(PairSet::first(MAX_PAIRS).len(), MAX_PAIRS);
        assert_eq!(PairSet::first(1_000).len(), MAX_PAIRS);
    }

    #[test]
    fn goes_round() {
        let set: PairSet = [1, 4].into_iter().collect();
        let rounds = [(0, 1), (1, 1), (2, 4), (4, 4), (5, 1), (128, 1)];
        for (from, expected) in rounds {
            assert_eq!(set.next_round(from), Some(expected), "from {from}");
        }
        assert_eq!(PairSet::EMPTY.next_round(3), None);
    }
}
