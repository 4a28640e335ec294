//! Signals, and how the process comes to its end.

use super::handover::Giver;
use crate::live::Live;
use async_trait::async_trait;
use log::{info, warn};
use pingora_core::server::{ShutdownSignal, ShutdownSignalWatch};
use sd_notify::NotifyState;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Waits for what ends the process, and lets it end well.
///
/// - SIGHUP: the file is loaded again.
/// - SIGTERM: no more connections are accepted, and the process ends when nothing is in flight, or at the limit.
/// - The same when another process has taken over.
/// - SIGQUIT: nothing happens until another process takes over. Pingora's own server would begin to end here.
/// - SIGINT: the process ends at once, even while it drains.
pub struct Signals {
    live: Arc<Live>,
    giver: Arc<Giver>,
    /// Stops the admin address.
    stop_admin: watch::Sender<bool>,
    limit: Duration,
}

/// Takes the signals whose default would end a process that has not begun to wait for them yet.
pub fn expect() -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGQUIT, SIGUSR1};
    // SIGUSR1 is what a daemon tells the process that started it with; it may be quicker than that one's own handler.
    for number in [SIGHUP, SIGQUIT, SIGUSR1] {
        signal_hook::flag::register(number, Arc::new(AtomicBool::new(false)))?;
    }
    Ok(())
}

impl Signals {
    /// Lets what is in flight take up to `limit`.
    pub fn new(live: Arc<Live>, giver: Arc<Giver>, stop_admin: watch::Sender<bool>, limit: Duration) -> Self {
        Self { live, giver, stop_admin, limit }
    }

    async fn wait(&self) -> io::Result<()> {
        let mut reload = signal(SignalKind::hangup())?;
        let mut upgrade = signal(SignalKind::quit())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        loop {
            tokio::select! {
                _ = reload.recv() => self.reload(),
                _ = upgrade.recv() => {
                    info!("SIGQUIT: this process serves until another takes over (`evenkeel run --upgrade`)");
                }
                _ = terminate.recv() => {
                    info!("SIGTERM: no more connections are accepted");
                    let _ = sd_notify::notify(&[NotifyState::Stopping]);
                    self.live.drain().begin();
                    self.giver.close_listeners();
                    self.drain(&mut interrupt).await;
                    return Ok(());
                }
                () = self.giver.handed_over() => {
                    self.stop_admin.send_replace(true);
                    self.drain(&mut interrupt).await;
                    return Ok(());
                }
                _ = interrupt.recv() => return Ok(()),
            }
        }
    }

    fn reload(&self) {
        let live = Arc::clone(&self.live);
        // It tells what came of it itself.
        tokio::task::spawn_blocking(move || drop(live.reload()));
    }

    async fn drain(&self, interrupt: &mut Signal) {
        let drain = self.live.drain();
        info!("{} requests are in flight on {} connections", drain.in_flight(), drain.connections());
        tokio::select! {
            finished = drain.finished(self.limit) => match finished {
                true => info!("nothing is in flight any more"),
                false => warn!("{} requests are in flight after {:?} and end here", drain.in_flight(), self.limit),
            },
            _ = interrupt.recv() => warn!("SIGINT: {} requests end here", drain.in_flight()),
        }
    }
}

#[async_trait]
impl ShutdownSignalWatch for Signals {
    async fn recv(&self) -> ShutdownSignal {
        if let Err(error) = self.wait().await {
            warn!("signals cannot be waited for, and the process ends: {error}");
        }
        // What was in flight has had its time, and there is nothing more to tell.
        self.live.drain().begin();
        self.stop_admin.send_replace(true);
        ShutdownSignal::FastShutdown
    }
}
