//! Telling the process that started this one in the background.
//!
//! With `daemon_wait_for_ready` that process waits for SIGUSR1. Pingora would send it once, and that is lost if it comes
//! before the other has begun to wait, which then waits for minutes and says that the start has failed. So it is sent here,
//! again and again until the other has ended.

use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::time::Duration;

/// How often to send it again.
const INTERVAL: Duration = Duration::from_millis(50);

/// How often to send it at most: for 10 s.
const TRIES: usize = 200;

/// The process that this one was begun as, before it went to the background.
#[derive(Debug, Clone, Copy)]
pub struct Starter(u32);

impl Starter {
    /// This process, which may be about to go to the background.
    pub fn this_process() -> Self {
        Self(std::process::id())
    }

    /// Tells it that this process serves, if it is another one.
    pub async fn tell(self) {
        for _ in 0..TRIES {
            if self.0 == std::process::id() || !self.is_there() {
                return;
            }
            if let Some(pid) = i32::try_from(self.0).ok().and_then(Pid::from_raw) {
                // It is refused until the other has changed its user as this one has.
                let _ = kill_process(pid, Signal::USR1);
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Whether its number has not gone to another program.
    fn is_there(self) -> bool {
        let name = |pid: &str| fs::read_to_string(format!("/proc/{pid}/comm")).ok();
        name(&self.0.to_string()).is_some_and(|there| Some(there) == name("self"))
    }
}
