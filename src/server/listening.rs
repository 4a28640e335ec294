//! Listening services that begin together, on sockets that are lent to them, and end when they are told.

use crate::live::Drain;
use async_trait::async_trait;
use pingora_core::Result;
use pingora_core::apps::ServerApp;
use pingora_core::listeners::PreTlsProcess;
use pingora_core::protocols::l4::stream::Stream as L4Stream;
use pingora_core::server::{ListenFds, ShutdownWatch};
use pingora_core::services::Service;
use pingora_core::services::listening;
use std::sync::Arc;
use tokio::sync::Barrier;

/// A listening service on lent sockets.
///
/// Pingora stops all services of a server in one go; this one stops when `stop` becomes true, so that the admin address
/// can go on while the listeners are closed already.
pub struct Lent<A> {
    inner: listening::Service<A>,
    sockets: ListenFds,
    stop: ShutdownWatch,
    begin: Arc<Barrier>,
    patient: Option<Arc<Drain>>,
}

impl<A> Lent<A> {
    /// `inner` on `sockets`, which begins to accept when all have come to `begin` a second time.
    pub fn new(
        inner: listening::Service<A>,
        sockets: ListenFds,
        stop: ShutdownWatch,
        begin: Arc<Barrier>,
    ) -> Self {
        Self { inner, sockets, stop, begin, patient: None }
    }

    /// Leaves connections that wait for their next request open until nobody sends anything any more. Pingora's clean-up
    /// closes them as soon as it accepts no more, while a client may be sending one. They are told with their next answer;
    /// what is left in the end is closed.
    pub fn patient(mut self, drain: Arc<Drain>) -> Self {
        self.patient = Some(drain);
        self
    }
}

#[async_trait]
impl<A: ServerApp + Send + Sync + 'static> Service for Lent<A> {
    async fn start_service(
        &mut self,
        _sockets: Option<ListenFds>,
        _stop: ShutdownWatch,
        tasks_per_socket: usize,
    ) {
        self.begin.wait().await;
        self.begin.wait().await;
        let (sockets, mut stop) = (self.sockets.clone(), self.stop.clone());
        let mut serving = self.inner.start_service(Some(sockets), stop.clone(), tasks_per_socket);
        if let Some(drain) = &self.patient {
            tokio::select! {
                () = &mut serving => return,
                // The sender lives as long as this future.
                _ = stop.wait_for(|stop| *stop) => {}
            }
            // What accepts are tasks of their own, and end by themselves; the clean-up is what is left to be done.
            drain.is_quiet().await;
        }
        serving.await;
    }

    fn name(&self) -> &str {
        self.inner.name()
    }

    fn threads(&self) -> Option<usize> {
        self.inner.threads
    }
}

/// Counts the connections of a listener with TLS from before their handshake on.
pub struct CountHandshakes(pub Arc<Drain>);

#[async_trait]
impl PreTlsProcess for CountHandshakes {
    async fn process(&self, _stream: &mut L4Stream) -> Result<()> {
        self.0.handshake_begins();
        Ok(())
    }
}
