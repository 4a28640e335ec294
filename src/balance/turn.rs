//! Whose turn it is.
//!
//! Round robin goes round the list and takes each eligible pair. Weighted round robin is nginx's smooth algorithm
//! (`ngx_http_upstream_get_round_robin_peer`, 2012): each choice adds every eligible pair's weight to its credit, takes
//! the pair with the most credit, the first listed among equals, and charges it the sum of the weights. From equal
//! credits it is periodic with period `sum ÷ gcd`, so every window of that length holds each pair exactly in proportion,
//! and it spreads a heavy pair's choices between the others' (`a a b a c a a`, not `a a a a a b c`).
//!
//! Credits gathered among one set of pairs would tilt the first choices among another. Each set of eligible pairs
//! therefore has credits of its own: while a pair is out, the others' proportions are exact among themselves, and when
//! it is back the full set goes on where it stopped.

use super::{MAX_PAIRS, PairSet};
use serde::{Deserialize, Serialize};

mod carry;

/// How many sets of eligible pairs keep their credits; the one unused for longest starts anew beyond it.
const REMEMBERED_SETS: usize = 16;

/// The greatest weight that a pair can have.
pub const MAX_WEIGHT: u32 = 1_000_000;

/// Whose turn it is among the pairs of one list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Turn {
    /// Each eligible pair in turn.
    RoundRobin(RoundRobin),
    /// Each eligible pair in proportion to its weight.
    Weighted(Weighted),
}

/// Weights that no turn can be made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeightError {
    /// There is nothing to choose from.
    #[error("no pair has a weight above 0")]
    AllZero,
    /// A weight exceeds [`MAX_WEIGHT`].
    #[error("the weight {0} is above {MAX_WEIGHT}")]
    TooGreat(u32),
    /// There are more pairs than [`MAX_PAIRS`].
    #[error("{0} pairs are more than the {MAX_PAIRS} that one list can hold")]
    TooMany(usize),
}

impl Turn {
    /// A plain round robin over `count` pairs.
    ///
    /// # Errors
    /// [`WeightError::AllZero`] for no pair at all, [`WeightError::TooMany`] for more than [`MAX_PAIRS`].
    pub fn round_robin(count: usize) -> Result<Self, WeightError> {
        match count {
            0 => Err(WeightError::AllZero),
            1..=MAX_PAIRS => Ok(Self::RoundRobin(RoundRobin { count, next: 0 })),
            _ => Err(WeightError::TooMany(count)),
        }
    }

    /// A smooth weighted round robin over pairs of these weights, 0 to [`MAX_WEIGHT`]; a pair of weight 0 is never
    /// chosen.
    ///
    /// # Errors
    /// One of [`WeightError`], where no choice could ever be made or a weight is out of range.
    pub fn weighted(weights: &[u32]) -> Result<Self, WeightError> {
        if weights.len() > MAX_PAIRS {
            return Err(WeightError::TooMany(weights.len()));
        }
        if let Some(&weight) = weights.iter().find(|&&weight| weight > MAX_WEIGHT) {
            return Err(WeightError::TooGreat(weight));
        }
        if weights.iter().all(|&weight| weight == 0) {
            return Err(WeightError::AllZero);
        }
        Ok(Self::Weighted(Weighted {
            weights: weights.iter().copied().map(i64::from).collect(),
            credits: Vec::new(),
            saved_parts: vec![0.0; weights.len()].into_boxed_slice(),
        }))
    }

    /// The pairs that can be chosen at all.
    pub fn members(&self) -> PairSet {
        match self {
            Self::RoundRobin(turn) => PairSet::first(turn.count),
            Self::Weighted(turn) => turn.members(),
        }
    }

    /// How many pairs are in the list.
    pub fn count(&self) -> usize {
        match self {
            Self::RoundRobin(turn) => turn.count,
            Self::Weighted(turn) => turn.weights.len(),
        }
    }

    /// Whether `other` takes its turns among as many pairs, of the same weights.
    pub fn takes_the_same_turns(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::RoundRobin(one), Self::RoundRobin(other)) => one.count == other.count,
            (Self::Weighted(one), Self::Weighted(other)) => one.weights == other.weights,
            (Self::RoundRobin(_), Self::Weighted(_)) | (Self::Weighted(_), Self::RoundRobin(_)) => false,
        }
    }

    /// The share of choices, 0 to 1, that the pair at `place` gets while all are eligible.
    pub fn share(&self, place: usize) -> f64 {
        match self {
            Self::RoundRobin(turn) if place < turn.count => 1.0 / turn.count as f64,
            Self::RoundRobin(_) => 0.0,
            Self::Weighted(turn) => {
                let weight = turn.weights.get(place).copied().unwrap_or(0);
                weight as f64 / turn.weights.iter().sum::<i64>() as f64
            }
        }
    }

    /// The name of the policy that takes turns like this.
    pub fn policy(&self) -> &'static str {
        match self {
            Self::RoundRobin(_) => "model_round_robin",
            Self::Weighted(_) => "model_weighted_round_robin",
        }
    }

    /// The next pair among `eligible`, which holds [`Turn::members`] only; `None` if it is empty.
    pub fn next(&mut self, eligible: PairSet) -> Option<usize> {
        self.next_ramping(eligible, &[])
    }

    /// The next pair among `eligible` while some pairs have only a part, 0 to 1, of their weight. Each of those gets
    /// its reduced share, and the rest are exact among themselves. A plain round robin knows no parts.
    pub fn next_ramping(&mut self, eligible: PairSet, parts: &[(usize, f64)]) -> Option<usize> {
        match self {
            Self::RoundRobin(turn) => turn.next(eligible),
            Self::Weighted(turn) => turn.next_ramping(eligible, parts),
        }
    }
}

/// The state of a plain round robin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoundRobin {
    count: usize,
    next: usize,
}

impl RoundRobin {
    fn next(&mut self, eligible: PairSet) -> Option<usize> {
        let place = eligible.next_round(self.next)?;
        self.next = if place + 1 < self.count { place + 1 } else { 0 };
        Some(place)
    }
}

/// The state of a smooth weighted round robin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Weighted {
    weights: Box<[i64]>,
    /// The sets that were eligible, the latest first.
    credits: Vec<Credits>,
    /// What each pair has saved up of its reduced share, 0 to 1, while it has only a part of its weight.
    saved_parts: Box<[f64]>,
}

/// What each pair has saved up among one set of eligible pairs. The sum is always 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Credits {
    eligible: PairSet,
    saved: Box<[i64]>,
}

impl Weighted {
    fn members(&self) -> PairSet {
        let weights = self.weights.iter().enumerate();
        weights.filter(|(_, weight)| **weight > 0).map(|(place, _)| place).collect()
    }

    /// A pair with a part of its weight saves up, at every choice, the share that the part is of all weights, and is
    /// taken when it has saved up one choice. All other choices are made among the rest alone, with credits of their own.
    fn next_ramping(&mut self, eligible: PairSet, parts: &[(usize, f64)]) -> Option<usize> {
        let mut rest = eligible;
        parts.iter().for_each(|(place, _)| rest.remove(*place));
        if rest == eligible || rest.is_empty() {
            return self.next(eligible);
        }
        let part_of = |place: usize| parts.iter().find(|(p, _)| *p == place).map_or(1.0, |(_, part)| *part);
        let weight = |place: usize| self.weights.get(place).map_or(0.0, |&w| w as f64 * part_of(place));
        let total: f64 = eligible.iter().map(weight).sum();
        let mut taken = None;
        for &(place, _) in parts.iter().filter(|(place, _)| eligible.contains(*place)) {
            let share = weight(place) / total;
            let Some(saved) = self.saved_parts.get_mut(place) else { continue };
            *saved += share;
            if taken.is_none() && *saved >= 1.0 {
                *saved -= 1.0;
                taken = Some(place);
            }
        }
        taken.or_else(|| self.next(rest))
    }

    fn next(&mut self, eligible: PairSet) -> Option<usize> {
        self.bring_forward(eligible);
        let Self { weights, credits, .. } = self;
        let saved = &mut credits.first_mut()?.saved;

        let mut total = 0;
        let mut best: Option<(usize, i64)> = None;
        let all = saved.iter_mut().zip(weights.iter()).zip(eligible.flags());
        for (place, ((saved, &weight), is_eligible)) in all.enumerate() {
            if !is_eligible {
                continue;
            }
            *saved += weight;
            total += weight;
            if best.is_none_or(|(_, most)| *saved > most) {
                best = Some((place, *saved));
            }
        }
        let (place, _) = best?;
        *saved.get_mut(place)? -= total;
        Some(place)
    }

    /// Puts the credits of `eligible` first, all 0 if the set has none yet.
    fn bring_forward(&mut self, eligible: PairSet) {
        if self.credits.first().is_some_and(|c| c.eligible == eligible) {
            return;
        }
        let known = self.credits.iter().position(|c| c.eligible == eligible);
        if let Some(up_to_known) = known.and_then(|known| self.credits.get_mut(..=known)) {
            up_to_known.rotate_right(1);
            return;
        }
        self.credits.truncate(REMEMBERED_SETS - 1);
        let saved = vec![0; self.weights.len()].into_boxed_slice();
        self.credits.insert(0, Credits { eligible, saved });
    }
}

#[cfg(test)]
mod tests;
