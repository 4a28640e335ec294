//! The addresses of one endpoint.

use crate::gateway::{Endpoint, Host};
use async_trait::async_trait;
use pingora_core::protocols::l4::socket::SocketAddr;
use pingora_core::{Error, ErrorType, OrErr};
use pingora_load_balancing::discovery::ServiceDiscovery;
use pingora_load_balancing::selection::RoundRobin;
use pingora_load_balancing::{Backend, Backends, LoadBalancer};
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// How many addresses are tried after the first before the endpoint counts as not reachable.
const OTHER_ADDRESSES: usize = 3;

/// The addresses of one endpoint.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one an endpoint, made once and never moved")]
pub(super) enum Addresses {
    /// The URL names an address.
    Fixed,
    /// The URL names a host, whose addresses are looked up and refreshed.
    Named(Named),
}

/// There is no address to connect to.
#[derive(Debug, thiserror::Error)]
pub enum NoAddress {
    /// The name could not be resolved.
    #[error("`{name}` cannot be resolved: {reason}")]
    Unresolved {
        /// The host's name.
        name: String,
        /// What the resolver said.
        reason: String,
    },
    /// The resolver did not answer in time.
    #[error("`{0}` was not resolved in time")]
    TimedOut(String),
    /// The endpoint is not one of this gateway's.
    #[error("the endpoint is not known")]
    Unknown,
}

impl Addresses {
    pub(super) fn of(endpoint: &Endpoint) -> Self {
        let url = endpoint.url();
        match url.host() {
            Host::Address(_) => Self::Fixed,
            Host::Name(name) => Self::named(name, url.port()),
        }
    }

    pub(super) fn named(name: &str, port: u16) -> Self {
        let lookup = Lookup { name: name.to_owned(), port };
        Self::Named(Named {
            name: name.to_owned(),
            balancer: LoadBalancer::from_backends(Backends::new(Box::new(lookup))),
            resolving: Mutex::new(()),
        })
    }
}

/// A host's name and the addresses it had when it was last resolved.
pub(super) struct Named {
    name: String,
    balancer: LoadBalancer<RoundRobin>,
    /// Held while resolving, so that a burst of first requests asks once, and that nobody finds addresses known which
    /// cannot be chosen among yet: the balancer makes the two known one after the other.
    resolving: Mutex<()>,
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Named").field(&self.name).finish()
    }
}

impl Named {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The next address, resolved first if there is none yet.
    pub(super) async fn next(&self, limit: Duration) -> Result<SocketAddr, NoAddress> {
        if let Some(address) = self.known() {
            return Ok(address);
        }
        match timeout(limit, self.resolve()).await {
            Ok(result) => result,
            Err(_) => Err(NoAddress::TimedOut(self.name.clone())),
        }
    }

    /// Looks the name up again. On failure the addresses known before stay.
    pub(super) async fn refresh(&self) -> Result<(), NoAddress> {
        let _resolving = self.resolving.lock().await;
        self.look_up().await
    }

    async fn look_up(&self) -> Result<(), NoAddress> {
        self.balancer
            .update()
            .await
            .map_err(|error| NoAddress::Unresolved { name: self.name.clone(), reason: reason(&error) })
    }

    async fn resolve(&self) -> Result<SocketAddr, NoAddress> {
        let _resolving = self.resolving.lock().await;
        if let Some(address) = self.known() {
            return Ok(address);
        }
        self.look_up().await?;
        self.known().ok_or_else(|| NoAddress::Unresolved {
            name: self.name.clone(),
            reason: "it has no address".to_owned(),
        })
    }

    /// The known addresses but for `first`, those of its family first.
    pub(super) fn others(&self, first: &SocketAddr) -> Vec<SocketAddr> {
        let known = self.balancer.backends().get_backend();
        let others = known.iter().map(|backend| &backend.addr).filter(|address| *address != first);
        let (same, other): (Vec<_>, Vec<_>) = others.cloned().partition(|a| is_ipv6(a) == is_ipv6(first));
        same.into_iter().chain(other).take(OTHER_ADDRESSES).collect()
    }

    fn known(&self) -> Option<SocketAddr> {
        // The key is for selections that hash; in a round robin every address is as good as another. Those of the
        // family that takes no turns are passed over, however many they are.
        let passed_over_at_most = self.balancer.backends().get_backend().len();
        self.balancer.select(b"", passed_over_at_most).map(|backend| backend.addr)
    }
}

fn reason(error: &Error) -> String {
    error.cause.as_ref().map_or_else(|| error.to_string(), ToString::to_string)
}

/// Looks a name up with the system's resolver, off the worker's thread.
struct Lookup {
    name: String,
    port: u16,
}

#[async_trait]
impl ServiceDiscovery for Lookup {
    async fn discover(&self) -> pingora_core::Result<(BTreeSet<Backend>, HashMap<u64, bool>)> {
        let found = tokio::net::lookup_host((self.name.as_str(), self.port))
            .await
            .or_err(ErrorType::ConnectNoRoute, "looking the host up")?;
        in_turn(found)
    }
}

/// The addresses, and which of them take turns. The resolver lists the family first that this machine can reach
/// (RFC 6724), and only its addresses do: those of the other would fail every second connection on a machine without
/// IPv6. They are tried when the first cannot be connected to.
fn in_turn(
    found: impl Iterator<Item = std::net::SocketAddr>,
) -> pingora_core::Result<(BTreeSet<Backend>, HashMap<u64, bool>)> {
    let backends =
        found.map(|address| Backend::new(&address.to_string())).collect::<pingora_core::Result<Vec<_>>>()?;
    let Some(first) = backends.first().cloned() else {
        return Error::e_explain(ErrorType::ConnectNoRoute, "it has no address");
    };
    let is_first_family = |backend: &Backend| is_ipv6(&backend.addr) == is_ipv6(&first.addr);
    let enabled = backends.iter().map(|backend| (hash(backend), is_first_family(backend))).collect();
    Ok((backends.into_iter().collect(), enabled))
}

fn is_ipv6(address: &SocketAddr) -> bool {
    address.as_inet().is_some_and(std::net::SocketAddr::is_ipv6)
}

/// As `pingora-load-balancing` tells backends apart.
fn hash(backend: &Backend) -> u64 {
    let mut hasher = DefaultHasher::new();
    backend.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pingora_load_balancing::discovery::Static;

    const LIMIT: Duration = Duration::from_secs(5);

    fn named(name: &str) -> Named {
        match Addresses::named(name, 80) {
            Addresses::Named(named) => named,
            Addresses::Fixed => unreachable!(),
        }
    }

    #[tokio::test]
    async fn a_name_is_resolved_when_it_is_first_asked_for() {
        let localhost = named("localhost");
        assert!(localhost.known().is_none());
        let address = localhost.next(LIMIT).await.unwrap();
        assert!(address.as_inet().unwrap().ip().is_loopback());
        assert!(localhost.known().is_some());
    }

    /// As at the start, when all names are looked up, and the first request may come meanwhile.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_request_meets_a_refresh() {
        for round in 0..3000 {
            let host = std::sync::Arc::new(Named {
                name: "host".to_owned(),
                balancer: LoadBalancer::from_backends(Backends::new(Box::new(Listed(&["127.0.0.1:80"])))),
                resolving: Mutex::new(()),
            });
            let refreshed = std::sync::Arc::clone(&host);
            let refresh = tokio::spawn(async move { refreshed.refresh().await });
            assert!(host.next(LIMIT).await.is_ok(), "in round {round}");
            refresh.await.unwrap().unwrap();
        }
    }

    /// A resolver that lists these addresses.
    struct Listed(&'static [&'static str]);

    #[async_trait]
    impl ServiceDiscovery for Listed {
        async fn discover(&self) -> pingora_core::Result<(BTreeSet<Backend>, HashMap<u64, bool>)> {
            in_turn(self.0.iter().map(|address| address.parse().unwrap()))
        }
    }

    #[tokio::test]
    async fn only_the_family_that_is_listed_first_takes_turns() {
        for (listed, in_turn) in [
            (&["[::1]:80", "127.0.0.1:80"][..], &["[::1]:80"][..]),
            (&["127.0.0.1:80", "[::1]:80"], &["127.0.0.1:80"]),
            (&["[::2]:80", "127.0.0.1:80", "127.0.0.2:80", "[::1]:80"], &["[::1]:80", "[::2]:80"]),
        ] {
            let host = Named {
                name: "host".to_owned(),
                balancer: LoadBalancer::from_backends(Backends::new(Box::new(Listed(listed)))),
                resolving: Mutex::new(()),
            };
            let mut taken = BTreeSet::new();
            for _ in 0..20 {
                taken.insert(host.next(LIMIT).await.unwrap().to_string());
            }
            assert_eq!(taken.iter().map(String::as_str).collect::<Vec<_>>(), in_turn, "{listed:?}");
        }
    }

    #[tokio::test]
    async fn the_addresses_that_are_left_begin_with_those_of_the_same_family() {
        let listed = ["127.0.0.1:80", "[::1]:80", "127.0.0.2:80", "[::2]:80"];
        let discovery = Static::try_from_iter(listed).unwrap();
        let host = Named {
            name: "host".to_owned(),
            balancer: LoadBalancer::from_backends(Backends::new(discovery)),
            resolving: Mutex::new(()),
        };
        assert!(host.others(&listed[0].parse().unwrap()).is_empty(), "nothing is known yet");
        host.refresh().await.unwrap();
        for (first, expected) in
            [(listed[0], [listed[2], listed[1], listed[3]]), (listed[1], [listed[3], listed[0], listed[2]])]
        {
            let others = host.others(&first.parse().unwrap());
            assert_eq!(others.iter().map(ToString::to_string).collect::<Vec<_>>(), expected, "after {first}");
        }
    }

    #[tokio::test]
    async fn a_name_that_does_not_exist_is_an_error_that_says_so() {
        let error = named("does-not-exist.invalid").next(LIMIT).await.unwrap_err();
        assert!(error.to_string().starts_with("`does-not-exist.invalid` cannot be resolved: "));
    }

    #[tokio::test]
    async fn a_resolver_that_hangs_is_given_up() {
        let host = named("localhost");
        let _held = host.resolving.lock().await;
        let error = host.next(Duration::from_millis(1)).await.unwrap_err();
        assert!(matches!(error, NoAddress::TimedOut(_)));
    }
}
