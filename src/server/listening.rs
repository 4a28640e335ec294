//! Listening services that begin together, on sockets that are lent to them, and end when they are told.

use crate::live::Drain;
use async_trait::async_trait;
use pingora_core::Result;
use pingora_core::apps::ServerApp;
use pingora_core::listeners::PreTlsProcess;
use pingora_core::protocols::Stream;
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
}

impl<A> Lent<A> {
    /// `inner` on `sockets`, which begins to accept when all have come to `begin` a second time.
    pub fn new(
        inner: listening::Service<A>,
        sockets: ListenFds,
        stop: ShutdownWatch,
        begin: Arc<Barrier>,
    ) -> Self {
        Self { inner, sockets, stop, begin }
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
        let (sockets, stop) = (self.sockets.clone(), self.stop.clone());
        self.inner.start_service(Some(sockets), stop, tasks_per_socket).await;
    }

    fn name(&self) -> &str {
        self.inner.name()
    }

    fn threads(&self) -> Option<usize> {
        self.inner.threads
    }
}

/// An application whose open connections are counted.
pub struct Counted<A> {
    inner: Arc<A>,
    drain: Arc<Drain>,
}

impl<A> Counted<A> {
    /// `inner`, its connections counted by `drain`.
    pub fn new(inner: A, drain: Arc<Drain>) -> Self {
        Self { inner: Arc::new(inner), drain }
    }
}

#[async_trait]
impl<A: ServerApp + Send + Sync + 'static> ServerApp for Counted<A> {
    async fn process_new(self: &Arc<Self>, stream: Stream, stop: &ShutdownWatch) -> Option<Stream> {
        let _open = self.drain.connection();
        if stream.get_ssl_digest().is_some() {
            self.drain.handshake_done();
        }
        self.inner.process_new(stream, stop).await
    }

    /// Pingora's clean-up closes the connections that wait for their next request, while a client may be sending one. They
    /// are told with their next answer; what is left when nobody sends anything any more is closed.
    async fn cleanup(&self) {
        self.drain.is_quiet().await;
        self.inner.cleanup().await;
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
