//! The one place that reads a clock.

use crate::balance::Tick;
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant, SystemTime};

/// The monotonic clock of the machine. Its origin is the same for all processes, so that a moment means the same to the
/// one that takes over from this one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock;

impl Clock {
    /// The moment that it is.
    pub fn now(self) -> Tick {
        let now = clock_gettime(ClockId::Monotonic);
        let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
        let nanoseconds = u32::try_from(now.tv_nsec).unwrap_or_default();
        Tick::at(Duration::new(seconds, nanoseconds))
    }

    /// The moment that it is `after` from now, as Tokio's timers count.
    #[allow(clippy::disallowed_methods, reason = "this is the place that may")]
    pub fn instant(self, after: Duration) -> tokio::time::Instant {
        (Instant::now() + after).into()
    }
}

/// The time of day, for people.
#[allow(clippy::disallowed_methods, reason = "this is the place that may")]
pub fn time_of_day() -> SystemTime {
    SystemTime::now()
}
