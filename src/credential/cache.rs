//! What is fetched and expires: fetched when it is first needed, kept, and fetched again before it expires.
//!
//! There is one fetch at a time. It is a task of its own, so that it does not end with the request that began it.

use super::error::SignError;
use async_trait::async_trait;
use log::warn;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long a fetch may take.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);
/// How long after a fetch that failed requests are told so without another.
const PAUSE: Duration = Duration::from_secs(1);
/// The same while what was fetched before is still good: nobody waits for it.
const LONG_PAUSE: Duration = Duration::from_secs(10);
/// How long before its end a secret is fetched again, if it lives long enough.
const AHEAD: Duration = Duration::from_secs(300);
/// How long before its end a secret is no longer used: a request takes time to arrive.
const LEEWAY: Duration = Duration::from_secs(10);
/// When what does not say that it ends is looked at again; AWS's own SDK for Rust takes as long.
const UNTOLD: Duration = Duration::from_secs(900);

/// Where a secret comes from.
#[async_trait]
pub(super) trait Source: Send + Sync + 'static {
    type Secret: Send + Sync + 'static;

    /// What it is called in messages.
    fn from(&self) -> Arc<str>;

    /// Gets one.
    async fn fetch(&self, now: SystemTime) -> Result<Lease<Self::Secret>, SignError>;
}

/// A secret, and when it ends if that is known.
pub(super) struct Lease<T> {
    pub(super) secret: T,
    pub(super) expires: Option<SystemTime>,
}

pub(super) struct Cache<S: Source> {
    source: S,
    /// Never held across an await.
    state: Mutex<State<S::Secret>>,
}

type Outcome<T> = Result<Arc<T>, SignError>;
type Flight<T> = watch::Receiver<Option<Outcome<T>>>;

struct State<T> {
    held: Option<Held<T>>,
    flight: Option<Flight<T>>,
    failure: Option<(SystemTime, SignError)>,
}

struct Held<T> {
    secret: Arc<T>,
    refresh_from: SystemTime,
    good_until: Option<SystemTime>,
}

enum Next<T> {
    Use(Arc<T>),
    Await(Flight<T>),
}

impl<S: Source> Cache<S> {
    pub(super) fn new(source: S) -> Self {
        Self { source, state: Mutex::new(State { held: None, flight: None, failure: None }) }
    }

    pub(super) fn from(&self) -> Arc<str> {
        self.source.from()
    }

    /// The secret, fetched if there is none that is good at `now`.
    pub(super) async fn secret(self: &Arc<Self>, now: SystemTime) -> Outcome<S::Secret> {
        let mut flight = match self.next(now)? {
            Next::Use(secret) => return Ok(secret),
            Next::Await(flight) => flight,
        };
        let landed = match flight.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone(),
            Err(_) => None,
        };
        landed.unwrap_or_else(|| {
            Err(SignError::Fetch { from: self.from(), why: "the fetch was broken off".into() })
        })
    }

    /// The same, for one who does not wait longer than `limit`. The fetch goes on.
    pub(super) async fn secret_within(
        self: &Arc<Self>,
        limit: Duration,
        now: SystemTime,
    ) -> Outcome<S::Secret> {
        let secret = timeout(limit, self.secret(now)).await;
        secret.unwrap_or_else(|_| Err(SignError::Slow { from: self.from(), limit }))
    }

    fn next(self: &Arc<Self>, now: SystemTime) -> Result<Next<S::Secret>, SignError> {
        let mut state = self.state.lock();
        // One whose task is gone without an outcome will never land.
        let flight = state.flight.clone().filter(|flight| flight.has_changed().is_ok());
        if let Some(held) = state.held.as_ref().filter(|held| held.is_good(now)) {
            let secret = Arc::clone(&held.secret);
            if now >= held.refresh_from && flight.is_none() && state.failed_within(LONG_PAUSE, now).is_none()
            {
                state.flight = Some(self.take_off(now));
            }
            return Ok(Next::Use(secret));
        }
        if let Some(flight) = flight {
            return Ok(Next::Await(flight));
        }
        if let Some(error) = state.failed_within(PAUSE, now) {
            return Err(error.clone());
        }
        let flight = self.take_off(now);
        state.flight = Some(flight.clone());
        Ok(Next::Await(flight))
    }

    fn take_off(self: &Arc<Self>, now: SystemTime) -> Flight<S::Secret> {
        let (landing, flight) = watch::channel(None);
        let cache = Arc::clone(self);
        tokio::spawn(async move {
            let fetched = timeout(DEADLINE, cache.source.fetch(now)).await;
            let fetched = fetched.unwrap_or_else(|_| {
                Err(SignError::Deadline { from: cache.from(), seconds: DEADLINE.as_secs() })
            });
            landing.send_replace(Some(cache.settle(fetched, now)));
        });
        flight
    }

    /// Keeps what a fetch that began at `now` has brought.
    fn settle(&self, fetched: Result<Lease<S::Secret>, SignError>, now: SystemTime) -> Outcome<S::Secret> {
        let held = fetched.and_then(|lease| {
            let why = || "it had expired already; is this machine's clock right?".into();
            Held::new(lease, now).ok_or_else(|| SignError::Fetch { from: self.from(), why: why() })
        });
        let mut state = self.state.lock();
        state.flight = None;
        match held {
            Ok(held) => {
                let secret = Arc::clone(&held.secret);
                state.held = Some(held);
                state.failure = None;
                Ok(secret)
            }
            Err(error) => {
                // Nobody waits for it, so that nobody else would say so.
                if state.held.as_ref().is_some_and(|held| held.is_good(now)) {
                    warn!("{error}; the one before stays in use until it expires");
                }
                state.failure = Some((now, error.clone()));
                Err(error)
            }
        }
    }
}

impl<T> State<T> {
    /// The failure of a fetch that began less than `pause` before `now`. A clock that was set back does not prolong it.
    fn failed_within(&self, pause: Duration, now: SystemTime) -> Option<&SignError> {
        let (at, error) = self.failure.as_ref()?;
        now.duration_since(*at).is_ok_and(|since| since < pause).then_some(error)
    }
}

impl<T> Held<T> {
    /// None if it has ended, or ends at a time that cannot be.
    fn new(lease: Lease<T>, now: SystemTime) -> Option<Self> {
        let (refresh_from, good_until) = match lease.expires {
            None => (now.checked_add(UNTOLD - AHEAD)?, None),
            Some(expires) => {
                let life = expires.duration_since(now).ok().filter(|life| !life.is_zero())?;
                let refresh_from = expires.checked_sub(AHEAD.min(life / 4))?;
                (refresh_from, Some(expires.checked_sub(LEEWAY.min(life / 8))?))
            }
        };
        Some(Self { secret: Arc::new(lease.secret), refresh_from, good_until })
    }

    fn is_good(&self, now: SystemTime) -> bool {
        self.good_until.is_none_or(|until| now < until)
    }
}

#[cfg(test)]
mod tests;
