//! What is counted in: numbers that any thread may move without waiting for another.

use crate::balance::Outcome;
use once_cell::sync::OnceCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds `number`.
    pub fn add(&self, number: u64) {
        // Nothing else is read on the strength of it.
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    /// The number so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number for each status from 100 to 599, and one for all others. Of the five classes only those that are met take
/// memory.
#[derive(Debug, Default)]
pub struct Statuses {
    classes: [OnceCell<Box<[Count]>>; 5],
    other: Count,
}

impl Statuses {
    /// Counts `status`.
    pub fn count(&self, status: u16) {
        self.cell(status).unwrap_or(&self.other).add(1);
    }

    /// The statuses that were met, and how often. `None` stands for all outside of 100 to 599.
    pub fn met(&self) -> impl Iterator<Item = (Option<u16>, u64)> {
        let classes = (1u16..).zip(&self.classes);
        let counts = classes.flat_map(|(class, counts)| {
            let counts = counts.get().into_iter().flatten();
            (100 * class..).zip(counts).map(|(status, count)| (Some(status), count.get()))
        });
        let other = std::iter::once_with(|| (None, self.other.get()));
        counts.chain(other).filter(|(_, count)| *count > 0)
    }

    fn cell(&self, status: u16) -> Option<&Count> {
        let class = usize::from(status / 100).checked_sub(1)?;
        let class = self.classes.get(class)?;
        let hundred = || (0..100).map(|_| Count::default()).collect();
        class.get_or_init(hundred).get(usize::from(status % 100))
    }
}

/// A number for each outcome of a try.
#[derive(Debug, Default)]
pub struct Outcomes {
    statuses: Statuses,
    connect: Count,
    timeout: Count,
    stream: Count,
    quota: Count,
    /// The client went before anything came of it.
    abandoned: Count,
}

impl Outcomes {
    /// Counts `outcome`; `None` if the client went before there was one.
    pub fn count(&self, outcome: Option<Outcome>) {
        match outcome {
            Some(Outcome::Status(status)) => self.statuses.count(status),
            Some(Outcome::Connect) => self.connect.add(1),
            Some(Outcome::Timeout) => self.timeout.add(1),
            Some(Outcome::Stream) => self.stream.add(1),
            Some(Outcome::Quota) => self.quota.add(1),
            None => self.abandoned.add(1),
        }
    }

    /// The numbers of statuses.
    pub fn statuses(&self) -> &Statuses {
        &self.statuses
    }

    /// The other outcomes with their names, met or not.
    pub fn named(&self) -> [(&'static str, u64); 5] {
        [
            ("connect", self.connect.get()),
            ("timeout", self.timeout.get()),
            ("stream", self.stream.get()),
            ("quota", self.quota.get()),
            ("abandoned", self.abandoned.get()),
        ]
    }
}

/// What the numbers of a histogram are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds, told of in seconds.
    Nanoseconds,
    /// As they are.
    One,
}

/// The greatest numbers of a histogram's buckets, in growing order, and what they are.
#[derive(Debug)]
pub struct Buckets {
    /// The greatest number of each bucket. Beyond the last there is one more.
    pub bounds: &'static [u64],
    /// What the numbers are.
    pub unit: Unit,
}

/// How often a number has been how great.
#[derive(Debug)]
pub struct Histogram {
    buckets: &'static Buckets,
    counts: Box<[Count]>,
    sum: Count,
}

impl Histogram {
    /// A histogram with these buckets.
    pub fn new(buckets: &'static Buckets) -> Self {
        let counts = (0..=buckets.bounds.len()).map(|_| Count::default()).collect();
        Self { buckets, counts, sum: Count::default() }
    }

    /// Counts a number.
    pub fn observe(&self, number: u64) {
        let bucket = self.buckets.bounds.partition_point(|&bound| bound < number);
        if let Some(count) = self.counts.get(bucket) {
            count.add(1);
        }
        self.sum.add(number);
    }

    /// Counts a duration.
    pub fn observe_duration(&self, duration: Duration) {
        self.observe(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Its buckets.
    pub fn buckets(&self) -> &'static Buckets {
        self.buckets
    }

    /// The count of each bucket, the one beyond the last bound included.
    pub fn counts(&self) -> impl Iterator<Item = u64> {
        self.counts.iter().map(Count::get)
    }

    /// The sum of all numbers; it wraps.
    pub fn sum(&self) -> u64 {
        self.sum.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_status_is_counted_and_few_take_memory() {
        let statuses = Statuses::default();
        for status in [0, 99, 100, 200, 200, 404, 599, 600, 999, u16::MAX] {
            statuses.count(status);
        }
        let met: Vec<_> = statuses.met().collect();
        let expected = [(Some(100), 1), (Some(200), 2), (Some(404), 1), (Some(599), 1), (None, 5)];
        assert_eq!(met, expected);
        assert!(statuses.classes[2].get().is_none());
    }

    #[test]
    fn outcomes_are_told_apart() {
        let outcomes = Outcomes::default();
        let all = [Outcome::Status(200), Outcome::Connect, Outcome::Timeout, Outcome::Stream, Outcome::Quota];
        for (times, outcome) in (1..).zip(all.map(Some).into_iter().chain([None])) {
            (0..times).for_each(|_| outcomes.count(outcome));
        }
        assert_eq!(outcomes.statuses().met().collect::<Vec<_>>(), [(Some(200), 1)]);
        let expected = [("connect", 2), ("timeout", 3), ("stream", 4), ("quota", 5), ("abandoned", 6)];
        assert_eq!(outcomes.named(), expected);
    }

    #[test]
    fn a_bucket_holds_its_bound() {
        static BUCKETS: Buckets = Buckets { bounds: &[10, 20], unit: Unit::One };
        let histogram = Histogram::new(&BUCKETS);
        for number in [0, 10, 11, 20, 21, 1_000] {
            histogram.observe(number);
        }
        assert_eq!(histogram.counts().collect::<Vec<_>>(), [2, 2, 2]);
        assert_eq!(histogram.sum(), 1_062);
    }
}
