//! A moment, as a number.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A moment on a monotonic clock: nanoseconds since an origin that the caller chose, the same for all ticks that meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Tick(u64);

impl Tick {
    /// The clock's origin.
    pub const ORIGIN: Self = Self(0);

    /// The moment `since_origin` after the clock's origin; saturates after 584 years.
    pub fn at(since_origin: Duration) -> Self {
        Self(u64::try_from(since_origin.as_nanos()).unwrap_or(u64::MAX))
    }

    pub(super) fn from_nanoseconds(since_origin: u64) -> Self {
        Self(since_origin)
    }

    pub(super) fn nanoseconds(self) -> u64 {
        self.0
    }

    /// The moment `delay` later; saturates.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self(self.0.saturating_add(Self::at(delay).0))
    }

    /// How long it is from `earlier` to this moment; zero if `earlier` is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates() {
        let end = Tick::at(Duration::MAX);
        assert_eq!(end.after(Duration::from_secs(1)), end);
        assert_eq!(Tick::ORIGIN.since(end), Duration::ZERO);
        let later = Tick::ORIGIN.after(Duration::from_millis(250));
        assert_eq!(later.since(Tick::ORIGIN), Duration::from_millis(250));
    }
}
