//! What is done beside requests, all on one thread.

use super::file_watch;
use super::key_refresh::KeyRefresh;
use super::name_refresh;
use crate::live::Live;
use async_trait::async_trait;
use pingora_core::server::ShutdownWatch;
use pingora_core::services::background::BackgroundService;
use std::sync::Arc;

/// A background service for all of it.
pub struct Housekeeping {
    /// What is served.
    pub live: Arc<Live>,
    /// Keeps the keys as their file has them.
    pub keys: KeyRefresh,
}

#[async_trait]
impl BackgroundService for Housekeeping {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        tokio::select! {
            _ = shutdown.changed() => {}
            () = async { tokio::join!(
                name_refresh::keep_fresh(&self.live),
                self.keys.keep_fresh(),
                file_watch::reload_when_changed(&self.live),
            ); } => {}
        }
    }
}
