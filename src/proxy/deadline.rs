//! The shorter of an endpoint's two timeouts.
//!
//! Pingora has one limit for the wait for a response's first byte and for every wait within it. Where an endpoint's
//! differ, the longer is Pingora's, and the shorter is kept here: a deadline that moves with what the vendor does, and a
//! watch that the client's session is read under.

use crate::gateway::Timeouts;
use pingora_core::{Error, ErrorType};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// The type of the error that ends a try whose deadline has passed.
pub const DEADLINE_PASSED: ErrorType = ErrorType::Custom("DeadlinePassed");

/// A deadline that can be moved.
#[derive(Debug)]
pub struct Deadline {
    at: watch::Sender<Option<Instant>>,
}

/// The reading end of a [`Deadline`].
#[derive(Debug, Clone)]
pub struct Watch(watch::Receiver<Option<Instant>>);

impl Deadline {
    /// A deadline that is not set.
    pub fn new() -> Self {
        Self { at: watch::Sender::new(None) }
    }

    /// Its reading end.
    pub fn watch(&self) -> Watch {
        Watch(self.at.subscribe())
    }

    /// Sets or lifts it.
    pub fn set(&self, at: Option<Instant>) {
        // Whoever watches is woken for each change, and there may be one for each part of a stream.
        self.at.send_if_modified(|before| std::mem::replace(before, at) != at);
    }
}

impl Watch {
    /// Waits until the deadline has passed, for ever if it never does.
    pub async fn passed(&mut self) -> Box<Error> {
        loop {
            let at = *self.0.borrow_and_update();
            let passed = async {
                match at {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = passed => return Error::explain(DEADLINE_PASSED, "the vendor was silent for too long"),
                changed = self.0.changed() => {
                    if changed.is_err() {
                        std::future::pending::<()>().await;
                    }
                }
            }
        }
    }
}

/// How long the vendor may be silent before its first byte, if Pingora does not see to it.
pub fn before_first_byte(timeouts: Timeouts) -> Option<Duration> {
    (timeouts.first_byte < timeouts.idle).then_some(timeouts.first_byte)
}

/// How long the vendor may be silent within a response, if Pingora does not see to it.
pub fn within_response(timeouts: Timeouts) -> Option<Duration> {
    (timeouts.idle < timeouts.first_byte).then_some(timeouts.idle)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn it_passes_when_it_says() {
        let deadline = Deadline::new();
        let mut watch = deadline.watch();
        let start = Instant::now();
        deadline.set(Some(start + 3 * SECOND));
        assert_eq!(*watch.passed().await.etype(), DEADLINE_PASSED);
        assert_eq!(start.elapsed(), 3 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn it_moves_while_it_is_watched() {
        let deadline = Deadline::new();
        let mut watch = deadline.watch();
        let start = Instant::now();
        deadline.set(Some(start + 3 * SECOND));
        let mover = async {
            tokio::time::sleep(2 * SECOND).await;
            deadline.set(Some(start + 5 * SECOND));
        };
        tokio::join!(watch.passed(), mover);
        assert_eq!(start.elapsed(), 5 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn lifted_it_never_passes() {
        let deadline = Deadline::new();
        let mut watch = deadline.watch();
        deadline.set(Some(Instant::now() + SECOND));
        deadline.set(None);
        assert!(tokio::time::timeout(1_000 * SECOND, watch.passed()).await.is_err());
    }

    #[test]
    fn only_the_shorter_of_the_two_is_kept_here() {
        let timeouts = |first_byte, idle| Timeouts { connect: SECOND, first_byte, idle };
        assert_eq!(before_first_byte(timeouts(SECOND, 2 * SECOND)), Some(SECOND));
        assert_eq!(within_response(timeouts(SECOND, 2 * SECOND)), None);
        assert_eq!(within_response(timeouts(2 * SECOND, SECOND)), Some(SECOND));
        assert_eq!(before_first_byte(timeouts(SECOND, SECOND)), None);
        assert_eq!(within_response(timeouts(SECOND, SECOND)), None);
    }
}
