//! The endpoints as Pingora connects to them: addresses, timeouts, TLS, prebuilt once and cloned per request.

mod addresses;
mod joined;
mod refresh;

pub use addresses::NoAddress;
pub use joined::{Holder, Joining};
pub use refresh::Unresolved;

use crate::gateway::{AiApi, Endpoint, EndpointId, Environment, Gateway, Host, Protocol, Scheme, Timeouts};
use addresses::Addresses;
use pingora_core::protocols::TcpKeepalive;
use pingora_core::protocols::l4::socket::SocketAddr as SocketAddress;
use pingora_core::upstreams::peer::{ALPN, HttpPeer};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// How long a connection may lie unused in the pool. Vendors' own limits are mostly a minute or more; a connection
/// that is given up before the vendor does so is never found dead by a request.
const POOLED_IDLE: Duration = Duration::from_secs(55);

/// How many requests share one HTTP/2 connection. Pingora's own default is 1.
const STREAMS_PER_CONNECTION: usize = 100;

/// All endpoints of a gateway.
#[derive(Debug, Default)]
pub struct Upstreams {
    endpoints: HashMap<EndpointId, Upstream>,
    /// What the connections of each endpoint are known by, and its addresses: an endpoint that a later gateway has, too,
    /// goes on with them.
    known: HashMap<Identity, Known>,
    /// The connection group of the next endpoint that is not known yet.
    next_group: u64,
}

#[derive(Debug)]
struct Upstream {
    template: HttpPeer,
    addresses: Arc<Addresses>,
}

/// What makes two endpoints the same to whoever is connected to them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Identity {
    api: String,
    environment: Environment,
    endpoint: String,
    scheme: Scheme,
    host: String,
    port: u16,
    protocol: Protocol,
}

#[derive(Debug, Clone)]
struct Known {
    group: u64,
    addresses: Arc<Addresses>,
}

impl Identity {
    fn of(api: &AiApi, environment: Environment, endpoint: &Endpoint) -> Self {
        let url = endpoint.url();
        Self {
            api: api.name().to_owned(),
            environment,
            endpoint: endpoint.name().to_owned(),
            scheme: url.scheme(),
            host: url.host().to_string(),
            port: url.port(),
            protocol: endpoint.protocol(),
        }
    }
}

impl Upstreams {
    /// The endpoints of `gateway`; nothing is connected or resolved yet.
    pub fn new(gateway: &Gateway) -> Self {
        Self::replacing(&Self::default(), gateway)
    }

    /// The endpoints of `gateway`. Those that `earlier` has, too, keep their pooled connections and their addresses.
    pub fn replacing(earlier: &Self, gateway: &Gateway) -> Self {
        let mut new = Self { next_group: earlier.next_group, ..Self::default() };
        for (api, environment, endpoint) in gateway.endpoints_with_place() {
            let identity = Identity::of(api, environment, endpoint);
            let known = earlier.known.get(&identity).cloned().unwrap_or_else(|| {
                // Never 0, which is the group of those that have none.
                new.next_group += 1;
                Known { group: new.next_group, addresses: Arc::new(Addresses::of(endpoint)) }
            });
            new.endpoints.insert(endpoint.id(), Upstream::new(endpoint, &known));
            new.known.insert(identity, known);
        }
        new
    }

    /// A peer to connect to for `endpoint`, one of its addresses in turn. A name that has not been resolved yet is
    /// resolved now, within the endpoint's connect timeout.
    ///
    /// # Errors
    /// [`NoAddress`] if there is no address to connect to.
    pub async fn peer(&self, endpoint: &Endpoint, timeouts: Timeouts) -> Result<Box<HttpPeer>, NoAddress> {
        let upstream = self.endpoints.get(&endpoint.id()).ok_or(NoAddress::Unknown)?;
        let mut peer = Box::new(upstream.template.clone());
        if timeouts != endpoint.timeouts() {
            set_timeouts(&mut peer, timeouts);
        }
        if let Addresses::Named(named) = upstream.addresses.as_ref() {
            peer._address = named.next(timeouts.connect).await?;
        }
        Ok(peer)
    }

    /// The endpoint's addresses but for `first`, to be tried if that cannot be connected to.
    pub fn other_addresses(&self, endpoint: &Endpoint, first: &SocketAddress) -> Vec<SocketAddress> {
        match self.endpoints.get(&endpoint.id()).map(|upstream| upstream.addresses.as_ref()) {
            Some(Addresses::Named(named)) => named.others(first),
            Some(Addresses::Fixed) | None => Vec::new(),
        }
    }
}

impl Upstream {
    fn new(endpoint: &Endpoint, known: &Known) -> Self {
        let url = endpoint.url();
        let address = match url.host() {
            Host::Address(address) => *address,
            // A stand-in that every request replaces: `HttpPeer` cannot be without an address.
            Host::Name(_) => Ipv4Addr::UNSPECIFIED.into(),
        };
        let address = SocketAddr::new(address, url.port());
        let tls = url.scheme() == Scheme::Https;
        // The host is never empty: an empty SNI would turn verification off.
        let mut template = HttpPeer::new(address, tls, url.host().to_string());
        set_options(&mut template, endpoint, known.group);
        Self { template, addresses: Arc::clone(&known.addresses) }
    }
}

fn set_options(peer: &mut HttpPeer, endpoint: &Endpoint, group: u64) {
    // Endpoints share no connections: the pool's own key ignores the protocol and the timeouts.
    peer.group_key = group;
    let options = &mut peer.options;
    options.alpn = match endpoint.protocol() {
        Protocol::Http1 => joined::protocol(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Process};

    fn gateway(endpoints: &str) -> Gateway {
        let text = format!(
            "listeners: [{{ address: '127.0.0.1:0' }}]
apis:
  - name: A
    context: /a
    vendor: openai
    endpoints: {{ production: [{endpoints}] }}
    operations: [{{ method: GET, path: /models }}]"
        );
        config::parse("test", &text, &Process).unwrap().gateway
    }

    fn groups(upstreams: &Upstreams, gateway: &Gateway) -> Vec<u64> {
        gateway.endpoints().map(|endpoint| upstreams.endpoints[&endpoint.id()].template.group_key).collect()
    }

    #[test]
    fn endpoints_that_stay_keep_their_connections() {
        let (a, b) = ("{ name: A, url: 'http://127.0.0.1:1/v1' }", "{ name: B, url: 'http://b.test:1/v1' }");
        let before = gateway(&format!("{a}, {b}"));
        let upstreams = Upstreams::new(&before);
        assert_eq!(groups(&upstreams, &before), [1, 2]);
        for (endpoints, expected) in [
            (format!("{b}, {a}"), &[2, 1][..]),
            (format!("{b}, {}", a.replace("/v1", "/v2")), &[2, 1]),
            (format!("{b}, {}", a.replace(":1", ":9")), &[2, 3]),
            (format!("{b}, {}", a.replace("' }", "', protocol: http2 }")), &[2, 3]),
            ("{ name: C, url: 'http://127.0.0.1:1/v1' }".to_owned(), &[3]),
        ] {
            let after = gateway(&endpoints);
            let replaced = Upstreams::replacing(&upstreams, &after);
            assert_eq!(groups(&replaced, &after), expected, "{endpoints}");
        }
    }
}
