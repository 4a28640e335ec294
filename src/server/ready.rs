//! The moment from which on the process serves.

use super::handover::{self, Asker, Giver, Predecessor};
use super::starter::Starter;
use super::{Addresses, OnReady};
use crate::admin::Readiness;
use async_trait::async_trait;
use log::{error, warn};
use parking_lot::Mutex;
use pingora_core::server::ShutdownWatch;
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
    told: Told,
    starter: Option<Starter>,
}

/// Who else is told.
pub struct Told {
    /// Whoever has asked for this process to be started: that it serves, before it takes over; and that it has.
    pub asker: Option<Asker>,
    /// At the end.
    pub on_ready: OnReady,
}

impl Announce {
    /// When all have come to `begin`, tells the service manager and `predecessor`, in this order, and lets `giver` wait for
    /// the next process; then all come to `begin` again and accept, and it tells `readiness`, `told` and `starter`. Until
    /// then the upgrade socket is the predecessor's: should this process fail, the next one has to find it there.
    pub fn new(
        begin: Arc<Barrier>,
        predecessor: Option<Predecessor>,
        giver: Arc<Giver>,
        addresses: Addresses,
        readiness: Readiness,
        told: Told,
        starter: Option<Starter>,
    ) -> Self {
        let predecessor = Mutex::new(predecessor);
        Self { begin, predecessor, giver, addresses, readiness, told, starter }
    }

    async fn announce(&self) {
        self.begin.wait().await;
        let Told { asker, on_ready } = &self.told;
        if let Some(asker) = asker
            && let Err(error) = asker.tell_serving()
        {
            error!("nobody waits for this process any more ({error}), and it ends");
            end_at_once();
            return;
        }
        let predecessor = self.predecessor.lock().take();
        // Before the other process can end: it is the main one until then, and with it the service would end.
        tell_service_manager(predecessor.is_some());
        if let Some(predecessor) = predecessor {
            // Blocks until the other process has answered.
            let _ = tokio::task::spawn_blocking(|| predecessor.release()).await;
        }
        if let Some(listener) = self.giver.open() {
            let giver = Arc::clone(&self.giver);
            // Blocks until somebody comes, and ends with the process.
            let _handover = tokio::task::spawn_blocking(move || handover::serve(&giver, &listener));
        }
        // Not before: what this process accepts would be lost if it came to nothing while the other one serves still.
        // Meanwhile connections wait in the sockets.
        self.begin.wait().await;
        self.readiness.set();
        on_ready(&self.addresses);
        if let Some(asker) = asker {
            asker.tell_taken_over();
        }
    }
}

/// As by an interrupt: there is one place where the process comes to its end.
fn end_at_once() {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::INT);
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
    async fn start(&self, mut shutdown: ShutdownWatch) {
        tokio::select! {
            _ = shutdown.changed() => {}
            () = self.announce() => {
                if let Some(starter) = self.starter {
                    starter.tell().await;
                }
            }
        }
    }
}
