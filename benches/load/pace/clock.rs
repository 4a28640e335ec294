//! Moments to the microsecond. Tokio's timers have steps of a millisecond: longer than what is measured.

use super::Failure;
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};
use std::io;
use std::os::fd::OwnedFd;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

const SECOND: u64 = 1_000_000_000;

/// Nanoseconds since some moment before; they never go back.
pub(crate) fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    let part = |number: i64| u64::try_from(number).unwrap_or_default();
    part(time.tv_sec) * SECOND + part(time.tv_nsec)
}

/// A length of time as its users write it.
pub(crate) fn nanoseconds(seconds: f64) -> Result<u64, Failure> {
    let time = std::time::Duration::try_from_secs_f64(seconds)
        .map_err(|error| format!("{seconds} seconds: {error}"))?;
    Ok(u64::try_from(time.as_nanos())?)
}

/// Moments at equal distances. One that has passed already is told at once: none is left out.
pub(crate) struct Metronome {
    timer: AsyncFd<OwnedFd>,
    next: u64,
    interval: u64,
}

impl Metronome {
    #[expect(
        deprecated,
        reason = "what is advised instead is unsafe; this descriptor lives as long as its owner here"
    )]
    pub(crate) fn new(first: u64, interval: u64) -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        Ok(Self { timer: AsyncFd::with_interest(timer, Interest::READABLE)?, next: first, interval })
    }

    /// Returns at the next moment, and which it was meant to be.
    pub(crate) async fn tick(&mut self) -> io::Result<u64> {
        let due = self.next;
        self.next += self.interval;
        if due > now() {
            self.arm(due)?;
            self.timer
                .async_io(Interest::READABLE, |timer| Ok(rustix::io::read(timer, &mut [0; 8])?))
                .await?;
        } else {
            // Who is late for good would leave the requests under way no turn.
            tokio::task::yield_now().await;
        }
        Ok(due)
    }

    fn arm(&self, due: u64) -> io::Result<()> {
        let part = |number: u64| i64::try_from(number).map_err(io::Error::other);
        let once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let value = Timespec { tv_sec: part(due / SECOND)?, tv_nsec: part(due % SECOND)? };
        let when = Itimerspec { it_interval: once, it_value: value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &when)?;
        Ok(())
    }
}
