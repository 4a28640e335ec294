//! A pair's health, shared between threads.
//!
//! Nearly every pair is active at nearly every moment, and every choice asks all pairs of its list. So that it need not
//! lock each of them, a word beside the lock tells that a pair is active; whoever changes the health changes the word
//! before the lock is free again. What else a pair can be depends on the time, and is told under the lock only.

use super::{Health, State};
use crate::balance::Tick;
use parking_lot::{Mutex, MutexGuard};
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A pair's health as all operations of an AI API see it, on every thread. The lock is held for a handful of
/// instructions and never across an await.
#[derive(Debug, Default)]
pub struct Shared {
    health: Mutex<Health>,
    /// A packed [`Glance`].
    glance: AtomicU64,
}

/// A pair's health while it is locked.
#[derive(Debug)]
pub struct Locked<'a> {
    health: MutexGuard<'a, Health>,
    glance: &'a AtomicU64,
}

/// What can be told of a pair without a lock and without the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::balance) enum Glance {
    /// It takes its turns.
    Active {
        /// When it came back, if it ever did.
        restored: Option<Tick>,
    },
    /// Look under the lock.
    Unclear,
}

impl Shared {
    /// Shares `health`.
    pub fn new(health: Health) -> Self {
        let glance = AtomicU64::new(health.glance().pack());
        Self { health: Mutex::new(health), glance }
    }

    /// Waits for whoever has the lock, and takes it.
    pub fn lock(&self) -> Locked<'_> {
        Locked { health: self.health.lock(), glance: &self.glance }
    }

    pub(in crate::balance) fn glance(&self) -> Glance {
        Glance::unpack(self.glance.load(Ordering::Acquire))
    }
}

impl Deref for Locked<'_> {
    type Target = Health;

    fn deref(&self) -> &Health {
        &self.health
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Health {
        &mut self.health
    }
}

impl Drop for Locked<'_> {
    /// Runs before the lock is free.
    fn drop(&mut self) {
        let glance = self.health.glance().pack();
        // Written only where it changes: other threads' caches have it.
        if self.glance.load(Ordering::Relaxed) != glance {
            self.glance.store(glance, Ordering::Release);
        }
    }
}

impl Health {
    fn glance(&self) -> Glance {
        match (self.state, &self.hold) {
            (State::Active, None) => Glance::Active { restored: self.restored },
            _ => Glance::Unclear,
        }
    }

    /// How much of its weight the pair has at `now`, 0.1 to 1, when a pair takes `ramp` to regain it.
    pub fn regained(&self, now: Tick, ramp: Option<Duration>) -> f64 {
        regained(self.restored, now, ramp)
    }
}

/// How much of its weight a pair has at `now` that came back at `restored`.
pub(in crate::balance) fn regained(restored: Option<Tick>, now: Tick, ramp: Option<Duration>) -> f64 {
    let (Some(restored), Some(ramp)) = (restored, ramp) else {
        return 1.0;
    };
    let passed = now.since(restored).as_secs_f64() / ramp.as_secs_f64();
    if passed < 1.0 { 0.1 + 0.9 * passed } else { 1.0 }
}

impl Glance {
    /// All zeros for the default: a pair that is active and has always been.
    const ALWAYS_ACTIVE: u64 = 0;
    const UNCLEAR: u64 = u64::MAX;

    /// A restoration at the end of time is unclear: the lock has the answer.
    fn pack(self) -> u64 {
        match self {
            Self::Active { restored: None } => Self::ALWAYS_ACTIVE,
            Self::Active { restored: Some(tick) } => tick.nanoseconds().saturating_add(1),
            Self::Unclear => Self::UNCLEAR,
        }
    }

    fn unpack(word: u64) -> Self {
        match word {
            Self::ALWAYS_ACTIVE => Self::Active { restored: None },
            Self::UNCLEAR => Self::Unclear,
            _ => Self::Active { restored: Some(Tick::from_nanoseconds(word - 1)) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balance::health::{Failure, Role, Rules};
    use crate::balance::{Outcome, Phase};
    use proptest::prelude::*;

    const RULES: Rules = Rules {
        duration: Duration::from_secs(3),
        max_duration: None,
        threshold: 1,
        window: Duration::from_secs(60),
        ramp: None,
    };

    #[test]
    fn every_moment_survives_packing() {
        for nanoseconds in [0, 1, 2, u64::MAX - 2] {
            let glance = Glance::Active { restored: Some(Tick::from_nanoseconds(nanoseconds)) };
            assert_eq!(Glance::unpack(glance.pack()), glance, "{nanoseconds}");
        }
        for glance in [Glance::Active { restored: None }, Glance::Unclear] {
            assert_eq!(Glance::unpack(glance.pack()), glance);
        }
        for nanoseconds in [u64::MAX - 1, u64::MAX] {
            let glance = Glance::Active { restored: Some(Tick::from_nanoseconds(nanoseconds)) };
            assert_eq!(Glance::unpack(glance.pack()), Glance::Unclear, "{nanoseconds}");
        }
    }

    #[test]
    fn a_health_that_comes_from_elsewhere_is_seen_at_once() {
        let mut health = Health::default();
        health.hold(None, None);
        assert_eq!(Shared::new(health).glance(), Glance::Unclear);
        assert_eq!(Shared::default().glance(), Shared::new(Health::default()).glance());
    }

    proptest! {
        /// Whatever has happened to it, a pair that is active at a glance is active, with the same part of its weight.
        #[test]
        fn a_glance_never_lies(steps in prop::collection::vec((0u8..7, 0u64..4), 1..40)) {
            let shared = Shared::default();
            let (mut now, mut began, mut role) = (Tick::ORIGIN, Tick::ORIGIN, Role::Regular);
            let failure = Failure { reason: Outcome::Status(500), vendor_delay: None, jitter: 0.0 };
            for (step, seconds) in steps {
                now = now.after(Duration::from_secs(seconds));
                let mut health = shared.lock();
                match step {
                    0 => if let Some(begun) = health.begin(now, Duration::from_secs(2)) {
                        (role, began) = (begun, now);
                    },
                    1 => { health.fail(role, began, now, &failure, &RULES); }
                    2 => { health.succeed(role, began, now); }
                    3 => health.abandon(role, began),
                    4 => health.hold(Some(now.after(Duration::from_secs(2))), None),
                    5 => health.resume(now),
                    _ => { (role, began) = (health.begin_early(now, Duration::from_secs(2)), now); }
                }
                drop(health);
                let ramp = Some(Duration::from_secs(5));
                let health = shared.lock().clone();
                if let Glance::Active { restored } = shared.glance() {
                    prop_assert_eq!(health.phase(now), Phase::Active);
                    prop_assert_eq!(regained(restored, now, ramp), health.regained(now, ramp));
                } else {
                    prop_assert!(health.hold.is_some() || health.state != State::Active);
                }
            }
        }
    }
}
