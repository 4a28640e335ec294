//! A share of requests that fail, evenly spread and exactly counted.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;

/// Rates are kept in parts per billion: whole numbers make the count exact where adding `0.1` up would drift.
const WHOLE: u32 = 1_000_000_000;

/// How many requests fail, and with which status: `500:0.1` is one in ten with 500.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailRate {
    status: StatusCode,
    parts_per_billion: u32,
}

impl FailRate {
    /// A `rate` from 0 to 1 of the requests fails with `status`, which is from 400 to 599.
    ///
    /// # Errors
    /// [`FailRateError`] when either is out of its range.
    pub fn new(status: StatusCode, rate: f64) -> Result<Self, FailRateError> {
        if !(status.is_client_error() || status.is_server_error()) {
            return Err(FailRateError::Status(status.as_str().to_owned()));
        }
        if !(0.0..=1.0).contains(&rate) {
            return Err(FailRateError::Rate(rate.to_string()));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "in range by the check above: at most WHOLE"
        )]
        let parts_per_billion = (rate * f64::from(WHOLE)).round() as u32;
        Ok(Self { status, parts_per_billion })
    }

    /// The status of the failing requests.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The share of the requests that fails, 0 to 1.
    pub fn rate(&self) -> f64 {
        f64::from(self.parts_per_billion) / f64::from(WHOLE)
    }
}

impl FromStr for FailRate {
    type Err = FailRateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (status, rate) = text.split_once(':').ok_or_else(|| FailRateError::Form(text.to_owned()))?;
        let status = status.parse::<StatusCode>().map_err(|_| FailRateError::Status(status.to_owned()))?;
        let rate = rate.parse::<f64>().map_err(|_| FailRateError::Rate(rate.to_owned()))?;
        Self::new(status, rate)
    }
}

impl fmt::Display for FailRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.status.as_str(), self.rate())
    }
}

/// Why a text is not a [`FailRate`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FailRateError {
    /// No colon between a status and a rate.
    #[error("`{0}` is not STATUS:RATE, for instance 500:0.1")]
    Form(String),
    /// The part before the colon is no failing status.
    #[error("`{0}` is not an HTTP status from 400 to 599")]
    Status(String),
    /// The part after the colon is no rate.
    #[error("`{0}` is not a rate from 0 to 1")]
    Rate(String),
}

/// Which requests of a run fail: the n-th does when the whole part of n × rate grows at n.
#[derive(Debug)]
pub(super) struct FailSchedule {
    rate: FailRate,
    seen: AtomicU64,
}

impl FailSchedule {
    pub(super) fn new(rate: FailRate) -> Self {
        Self { rate, seen: AtomicU64::new(0) }
    }

    /// Counts one request; the status it fails with, if it is one that fails.
    pub(super) fn next(&self) -> Option<StatusCode> {
        let before = self.seen.fetch_add(1, Ordering::Relaxed);
        let failed_of = |n: u64| u128::from(n) * u128::from(self.rate.parts_per_billion) / u128::from(WHOLE);
        let fails = failed_of(before.wrapping_add(1)) > failed_of(before);
        fails.then_some(self.rate.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_status_and_rate() {
        for (text, status, rate) in [("500:0.1", 500, 0.1), ("429:1", 429, 1.0), ("503:0", 503, 0.0)] {
            let read: FailRate = text.parse().unwrap();
            assert_eq!(read.status().as_u16(), status, "{text}");
            assert_eq!(read.rate(), rate, "{text}");
            assert_eq!(read.to_string(), text);
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, message) in [
            ("500", "`500` is not STATUS:RATE, for instance 500:0.1"),
            ("", "`` is not STATUS:RATE, for instance 500:0.1"),
            ("abc:0.1", "`abc` is not an HTTP status from 400 to 599"),
            ("200:0.1", "`200` is not an HTTP status from 400 to 599"),
            ("600:0.1", "`600` is not an HTTP status from 400 to 599"),
            ("500:ten", "`ten` is not a rate from 0 to 1"),
            ("500:1.5", "`1.5` is not a rate from 0 to 1"),
            ("500:-0.1", "`-0.1` is not a rate from 0 to 1"),
            ("500:NaN", "`NaN` is not a rate from 0 to 1"),
        ] {
            let error = text.parse::<FailRate>().unwrap_err();
            assert_eq!(error.to_string(), message, "{text}");
        }
    }

    proptest! {
        #[test]
        fn fails_exactly_its_share_evenly_spread(percent in 0u32..=100, rounds in 1usize..5) {
            let rate = FailRate::new(StatusCode::BAD_GATEWAY, f64::from(percent) / 100.0).unwrap();
            let schedule = FailSchedule::new(rate);
            for round in 0..rounds {
                let failed: Vec<bool> = (0..100).map(|_| schedule.next().is_some()).collect();
                prop_assert_eq!(failed.iter().filter(|f| **f).count(), percent as usize, "round {}", round);
                // Evenly spread: the gap between two failures is the average gap, rounded either way.
                let at: Vec<usize> = (0..100).filter(|i| failed[*i]).collect();
                for pair in at.windows(2) {
                    let gap = u32::try_from(pair[1] - pair[0]).unwrap();
                    prop_assert!(gap == 100 / percent || gap == 100u32.div_ceil(percent));
                }
            }
        }
    }
}
