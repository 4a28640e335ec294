//! Looking names up again while the server runs.

use super::Upstreams;
use super::addresses::Addresses;
use async_trait::async_trait;
use log::{info, warn};
use pingora_core::server::ShutdownWatch;
use pingora_core::services::background::BackgroundService;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// How often names are looked up again. The system's resolver does not tell how long an answer holds; vendors' records
/// hold from 20 s to 5 min.
const INTERVAL: Duration = Duration::from_secs(30);

/// A background service that keeps the addresses of all endpoints fresh.
pub struct Refresh(Arc<Upstreams>);

impl Refresh {
    /// A service for these endpoints.
    pub fn new(upstreams: Arc<Upstreams>) -> Self {
        Self(upstreams)
    }

    /// Looks every name up, and tells of a failure once until it has passed.
    async fn refresh_all(&self, failing: &mut HashSet<String>) {
        for upstream in self.0.0.values() {
            let Addresses::Named(named) = &upstream.addresses else {
                continue;
            };
            match named.refresh().await {
                Ok(()) if failing.remove(named.name()) => {
                    info!("`{}` can be resolved again", named.name());
                }
                Ok(()) => {}
                Err(error) if failing.insert(named.name().to_owned()) => {
                    warn!("{error}; its last known addresses stay in use");
                }
                Err(_) => {}
            }
        }
    }
}

#[async_trait]
impl BackgroundService for Refresh {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        let mut failing = HashSet::new();
        let mut interval = tokio::time::interval(INTERVAL);
        loop {
            tokio::select! {
                _ = shutdown.changed() => return,
                _ = interval.tick() => self.refresh_all(&mut failing).await,
            }
        }
    }
}
