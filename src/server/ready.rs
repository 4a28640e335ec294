//! The moment from which on the process serves.

use super::handover::{self, Giver, Predecessor};
use super::{Addresses, OnReady};
use crate::admin::Readiness;
use async_trait::async_trait;
use log::warn;
use parking_lot::Mutex;
use pingora_core::server::ShutdownWatch;
use pingora_core::services::ServiceReadyNotifier;
use pingora_core::services::background::BackgroundService;
use sd_notify::NotifyState;
use std::sync::Arc;
use tokio::sync::Barrier;

/// A background service that lets the listening services begin together, and tells whoever waits for it.
pub struct Announce {
    begin: Arc<Barrier>,
    predecessor: Mutex<Option<Predecessor>>,
    giver: Arc<Giver>,
    addresses: Addresses,
    readiness: Readiness,
    on_ready: OnReady,
}

impl Announce {
    /// Lets `giver` wait for the next process, and tells `predecessor`, `readiness`, the service manager and `on_ready` when all have come to `begin`.
    pub fn new(
        begin: Arc<Barrier>,
        predecessor: Option<Predecessor>,
        giver: Arc<Giver>,
        addresses: Addresses,
        readiness: Readiness,
        on_ready: OnReady,
    ) -> Self {
        Self { begin, predecessor: Mutex::new(predecessor), giver, addresses, readiness, on_ready }
    }

    async fn announce(&self) {
        self.begin.wait().await;
        let predecessor = self.predecessor.lock().take();
        let took_over = predecessor.is_some();
        if let Some(predecessor) = predecessor {
            // Blocks until the other process has answered.
            let _ = tokio::task::spawn_blocking(|| predecessor.release()).await;
        }
        if let Some(listener) = self.giver.open() {
            let giver = Arc::clone(&self.giver);
            // Blocks until somebody comes, and ends with the process.
            let _handover = tokio::task::spawn_blocking(move || handover::serve(&giver, &listener));
        }
        self.readiness.set();
        (self.on_ready)(&self.addresses);
        tell_service_manager(took_over);
    }
}

/// systemd, where it waits for `Type=notify`.
fn tell_service_manager(took_over: bool) {
    let mut states = vec![NotifyState::Ready];
    if took_over {
        states.insert(0, NotifyState::MainPid(std::process::id()));
    }
    if let Err(error) = sd_notify::notify(&states) {
        warn!("the service manager was not told that this process serves: {error}");
    }
}

#[async_trait]
impl BackgroundService for Announce {
    async fn start_with_ready_notifier(&self, mut shutdown: ShutdownWatch, ready: ServiceReadyNotifier) {
        tokio::select! {
            _ = shutdown.changed() => {}
            () = self.announce() => ready.notify_ready(),
        }
    }
}
