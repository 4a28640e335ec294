//! What goes wrong on purpose, switched while the vendor runs.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

/// One way for a request to go wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Answers with this status, these headers, and this body or else an error in OpenAI's shape.
    Status {
        /// The status of the answer.
        status: StatusCode,
        /// Headers of the answer, for instance `Retry-After`.
        headers: HeaderMap,
        /// The body; `None` for an error object in OpenAI's shape.
        body: Option<Bytes>,
    },
    /// Reads the request and never answers.
    Hang,
    /// Reads the request, then closes the connection (HTTP/1.1) or resets the stream (HTTP/2) with no answer.
    CloseBeforeHeaders,
    /// Sends the headers and the first chunk (of a whole answer: its first half), then nothing more.
    StallMidStream,
    /// Sends the headers, then nothing more.
    StallAfterHeaders,
    /// Sends the headers, then closes the connection (HTTP/1.1) or resets the stream (HTTP/2) with no body.
    CloseAfterHeaders,
    /// Sends the headers and so many chunks (of a whole answer: its first half), then closes or resets: a body without
    /// its end.
    CloseMidStream(usize),
    /// A good answer whose chunks (of a whole answer: whose eighths) come this long after each other.
    Drip(Duration),
    /// A stream that says, after so many of its chunks, that it has failed, and ends. No answer but a streamed one meets
    /// it.
    ErrorEvent {
        /// Whose form of an error event it is.
        dialect: Dialect,
        /// How many chunks come before it.
        after: usize,
    },
    /// A good answer with these headers besides its own, for instance `x-ratelimit-remaining-tokens`.
    Headers(HeaderMap),
}

/// Whose form an error event has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Data with an `error` object.
    OpenAi,
    /// An event named `error`.
    Anthropic,
}

impl Fault {
    /// An answer with `status` and an error object in OpenAI's shape.
    pub fn status(status: StatusCode) -> Self {
        Self::Status { status, headers: HeaderMap::new(), body: None }
    }

    /// An answer with `status` and one header, for instance 429 with `Retry-After`.
    pub fn status_with_header(status: StatusCode, name: HeaderName, value: HeaderValue) -> Self {
        Self::Status { status, headers: HeaderMap::from_iter([(name, value)]), body: None }
    }
}

/// The switches of one mock vendor. A fault of a model goes before the fault of all.
///
/// A switch holds for requests that arrive after it; those under way keep what they met.
#[derive(Debug, Default)]
pub struct Faults {
    switches: Arc<Mutex<Switches>>,
}

#[derive(Debug, Default)]
struct Switches {
    all: Option<Fault>,
    by_model: HashMap<String, Fault>,
    gates: HashMap<String, Arc<Semaphore>>,
}

/// What one request meets.
#[derive(Debug, Default)]
pub(super) struct Met {
    pub(super) fault: Option<Fault>,
    pub(super) gate: Option<Arc<Semaphore>>,
}

impl Faults {
    /// Every request for `model` meets `fault` until [`clear`](Self::clear).
    pub fn set(&self, model: &str, fault: Fault) {
        self.switches.lock().by_model.insert(model.to_owned(), fault);
    }

    /// Every request for a model or for the list of models meets `fault` until [`clear_all`](Self::clear_all).
    pub fn set_all(&self, fault: Fault) {
        self.switches.lock().all = Some(fault);
    }

    /// Takes back the fault of `model`; that of all stays.
    pub fn clear(&self, model: &str) {
        self.switches.lock().by_model.remove(model);
    }

    /// Takes back every fault. Held streams stay held.
    pub fn clear_all(&self) {
        let mut switches = self.switches.lock();
        switches.all = None;
        switches.by_model.clear();
    }

    /// Holds the streams of `model` that begin from now on: each sends its first chunk,
    /// then waits for the [`Gate`] before every further one.
    pub fn hold_stream(&self, model: &str) -> Gate {
        let permits = Arc::new(Semaphore::new(0));
        let former = self.switches.lock().gates.insert(model.to_owned(), Arc::clone(&permits));
        if let Some(former) = former {
            // Nobody could say any more which of two gates a stream waits at.
            former.close();
        }
        Gate { model: model.to_owned(), permits, switches: Arc::clone(&self.switches) }
    }

    pub(super) fn met_by(&self, model: Option<&str>) -> Met {
        let switches = self.switches.lock();
        let of_model = model.and_then(|model| switches.by_model.get(model));
        Met {
            fault: of_model.or(switches.all.as_ref()).cloned(),
            gate: model.and_then(|model| switches.gates.get(model)).cloned(),
        }
    }
}

/// Holds the streams of one model. Dropping it lets them run.
#[derive(Debug)]
#[must_use = "a dropped gate holds nothing"]
pub struct Gate {
    model: String,
    permits: Arc<Semaphore>,
    switches: Arc<Mutex<Switches>>,
}

impl Gate {
    /// Lets one more chunk pass. With several streams at the gate, one of them takes it.
    pub fn release(&self) {
        self.permits.add_permits(1);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // A closed semaphore refuses at once, which the streams take as an open gate.
        self.permits.close();
        let mut switches = self.switches.lock();
        let ours = switches.gates.get(&self.model).is_some_and(|gate| Arc::ptr_eq(gate, &self.permits));
        if ours {
            switches.gates.remove(&self.model);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status_of(met: &Met) -> Option<u16> {
        match &met.fault {
            Some(Fault::Status { status, .. }) => Some(status.as_u16()),
            _ => None,
        }
    }

    #[test]
    fn a_models_fault_goes_before_that_of_all() {
        let faults = Faults::default();
        faults.set_all(Fault::status(StatusCode::BAD_GATEWAY));
        faults.set("a", Fault::status(StatusCode::TOO_MANY_REQUESTS));
        assert_eq!(status_of(&faults.met_by(Some("a"))), Some(429));
        assert_eq!(status_of(&faults.met_by(Some("b"))), Some(502));
        assert_eq!(status_of(&faults.met_by(None)), Some(502));

        faults.clear("a");
        assert_eq!(status_of(&faults.met_by(Some("a"))), Some(502));
        faults.clear_all();
        assert!(faults.met_by(Some("a")).fault.is_none());
    }

    #[test]
    fn a_gate_holds_its_model_until_dropped() {
        let faults = Faults::default();
        let gate = faults.hold_stream("a");
        let held = faults.met_by(Some("a")).gate.unwrap();
        assert!(faults.met_by(Some("b")).gate.is_none());
        assert!(held.try_acquire().is_err());
        gate.release();
        held.try_acquire().unwrap().forget();
        assert!(!held.is_closed());
        drop(gate);
        assert!(held.is_closed());
        assert!(faults.met_by(Some("a")).gate.is_none());
    }

    #[test]
    fn a_second_gate_opens_the_first_and_outlives_it() {
        let faults = Faults::default();
        let first = faults.hold_stream("a");
        let at_first = faults.met_by(Some("a")).gate.unwrap();
        let _second = faults.hold_stream("a");
        assert!(at_first.is_closed());
        drop(first);
        assert!(!faults.met_by(Some("a")).gate.unwrap().is_closed());
    }
}
