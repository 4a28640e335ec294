//! What is under way, and whether the process is about to end.

use super::Clock;
use crate::balance::Tick;
use parking_lot::Mutex;
use std::any::Any;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::watch;

/// How long nothing must have happened before a process without connections ends: a connection may just have been taken.
const QUIET_WITHOUT_CONNECTIONS: Duration = Duration::from_millis(250);

/// How long nothing must have happened before a process ends though clients keep connections to it. Each of them may
/// send one more request, and is told with its answer that the connection ends.
const QUIET: Duration = Duration::from_secs(1);

/// How long a client may take for the handshake of TLS and its first request, before which its connection does not count as
/// one.
const HANDSHAKE: Duration = Duration::from_secs(3);

/// How long a client may take to read what is left of its answers, once all of them have been made.
const READING: Duration = Duration::from_secs(10);

/// How often to look whether all is over.
const INTERVAL: Duration = Duration::from_millis(20);

/// Counts what is under way; once begun, lets it come to its end.
#[derive(Debug)]
pub struct Drain {
    begun: watch::Sender<bool>,
    /// Whether nobody sends anything any more, so that connections can be closed.
    quiet: watch::Sender<bool>,
    requests: AtomicUsize,
    connections: Mutex<Connections>,
    /// When something last ended, while draining.
    latest_end: Moment,
    /// How many handshakes of TLS have begun that no request has followed. Those that failed stay in it.
    handshakes: AtomicUsize,
    /// When the latest has begun.
    latest_handshake: Moment,
}

/// A tick, as its nanoseconds.
#[derive(Debug, Default)]
struct Moment(AtomicU64);

impl Moment {
    fn set(&self, tick: Tick) {
        let nanoseconds = u64::try_from(tick.since(Tick::ORIGIN).as_nanos()).unwrap_or(u64::MAX);
        self.0.store(nanoseconds, Ordering::Relaxed);
    }

    fn get(&self) -> Tick {
        Tick::at(Duration::from_nanos(self.0.load(Ordering::Relaxed)))
    }
}

/// A request that is under way, until dropped.
#[derive(Debug)]
pub struct UnderWay(Arc<Drain>);

/// The connections of clients that have sent a request.
#[derive(Debug, Default)]
struct Connections {
    /// What stands for each. It goes with the connection.
    open: Vec<Weak<dyn Any + Send + Sync>>,
    /// How many there may be before those that have gone are looked for.
    sweep_at: usize,
}

impl Connections {
    fn add(&mut self, connection: Weak<dyn Any + Send + Sync>) {
        if self.open.len() >= self.sweep_at {
            self.sweep();
            // As many again are added before the next time, so that each is looked at twice or so in its life.
            self.sweep_at = 2 * self.open.len().max(64);
        }
        self.open.push(connection);
    }

    fn sweep(&mut self) {
        self.open.retain(|connection| connection.strong_count() > 0);
    }
}

impl Default for Drain {
    fn default() -> Self {
        Self {
            begun: watch::Sender::new(false),
            quiet: watch::Sender::new(false),
            requests: AtomicUsize::new(0),
            connections: Mutex::default(),
            latest_end: Moment::default(),
            handshakes: AtomicUsize::new(0),
            latest_handshake: Moment::default(),
        }
    }
}

impl Drain {
    /// A request is under way until what is returned is dropped.
    pub fn request(self: &Arc<Self>) -> UnderWay {
        self.requests.fetch_add(1, Ordering::Relaxed);
        UnderWay(Arc::clone(self))
    }

    /// A request has come on a client's connection, which is open as long as `connection` lives. Returns whether it is the
    /// first one.
    pub fn request_on<C: Any + Send + Sync>(&self, connection: &Arc<C>) -> bool {
        // Nobody but this keeps it weakly.
        if Arc::weak_count(connection) > 0 {
            return false;
        }
        let mut connections = self.connections.lock();
        // Over HTTP/2 several first ones may come at once.
        let first = Arc::weak_count(connection) == 0;
        if first {
            let connection = Arc::downgrade(connection);
            connections.add(connection);
        }
        first
    }

    /// A client has connected, and is about to begin with TLS.
    pub fn handshake_begins(&self) {
        self.latest_handshake.set(Clock.now());
        self.handshakes.fetch_add(1, Ordering::Relaxed);
    }

    /// It has sent its first request.
    pub fn handshake_done(&self) {
        self.handshakes.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many requests are under way.
    pub fn in_flight(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// How many connections are open of clients that have sent a request.
    pub fn connections(&self) -> usize {
        let mut connections = self.connections.lock();
        connections.sweep();
        connections.open.len()
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

    /// Waits until nobody sends anything any more.
    pub async fn is_quiet(&self) {
        // The sender lives as long as this future.
        let _ = self.quiet.subscribe().wait_for(|quiet| *quiet).await;
    }

    /// Waits until nothing is under way any more, at most for `limit`. Returns whether that is so.
    pub async fn finished(&self, limit: Duration) -> bool {
        let begun = Clock.now();
        let is_over = |now: Tick| {
            let quiet = now.since(self.latest_end.get().max(begun));
            self.is_over(quiet) && !self.is_shaking_hands(now)
        };
        if !wait(is_over, begun.after(limit)).await {
            return false;
        }
        self.quiet.send_replace(true);
        // Over HTTP/2 an answer has been made when it is in a buffer of ours, and the client may still be reading it.
        let until = begun.after(limit).min(Clock.now().after(READING));
        wait(|_| self.connections() == 0, until).await;
        true
    }

    fn is_over(&self, quiet: Duration) -> bool {
        let enough = if self.connections() == 0 { QUIET_WITHOUT_CONNECTIONS } else { QUIET };
        self.in_flight() == 0 && quiet >= enough
    }

    fn is_shaking_hands(&self, now: Tick) -> bool {
        self.handshakes.load(Ordering::Relaxed) > 0 && now.since(self.latest_handshake.get()) < HANDSHAKE
    }
}

/// Waits until `is_so`, at most until `until`. Returns whether it is.
async fn wait(is_so: impl Fn(Tick) -> bool, until: Tick) -> bool {
    loop {
        let now = Clock.now();
        if is_so(now) {
            return true;
        }
        if now >= until {
            return false;
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let Self(drain) = self;
        drain.requests.fetch_sub(1, Ordering::Relaxed);
        if drain.is_draining() {
            drain.latest_end.set(Clock.now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_is_counted() {
        let drain = Arc::new(Drain::default());
        let (one, other, connection) = (drain.request(), drain.request(), Arc::new("a connection"));
        assert!(drain.request_on(&connection));
        assert!(!drain.request_on(&connection), "it has sent one before");
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
    fn connections_that_have_gone_take_no_memory() {
        let drain = Drain::default();
        let stay = Arc::new(0);
        assert!(drain.request_on(&stay));
        for number in 1..10_000 {
            assert!(drain.request_on(&Arc::new(number)));
        }
        assert!(drain.connections.lock().open.len() <= 128);
        assert_eq!(drain.connections(), 1);
    }

    #[test]
    fn handshakes_are_waited_for_but_not_for_long() {
        let drain = Drain::default();
        assert!(!drain.is_shaking_hands(Clock.now()));
        drain.handshake_begins();
        drain.handshake_begins();
        drain.handshake_done();
        let begun = drain.latest_handshake.get();
        assert!(drain.is_shaking_hands(begun));
        assert!(!drain.is_shaking_hands(begun.after(HANDSHAKE)), "one that failed is not waited for");
        drain.handshake_done();
        assert!(!drain.is_shaking_hands(begun));
    }

    #[test]
    fn it_begins_once() {
        let drain = Drain::default();
        assert!(!drain.is_draining());
        assert!(drain.begin() && !drain.begin());
        assert!(drain.is_draining() && *drain.watch().borrow());
    }

    #[tokio::test]
    async fn connections_are_closed_when_nobody_sends_anything_any_more() {
        let drain = Arc::new(Drain::default());
        drain.begin();
        let connection = Arc::new("a connection");
        drain.request_on(&connection);
        let idle = Arc::clone(&drain);
        // One that waits for its next request.
        tokio::spawn(async move {
            idle.is_quiet().await;
            drop(connection);
        });
        assert!(drain.finished(Duration::from_secs(5)).await);
        assert_eq!(drain.connections(), 0);
    }

    #[tokio::test]
    async fn it_is_given_up_at_its_limit() {
        let drain = Arc::new(Drain::default());
        let _request = drain.request();
        assert!(!drain.finished(Duration::ZERO).await);
    }
}
