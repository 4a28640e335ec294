//! How much time of a request is the gateway's own.

use crate::balance::Tick;
use std::time::Duration;

/// A watch that runs while the gateway works on a request, and stands still while it waits for others.
#[derive(Debug, Default)]
pub struct Stopwatch {
    running_since: Option<Tick>,
    before: Duration,
}

impl Stopwatch {
    /// From `now` on it is the gateway's time. If it was already, nothing changes.
    pub fn start(&mut self, now: Tick) {
        self.running_since.get_or_insert(now);
    }

    /// From `now` on it is somebody else's time. If it was already, nothing changes.
    pub fn stop(&mut self, now: Tick) {
        if let Some(since) = self.running_since.take() {
            self.before += now.since(since);
        }
    }

    /// The gateway's time up to the latest stop.
    pub fn total(&self) -> Duration {
        self.before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_what_lies_between_start_and_stop() {
        let at = |millis| Tick::at(Duration::from_millis(millis));
        let mut watch = Stopwatch::default();
        watch.stop(at(5));
        watch.start(at(10));
        watch.start(at(12));
        watch.stop(at(15));
        watch.stop(at(50));
        assert_eq!(watch.total(), Duration::from_millis(5));
        watch.start(at(60));
        assert_eq!(watch.total(), Duration::from_millis(5));
        watch.stop(at(61));
        assert_eq!(watch.total(), Duration::from_millis(6));
    }
}
