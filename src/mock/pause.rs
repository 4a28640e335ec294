//! Waiting as long as was said, to some microseconds. Tokio's timers have steps of a millisecond: they would make 11 or 12 ms
//! of a vendor's 10, which is a tenth of what a load test against it finds.

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use std::io;
use std::time::Duration;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// To a longer pause, a step more is nothing.
const LONG: Duration = Duration::from_secs(1);

/// Returns when `time` is over.
pub(super) async fn pause(time: Duration) {
    // If no descriptor is left for a timer, later is better than never.
    if time >= LONG || exactly(time).await.is_err() {
        tokio::time::sleep(time).await;
    }
}

#[expect(
    deprecated,
    reason = "what is advised instead is unsafe; this descriptor is not touched while it is registered"
)]
async fn exactly(time: Duration) -> io::Result<()> {
    if time.is_zero() {
        // It would never ring.
        return Ok(());
    }
    let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
    let seconds = i64::try_from(time.as_secs()).map_err(io::Error::other)?;
    let once = Itimerspec {
        it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
        it_value: Timespec { tv_sec: seconds, tv_nsec: i64::from(time.subsec_nanos()) },
    };
    timerfd_settime(&timer, TimerfdTimerFlags::empty(), &once)?;
    let timer = AsyncFd::with_interest(timer, Interest::READABLE)?;
    let _rung = timer.readable().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    #[tokio::test]
    async fn a_pause_is_never_too_short() {
        for time in
            [Duration::ZERO, Duration::from_nanos(1), Duration::from_micros(300), Duration::from_millis(10)]
        {
            let begun = Instant::now();
            pause(time).await;
            assert!(begun.elapsed() >= time, "{time:?}");
        }
    }

    #[tokio::test]
    async fn a_thousand_pauses_go_on_at_once() {
        let time = Duration::from_millis(20);
        let begun = Instant::now();
        let shortest = futures::future::join_all((0..1000).map(|_| async {
            let begun = Instant::now();
            pause(time).await;
            begun.elapsed()
        }))
        .await
        .into_iter()
        .min();
        assert!(shortest >= Some(time));
        assert!(begun.elapsed() < time * 1000, "they have waited for each other");
    }
}
