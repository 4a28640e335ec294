//! Loading the configuration again when its file has changed.
//!
//! The file, and those that it refers to, are looked at a few times a second. Looking follows symbolic links, so that the
//! swapped directory of a Kubernetes ConfigMap shows as well as an editor's new file; and it needs no notifications, which
//! network file systems do not send.

use crate::keys::Stamp;
use crate::live::Live;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How often to look.
const INTERVAL: Duration = Duration::from_millis(250);

/// For how many looks nothing must have changed: a file that is being written changes many times.
const SETTLED: u32 = 2;

/// After how many looks a file that never settles is loaded all the same.
const PATIENCE: u32 = 20;

/// Loads the configuration again when its files have changed, while it says so.
pub async fn reload_when_changed(live: &Arc<Live>) {
    let mut watch = Watch::new(live);
    let mut interval = tokio::time::interval(INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        if !live.current().settings.watch {
            watch = Watch::new(live);
            continue;
        }
        if watch.look(live) {
            let reloading = Arc::clone(live);
            // It tells what came of it itself.
            let _ = tokio::task::spawn_blocking(move || drop(reloading.reload())).await;
        }
    }
}

/// What the files looked like.
struct Watch {
    /// When they were loaded.
    loaded: Vec<(PathBuf, Stamp)>,
    /// When they were last looked at.
    seen: Vec<(PathBuf, Stamp)>,
    /// For how many looks they have been different from what was loaded, and the same as at the look before.
    changed: u32,
    settled: u32,
}

impl Watch {
    fn new(live: &Live) -> Self {
        let now = stamps(live);
        Self { loaded: now.clone(), seen: now, changed: 0, settled: 0 }
    }

    /// Looks again. Returns whether the files are to be loaded now.
    fn look(&mut self, live: &Live) -> bool {
        let now = stamps(live);
        if now == self.loaded {
            (self.changed, self.settled) = (0, 0);
            self.seen = now;
            return false;
        }
        self.changed += 1;
        self.settled = if now == self.seen { self.settled + 1 } else { 0 };
        self.seen = now;
        if self.settled < SETTLED && self.changed < PATIENCE {
            return false;
        }
        self.loaded.clone_from(&self.seen);
        (self.changed, self.settled) = (0, 0);
        true
    }
}

fn stamps(live: &Live) -> Vec<(PathBuf, Stamp)> {
    live.files().into_iter().map(|path| (path.clone(), Stamp::of(&path))).collect()
}
