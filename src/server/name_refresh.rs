//! Looking the names of endpoints up again.

use crate::live::Live;
use crate::upstream::Unresolved;
use async_trait::async_trait;
use pingora_core::server::ShutdownWatch;
use pingora_core::services::background::BackgroundService;
use std::sync::Arc;
use std::time::Duration;

/// How often names are looked up again. The system's resolver does not tell how long an answer holds; vendors' records
/// hold from 20 s to 5 min.
const INTERVAL: Duration = Duration::from_secs(30);

/// A background service that keeps the addresses of the endpoints that are served fresh.
pub struct NameRefresh(pub Arc<Live>);

#[async_trait]
impl BackgroundService for NameRefresh {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        let mut unresolved = Unresolved::default();
        let mut interval = tokio::time::interval(INTERVAL);
        loop {
            tokio::select! {
                _ = shutdown.changed() => return,
                _ = interval.tick() => self.0.current().upstreams.refresh(&mut unresolved).await,
            }
        }
    }
}
