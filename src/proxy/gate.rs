//! What of a response goes on to the client, and when.
//!
//! A response whose request may still be tried elsewhere is not committed to at once: an error is kept aside in case no
//! other pair can answer, and a stream is held until its first event shows that it has begun well.

use super::failure::TRY_AGAIN;
use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use pingora_core::protocols::http::HttpTask;
use pingora_core::{Error, Result};
use pingora_http::ResponseHeader;
use std::sync::Arc;

/// The greatest body of an error that is kept, in bytes.
const MAX_KEPT: usize = 1024 * 1024;

/// The most of a stream that is held, in bytes: what is larger than an error event would be is content.
const MAX_HELD: usize = 64 * 1024;

/// Between the vendor and the client, one for each request that needs it.
#[derive(Clone, Default)]
pub struct Gate(Arc<Mutex<State>>);

#[derive(Default)]
enum State {
    /// Everything goes on.
    #[default]
    Open,
    /// Nothing goes on until it is released.
    Held { tasks: Vec<HttpTask>, released: bool },
    /// Nothing goes on, and another try begins when the response is whole.
    Kept(Kept),
}

/// A vendor's response, kept aside.
#[derive(Default)]
pub struct Kept {
    header: Option<Box<ResponseHeader>>,
    body: BytesMut,
    too_large: bool,
    is_whole: bool,
}

impl Kept {
    /// The header and the body, if they are whole and not too large to be kept.
    pub fn into_parts(self) -> Option<(Box<ResponseHeader>, Bytes)> {
        if self.too_large || !self.is_whole {
            return None;
        }
        Some((self.header?, self.body.freeze()))
    }

    /// Takes a part in. Returns whether there is nothing more to wait for.
    fn take(&mut self, task: HttpTask) -> bool {
        let is_end = task.is_end();
        self.is_whole |= is_end && !matches!(task, HttpTask::Failed(_));
        match task {
            HttpTask::Header(header, _) if !header.status.is_informational() => self.header = Some(header),
            HttpTask::Body(Some(data), _) => {
                self.too_large |= self.body.len() + data.len() > MAX_KEPT;
                if !self.too_large {
                    self.body.extend_from_slice(&data);
                }
            }
            _ => {}
        }
        is_end || self.too_large
    }
}

impl Gate {
    /// Lets everything on, and forgets what was held or kept.
    pub fn open(&self) {
        *self.0.lock() = State::Open;
    }

    /// Holds what comes until [`Gate::release`], or until it is whole.
    pub fn hold(&self) {
        *self.0.lock() = State::Held { tasks: Vec::new(), released: false };
    }

    /// Lets what is held go on with what comes next.
    pub fn release(&self) {
        if let State::Held { released, .. } = &mut *self.0.lock() {
            *released = true;
        }
    }

    /// Keeps what comes: another try is certain.
    pub fn keep(&self) {
        *self.0.lock() = State::Kept(Kept::default());
    }

    /// Whether a response is held that nothing has released.
    pub fn is_holding(&self) -> bool {
        matches!(*self.0.lock(), State::Held { released: false, .. })
    }

    /// Whether a response is kept.
    pub fn is_keeping(&self) -> bool {
        matches!(*self.0.lock(), State::Kept(_))
    }

    /// Takes out what is kept, and lets everything on.
    pub fn take_kept(&self) -> Option<Kept> {
        match std::mem::take(&mut *self.0.lock()) {
            State::Kept(kept) => Some(kept),
            State::Open | State::Held { .. } => None,
        }
    }

    /// What of `tasks`, and of those before them, goes on to the client now.
    ///
    /// # Errors
    /// [`TRY_AGAIN`] when what is kept is whole; or the failure that ended what is held.
    pub fn pass(&self, tasks: Vec<HttpTask>) -> Result<Option<Vec<HttpTask>>> {
        let mut state = self.0.lock();
        match &mut *state {
            State::Open => Ok(Some(tasks)),
            State::Held { tasks: held, released } => {
                let mut goes_on = *released;
                for task in tasks {
                    goes_on |= task.is_end();
                    match task {
                        HttpTask::Failed(error) if !*released => return Err(error),
                        task => held.push(task),
                    }
                }
                goes_on |= held.iter().map(body_length).sum::<usize>() > MAX_HELD;
                if !goes_on {
                    return Ok(None);
                }
                let held = std::mem::take(held);
                *state = State::Open;
                Ok(Some(held))
            }
            State::Kept(kept) => {
                let is_whole = |task| kept.take(task);
                match tasks.into_iter().any(is_whole) {
                    true => Err(Error::new_up(TRY_AGAIN)),
                    false => Ok(None),
                }
            }
        }
    }
}

fn body_length(task: &HttpTask) -> usize {
    match task {
        HttpTask::Body(Some(data), _) => data.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pingora_core::ErrorType;

    fn header(status: u16) -> HttpTask {
        HttpTask::Header(Box::new(ResponseHeader::build(status, None).unwrap()), false)
    }

    fn body(text: &'static str, end: bool) -> HttpTask {
        HttpTask::Body(Some(Bytes::from_static(text.as_bytes())), end)
    }

    fn count(passed: Result<Option<Vec<HttpTask>>>) -> Option<usize> {
        passed.unwrap().map(|tasks| tasks.len())
    }

    #[test]
    fn open_everything_goes_on() {
        assert_eq!(count(Gate::default().pass(vec![header(200), body("x", false)])), Some(2));
    }

    #[test]
    fn held_it_waits_for_the_word() {
        let gate = Gate::default();
        gate.hold();
        assert_eq!(count(gate.pass(vec![header(200)])), None);
        assert!(gate.is_holding());
        gate.release();
        assert_eq!(count(gate.pass(vec![body("x", false)])), Some(2));
        assert_eq!(count(gate.pass(vec![body("y", true)])), Some(1));
    }

    #[test]
    fn what_is_large_is_not_held() {
        let gate = Gate::default();
        gate.hold();
        let large = HttpTask::Body(Some(Bytes::from(vec![b'x'; MAX_HELD + 1])), false);
        assert_eq!(count(gate.pass(vec![header(200), large])), Some(2));
    }

    #[test]
    fn what_is_whole_is_not_held() {
        let gate = Gate::default();
        gate.hold();
        assert_eq!(count(gate.pass(vec![header(200), body("x", true)])), Some(2));
    }

    #[test]
    fn a_failure_ends_what_is_held() {
        let gate = Gate::default();
        gate.hold();
        let failed = HttpTask::Failed(Error::new_up(ErrorType::ConnectionClosed));
        let error = gate.pass(vec![header(200), failed]).unwrap_err();
        assert_eq!(*error.etype(), ErrorType::ConnectionClosed);
    }

    #[test]
    fn kept_it_is_whole_before_the_next_try() {
        let gate = Gate::default();
        gate.keep();
        assert_eq!(count(gate.pass(vec![header(500), body("a", false)])), None);
        let error = gate.pass(vec![body("b", true)]).unwrap_err();
        assert_eq!(*error.etype(), TRY_AGAIN);
        let (header, body) = gate.take_kept().unwrap().into_parts().unwrap();
        assert_eq!((header.status.as_u16(), body), (500, Bytes::from_static(b"ab")));
    }

    #[test]
    fn what_broke_off_is_not_kept() {
        let gate = Gate::default();
        gate.keep();
        let failed = HttpTask::Failed(Error::new_up(ErrorType::ConnectionClosed));
        assert!(gate.pass(vec![header(500), body("a", false), failed]).is_err());
        assert!(gate.take_kept().unwrap().into_parts().is_none());
    }

    #[test]
    fn what_is_too_large_to_keep_does_not_hold_the_next_try_up() {
        let gate = Gate::default();
        gate.keep();
        let large = HttpTask::Body(Some(Bytes::from(vec![b'x'; MAX_KEPT + 1])), false);
        assert!(gate.pass(vec![header(500), large]).is_err());
        assert!(gate.take_kept().unwrap().into_parts().is_none());
    }
}
