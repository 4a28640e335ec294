//! Taking over what changes in the key file.

use crate::keys::{KeyError, KeyFile, KeyTable, KeyWatcher};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use log::{error, info};
use parking_lot::Mutex;
use pingora_core::server::ShutdownWatch;
use pingora_core::services::background::BackgroundService;
use std::sync::Arc;
use std::time::Duration;

/// How often the file is looked at. What is new in it takes effect within a second.
const INTERVAL: Duration = Duration::from_millis(400);

/// A background service that keeps the table of keys as the file has it.
pub struct KeyRefresh {
    watcher: Mutex<KeyWatcher>,
    table: Arc<ArcSwap<KeyTable>>,
}

impl KeyRefresh {
    /// Loads `file` into `table`, to be kept up to date.
    ///
    /// # Errors
    /// [`KeyError`] if the file is there and cannot be read.
    pub fn begin(file: KeyFile, table: Arc<ArcSwap<KeyTable>>) -> Result<Self, KeyError> {
        let mut watcher = KeyWatcher::new(file);
        if let Some(keys) = watcher.changed()? {
            table.store(Arc::new(keys));
        }
        Ok(Self { watcher: Mutex::new(watcher), table })
    }

    fn look(&self) {
        match self.watcher.lock().changed() {
            Ok(None) => {}
            Ok(Some(keys)) => {
                info!("the keys have changed; there are {} now", keys.len());
                self.table.store(Arc::new(keys));
            }
            Err(error) => error!("{error}; the keys known before stay in force"),
        }
    }
}

#[async_trait]
impl BackgroundService for KeyRefresh {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        let mut interval = tokio::time::interval(INTERVAL);
        loop {
            tokio::select! {
                _ = shutdown.changed() => return,
                _ = interval.tick() => self.look(),
            }
        }
    }
}
