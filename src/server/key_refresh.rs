//! Taking over what changes in the key file.

use crate::keys::{KeyError, KeyWatcher};
use crate::live::Live;
use log::{error, info};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// How often the file is looked at. What is new in it takes effect within a second.
const INTERVAL: Duration = Duration::from_millis(400);

/// Keeps the table of keys as the file has it.
pub struct KeyRefresh {
    watcher: Mutex<KeyWatcher>,
    live: Arc<Live>,
}

impl KeyRefresh {
    /// Loads the keys, to be kept up to date.
    ///
    /// # Errors
    /// [`KeyError`] if there is a file that cannot be read, and what is served asks for keys.
    pub fn begin(live: Arc<Live>) -> Result<Self, KeyError> {
        let mut watcher = KeyWatcher::new(live.key_file().clone());
        match watcher.changed() {
            Ok(Some(keys)) => live.set_keys(keys),
            Err(error) if live.current().asks_for_keys() => return Err(error),
            Ok(None) | Err(_) => {}
        }
        Ok(Self { watcher: Mutex::new(watcher), live })
    }

    fn look(&self) {
        match self.watcher.lock().changed() {
            Ok(None) => {}
            Ok(Some(keys)) => {
                info!("the keys have changed; there are {} now", keys.len());
                self.live.set_keys(keys);
            }
            Err(error) if self.live.current().asks_for_keys() => {
                error!("{error}; the keys known before stay in force");
            }
            // Nobody is asked for one.
            Err(_) => {}
        }
    }

    /// Keeps the keys as their file has them.
    pub async fn keep_fresh(&self) {
        let mut interval = tokio::time::interval(INTERVAL);
        loop {
            interval.tick().await;
            self.look();
        }
    }
}
