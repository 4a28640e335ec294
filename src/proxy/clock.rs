//! The one place that reads a clock.

use crate::balance::Tick;
use std::time::{Instant, SystemTime};

/// A monotonic clock that starts when it is made.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Instant);

impl Clock {
    /// A clock whose origin is now.
    #[allow(clippy::disallowed_methods, reason = "this is the place that may")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The moment that it is.
    pub fn now(self) -> Tick {
        Tick::at(self.0.elapsed())
    }

    /// The moment that it is, as Tokio's timers count.
    pub fn instant(self, tick: Tick) -> tokio::time::Instant {
        (self.0 + tick.since(Tick::ORIGIN)).into()
    }
}

/// The time of day, for people.
#[allow(clippy::disallowed_methods, reason = "this is the place that may")]
pub fn time_of_day() -> SystemTime {
    SystemTime::now()
}
