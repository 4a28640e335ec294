//! Telling when the addresses are open.

use super::{Addresses, OnReady};
use crate::admin::Readiness;
use async_trait::async_trait;
use pingora_core::server::ShutdownWatch;
use pingora_core::services::background::BackgroundService;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;

/// How long to wait before an address that does not answer is tried again.
const PAUSE: Duration = Duration::from_millis(2);

/// A background service that waits until all addresses take connections, and tells of it once.
pub struct Announce {
    addresses: Addresses,
    readiness: Readiness,
    on_ready: OnReady,
}

impl Announce {
    /// Tells `readiness` and `on_ready`.
    pub fn new(addresses: Addresses, readiness: Readiness, on_ready: OnReady) -> Self {
        Self { addresses, readiness, on_ready }
    }

    /// Pingora does not tell when a listener is open, so each is connected to.
    async fn wait(&self) {
        let listeners = self.addresses.listeners.iter().map(|(address, _)| *address);
        for address in listeners.chain([self.addresses.admin]) {
            while TcpStream::connect(reachable(address)).await.is_err() {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

#[async_trait]
impl BackgroundService for Announce {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        tokio::select! {
            _ = shutdown.changed() => {}
            () = self.wait() => {
                self.readiness.set();
                (self.on_ready)(&self.addresses);
            }
        }
    }
}

/// Where this machine reaches a socket that is bound to `address`.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
