//! Loading the configuration again when its file has changed.
//!
//! The file, and those that it refers to, are looked at a few times a second. Looking follows symbolic links, so that the
//! swapped directory of a Kubernetes ConfigMap shows as well as an editor's new file; and it needs no notifications, which
//! network file systems do not send.

use crate::live::Live;
use crate::stamp::Stamped;
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
    let mut watch = Watch::default();
    let mut interval = tokio::time::interval(INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        // What is draining loads nothing any more.
        if !live.current().settings.watch || live.drain().is_draining() {
            watch = Watch::default();
            continue;
        }
        let loaded = live.files();
        let now = loaded.iter().map(|file| Stamped::of(&file.path)).collect();
        if watch.look(&loaded, now) {
            let reloading = Arc::clone(live);
            // It tells what came of it itself.
            let _ = tokio::task::spawn_blocking(move || drop(reloading.reload())).await;
        }
    }
}

/// What the files looked like.
#[derive(Default)]
struct Watch {
    /// When they were last looked at.
    seen: Vec<Stamped>,
    /// For how many looks they have been different from what was loaded, and the same as at the look before.
    changed: u32,
    settled: u32,
}

impl Watch {
    /// Looks again at the files that were `loaded`, and that are so `now`. Returns whether they are to be loaded now.
    fn look(&mut self, loaded: &[Stamped], now: Vec<Stamped>) -> bool {
        if now == loaded {
            *self = Self::default();
            return false;
        }
        self.changed += 1;
        self.settled = if now == self.seen { self.settled + 1 } else { 0 };
        self.seen = now;
        let is_time = self.settled >= SETTLED || self.changed >= PATIENCE;
        if is_time {
            *self = Self::default();
        }
        is_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stamp::Stamp;

    /// A file of this length.
    fn file(length: u64) -> Vec<Stamped> {
        let stamp = Stamp::Present { inode: 1, length, modified: (0, 0), changed: (0, 0) };
        vec![Stamped { path: "evenkeel.yaml".into(), stamp }]
    }

    /// Which of these looks at a file that had the length 1 when it was loaded say that it is to be loaded.
    fn told(lengths: &[u64]) -> Vec<usize> {
        let mut watch = Watch::default();
        let looks = lengths.iter().enumerate();
        looks.filter(|(_, length)| watch.look(&file(1), file(**length))).map(|(look, _)| look).collect()
    }

    #[test]
    fn a_file_is_loaded_when_it_has_settled() {
        assert_eq!(told(&[1, 1, 2, 2]), [0; 0]);
        assert_eq!(told(&[1, 1, 2, 2, 2]), [4]);
        assert_eq!(told(&[2, 3, 2, 3, 3, 3]), [5]);
    }

    #[test]
    fn one_that_is_as_it_was_is_not() {
        assert_eq!(told(&[2, 2, 1, 2, 2, 1]), [0; 0]);
    }

    #[test]
    fn one_that_never_settles_is_loaded_all_the_same() {
        let restless: Vec<u64> = (2..50).collect();
        assert_eq!(told(&restless), [19, 39]);
    }
}
