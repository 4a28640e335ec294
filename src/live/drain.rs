//! What is under way, and whether the process is about to end.

use super::Clock;
use crate::balance::Tick;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// How long nothing must have happened before a process without connections ends: a connection may just have been taken.
const QUIET_WITHOUT_CONNECTIONS: Duration = Duration::from_millis(250);

/// How long nothing must have happened before a process ends though clients keep connections to it. Each of them may
/// send one more request, and is told with its answer that the connection ends.
const QUIET: Duration = Duration::from_secs(1);

/// How often to look whether all is over.
const INTERVAL: Duration = Duration::from_millis(20);

/// Counts what is under way; once begun, lets it come to its end.
#[derive(Debug)]
pub struct Drain {
    begun: watch::Sender<bool>,
    requests: AtomicUsize,
    connections: AtomicUsize,
    /// When something last ended, as nanoseconds of its tick, while draining.
    latest_end: AtomicU64,
}

/// Something under way, until dropped.
#[derive(Debug)]
pub struct UnderWay {
    drain: Arc<Drain>,
    what: What,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Request,
    Connection,
}

impl Default for Drain {
    fn default() -> Self {
        Self {
            begun: watch::Sender::new(false),
            requests: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            latest_end: AtomicU64::new(0),
        }
    }
}

impl Drain {
    /// A request is under way until what is returned is dropped.
    pub fn request(self: &Arc<Self>) -> UnderWay {
        self.enter(What::Request)
    }

    /// A connection is open until what is returned is dropped.
    pub fn connection(self: &Arc<Self>) -> UnderWay {
        self.enter(What::Connection)
    }

    /// How many requests are under way.
    pub fn in_flight(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// How many connections of clients are open.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Whether the process is about to end.
    pub fn is_draining(&self) -> bool {
        *self.begun.borrow()
    }

    /// Becomes true when the process is about to end.
    pub fn watch(&self) -> watch::Receiver<bool> {
        self.begun.subscribe()
    }

    /// From now on the process is about to end. Returns whether it was not before.
    pub fn begin(&self) -> bool {
        !self.begun.send_replace(true)
    }

    /// Waits until nothing is under way any more, at most for `limit`. Returns whether that is so.
    pub async fn finished(&self, limit: Duration) -> bool {
        let clock = Clock;
        let begun = clock.now();
        loop {
            let now = clock.now();
            let latest = Tick::at(Duration::from_nanos(self.latest_end.load(Ordering::Relaxed))).max(begun);
            if self.is_over(now.since(latest)) {
                return true;
            }
            if now.since(begun) >= limit {
                return false;
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    fn is_over(&self, quiet: Duration) -> bool {
        let enough = if self.connections() == 0 { QUIET_WITHOUT_CONNECTIONS } else { QUIET };
        self.in_flight() == 0 && quiet >= enough
    }

    fn enter(self: &Arc<Self>, what: What) -> UnderWay {
        self.count(what).fetch_add(1, Ordering::Relaxed);
        UnderWay { drain: Arc::clone(self), what }
    }

    fn count(&self, what: What) -> &AtomicUsize {
        match what {
            What::Request => &self.requests,
            What::Connection => &self.connections,
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.drain.count(self.what).fetch_sub(1, Ordering::Relaxed);
        if self.drain.is_draining() {
            let now = Clock.now().since(Tick::ORIGIN).as_nanos();
            self.drain.latest_end.store(u64::try_from(now).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_is_counted() {
        let drain = Arc::new(Drain::default());
        let (one, other, connection) = (drain.request(), drain.request(), drain.connection());
        assert_eq!((drain.in_flight(), drain.connections()), (2, 1));
        drop(one);
        assert!(!drain.is_over(Duration::MAX), "a request is under way");
        drop(other);
        assert!(!drain.is_over(QUIET_WITHOUT_CONNECTIONS), "a client may still send something");
        assert!(drain.is_over(QUIET));
        drop(connection);
        assert!(drain.is_over(QUIET_WITHOUT_CONNECTIONS));
    }

    #[test]
    fn it_begins_once() {
        let drain = Drain::default();
        assert!(!drain.is_draining());
        assert!(drain.begin() && !drain.begin());
        assert!(drain.is_draining() && *drain.watch().borrow());
    }

    #[tokio::test]
    async fn it_is_given_up_at_its_limit() {
        let drain = Arc::new(Drain::default());
        let _request = drain.request();
        assert!(!drain.finished(Duration::ZERO).await);
    }
}
