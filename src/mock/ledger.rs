//! What the vendor has seen, and what is still under way.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Method, Version};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct SeenRequest {
    /// The method.
    pub method: Method,
    /// The path with its query, as sent.
    pub path: String,
    /// Whom it was sent to: `Host`, or over HTTP/2 `:authority`.
    pub authority: Option<String>,
    /// Names (lower case) and values in the order of arrival; bytes outside UTF-8 are shown as U+FFFD.
    pub headers: Vec<(String, String)>,
    /// The whole body, after any transfer coding.
    pub body: Bytes,
    /// The protocol it came by.
    pub version: Version,
}

impl SeenRequest {
    /// The first value of the header `name`, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// Counters and recordings of one mock vendor.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    counts: Mutex<HashMap<String, u64>>,
    requests: Mutex<Vec<SeenRequest>>,
    in_flight: Arc<InFlight>,
}

impl Ledger {
    pub(super) fn count(&self, model: &str) {
        let mut counts = self.counts.lock();
        if let Some(count) = counts.get_mut(model) {
            *count += 1;
            return;
        }
        counts.insert(model.to_owned(), 1);
    }

    pub(super) fn counts(&self) -> HashMap<String, u64> {
        self.counts.lock().clone()
    }

    pub(super) fn record(&self, request: SeenRequest) {
        self.requests.lock().push(request);
    }

    pub(super) fn requests(&self) -> Vec<SeenRequest> {
        self.requests.lock().clone()
    }

    /// One request more under way, until the returned guard is dropped.
    pub(super) fn begin(&self) -> UnderWay {
        self.in_flight.count.fetch_add(1, Ordering::AcqRel);
        self.in_flight.changed.notify_waiters();
        UnderWay(Arc::clone(&self.in_flight))
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.count.load(Ordering::Acquire)
    }

    pub(super) async fn in_flight_is(&self, expected: usize) {
        loop {
            let changed = self.in_flight.changed.notified();
            tokio::pin!(changed);
            // Waiting must begin before looking: a change in between would go unnoticed.
            changed.as_mut().enable();
            if self.in_flight() == expected {
                return;
            }
            changed.await;
        }
    }
}

#[derive(Debug, Default)]
struct InFlight {
    count: AtomicUsize,
    changed: Notify,
}

/// A request under way. Dropped when its answer has been handed over, or its client has gone.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<InFlight>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::AcqRel);
        self.0.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_model() {
        let ledger = Ledger::default();
        for model in ["a", "b", "a"] {
            ledger.count(model);
        }
        let expected = HashMap::from([("a".to_owned(), 2), ("b".to_owned(), 1)]);
        assert_eq!(ledger.counts(), expected);
    }

    #[tokio::test]
    async fn a_guard_is_under_way_until_dropped() {
        let ledger = Arc::new(Ledger::default());
        let first = ledger.begin();
        let second = ledger.begin();
        assert_eq!(ledger.in_flight(), 2);
        let waiter = tokio::spawn({
            let ledger = Arc::clone(&ledger);
            async move { ledger.in_flight_is(0).await }
        });
        tokio::task::yield_now().await;
        drop(first);
        assert_eq!(ledger.in_flight(), 1);
        drop(second);
        waiter.await.unwrap();
    }

    #[test]
    fn headers_are_found_whatever_their_case() {
        let seen = SeenRequest {
            method: Method::GET,
            path: "/".to_owned(),
            authority: None,
            headers: vec![("x-a".to_owned(), "1".to_owned())],
            body: Bytes::new(),
            version: Version::HTTP_11,
        };
        assert_eq!(seen.header("X-A"), Some("1"));
        assert_eq!(seen.header("x-b"), None);
    }
}
