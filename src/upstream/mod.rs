//! The endpoints as Pingora connects to them: addresses, timeouts, TLS, prebuilt once and cloned per request.

mod addresses;
mod refresh;

pub use addresses::NoAddress;
pub use refresh::Refresh;

use crate::gateway::{Endpoint, EndpointId, Gateway, Host, Protocol, Scheme, Timeouts};
use addresses::Addresses;
use pingora_core::protocols::TcpKeepalive;
use pingora_core::protocols::l4::socket::SocketAddr as SocketAddress;
use pingora_core::upstreams::peer::{ALPN, HttpPeer};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// How long a connection may lie unused in the pool. Vendors' own limits are mostly a minute or more; a connection
/// that is given up before the vendor does so is never found dead by a request.
const POOLED_IDLE: Duration = Duration::from_secs(55);

/// How many requests share one HTTP/2 connection. Pingora's own default is 1.
const STREAMS_PER_CONNECTION: usize = 100;

/// All endpoints of a gateway.
#[derive(Debug)]
pub struct Upstreams(HashMap<EndpointId, Upstream>);

#[derive(Debug)]
struct Upstream {
    template: HttpPeer,
    addresses: Addresses,
}

impl Upstreams {
    /// The endpoints of `gateway`; nothing is connected or resolved yet.
    pub fn new(gateway: &Gateway) -> Self {
        let upstream = |endpoint: &std::sync::Arc<Endpoint>| (endpoint.id(), Upstream::new(endpoint));
        Self(gateway.endpoints().map(upstream).collect())
    }

    /// A peer to connect to for `endpoint`, one of its addresses in turn. A name that has not been resolved yet is
    /// resolved now, within the endpoint's connect timeout.
    ///
    /// # Errors
    /// [`NoAddress`] if there is no address to connect to.
    pub async fn peer(&self, endpoint: &Endpoint, timeouts: Timeouts) -> Result<Box<HttpPeer>, NoAddress> {
        let upstream = self.0.get(&endpoint.id()).ok_or(NoAddress::Unknown)?;
        let mut peer = Box::new(upstream.template.clone());
        if timeouts != endpoint.timeouts() {
            set_timeouts(&mut peer, timeouts);
        }
        if let Addresses::Named(named) = &upstream.addresses {
            peer._address = named.next(timeouts.connect).await?;
        }
        Ok(peer)
    }

    /// The endpoint's addresses but for `first`, to be tried if that cannot be connected to.
    pub fn other_addresses(&self, endpoint: &Endpoint, first: &SocketAddress) -> Vec<SocketAddress> {
        match self.0.get(&endpoint.id()).map(|upstream| &upstream.addresses) {
            Some(Addresses::Named(named)) => named.others(first),
            Some(Addresses::Fixed) | None => Vec::new(),
        }
    }
}

impl Upstream {
    fn new(endpoint: &Endpoint) -> Self {
        let url = endpoint.url();
        let (address, addresses) = match url.host() {
            Host::Address(address) => (SocketAddr::new(*address, url.port()), Addresses::Fixed),
            // A stand-in that every request replaces: `HttpPeer` cannot be without an address.
            Host::Name(name) => (
                SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), url.port()),
                Addresses::named(name, url.port()),
            ),
        };
        let tls = url.scheme() == Scheme::Https;
        // The host is never empty: an empty SNI would turn verification off.
        let mut template = HttpPeer::new(address, tls, url.host().to_string());
        set_options(&mut template, endpoint);
        Self { template, addresses }
    }
}

fn set_options(peer: &mut HttpPeer, endpoint: &Endpoint) {
    // Endpoints share no connections: the pool's own key ignores the protocol and the timeouts.
    peer.group_key = endpoint.id().0 as u64 + 1;
    let options = &mut peer.options;
    options.alpn = match endpoint.protocol() {
        Protocol::Http1 => ALPN::H1,
        Protocol::Http2 => ALPN::H2,
    };
    options.max_h2_streams = STREAMS_PER_CONNECTION;
    options.idle_timeout = Some(POOLED_IDLE);
    options.tcp_keepalive = Some(TcpKeepalive {
        idle: Duration::from_secs(60),
        interval: Duration::from_secs(15),
        count: 4,
        user_timeout: Duration::ZERO,
    });
    set_timeouts(peer, endpoint.timeouts());
}

fn set_timeouts(peer: &mut HttpPeer, timeouts: Timeouts) {
    let options = &mut peer.options;
    options.connection_timeout = Some(timeouts.connect);
    options.total_connection_timeout = Some(timeouts.connect);
    // One limit for the first byte and for every later one is all that Pingora has. The longer of the two is set here;
    // the shorter one is kept by `proxy::deadline`.
    options.read_timeout = Some(timeouts.first_byte.max(timeouts.idle));
    options.write_timeout = Some(timeouts.idle);
}
