//! Listening services that begin together, on sockets that are lent to them, and end when they are told.

use super::sockets::Listening;
use crate::live::Drain;
use crate::proxy::Balancer;
use crate::upstream::Joining;
use async_trait::async_trait;
use futures::FutureExt as _;
use pingora_core::Result;
use pingora_core::apps::{HttpServerOptions, ServerApp};
use pingora_core::connectors::ConnectorOptions;
use pingora_core::listeners::PreTlsProcess;
use pingora_core::listeners::tls::TlsSettings;
use pingora_core::listeners::{L4BufferSettings, ListenerConfig};
use pingora_core::protocols::http::v2::server::{H2Options, default_h2_options};
use pingora_core::protocols::l4::stream::Stream as L4Stream;
use pingora_core::server::configuration::ServerConf;
use pingora_core::server::{ListenFds, ShutdownWatch};
use pingora_core::services::Service;
use pingora_core::services::listening;
use pingora_proxy::{HttpProxy, ProxyServiceBuilder};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use tokio::sync::Barrier;

/// How much is read of a client at once, in bytes. What is longer goes past this buffer, which each connection has. Pingora's
/// own default is four times as much.
const READ: usize = 16 * 1024;

/// How much of an answer is gathered before it is sent, in bytes: what comes at once, header and body, goes as one. Pingora's
/// own default is a single segment of an Ethernet.
const WRITE: usize = 16 * 1024;

/// How much of one HTTP/2 request body may be under way, in bytes.
const STREAM_WINDOW: u32 = 1024 * 1024;

/// How much of all bodies of one HTTP/2 connection may be under way, in bytes.
const CONNECTION_WINDOW: u32 = 4 * STREAM_WINDOW;

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
            let stops = stop.clone();
            // The service sees that it is to stop, too, and may do so before this task is told. It must not be asked then, as
            // it would clean up.
            let ended = poll_fn(|cx| if *stops.borrow() { Poll::Pending } else { serving.as_mut().poll(cx) });
            tokio::select! {
                () = ended => return,
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

/// The service that balances requests. What handshakes its clients begin is told to `drain`.
pub fn proxy_service(
    conf: &Arc<ServerConf>,
    balancer: Balancer,
    drain: &Arc<Drain>,
) -> listening::Service<HttpProxy<Balancer, Joining>> {
    let connector = Joining::new(ConnectorOptions::from_server_conf(conf));
    // No client speaks a protocol of its own.
    let no_custom_clients = Arc::new(|_, _, _: &_| std::future::ready(None).boxed());
    let mut service = ProxyServiceBuilder::new(conf, balancer)
        .name("proxy")
        .custom(connector, no_custom_clients)
        .server_options(server_options())
        .build();
    if let Some(proxy) = service.app_logic_mut() {
        proxy.h2_options = Some(h2_options());
    }
    service.endpoints().set_pre_tls_callback(Arc::new(CountHandshakes(Arc::clone(drain))));
    service
}

fn server_options() -> HttpServerOptions {
    let mut options = HttpServerOptions::default();
    // HTTP/2 in the clear, with prior knowledge.
    options.h2c = true;
    options
}

/// Pingora's bounds, with windows in which a body of a few megabytes is not held up by every round trip.
fn h2_options() -> H2Options {
    let mut options = default_h2_options();
    options.initial_window_size(STREAM_WINDOW).initial_connection_window_size(CONNECTION_WINDOW);
    options
}

/// Lets `service` accept at the address of `socket`, in the clear or with TLS.
pub fn listen<A>(service: &mut listening::Service<A>, socket: &Listening, tls: Option<TlsSettings>) {
    let listener =
        ListenerConfig::tcp(socket.address.to_string()).l4_buffer(L4BufferSettings::new(READ, WRITE));
    service.add_listener(match tls {
        Some(tls) => listener.tls(tls),
        None => listener,
    });
}

/// Counts the connections of a listener with TLS from before their handshake on.
struct CountHandshakes(Arc<Drain>);

#[async_trait]
impl PreTlsProcess for CountHandshakes {
    async fn process(&self, _stream: &mut L4Stream) -> Result<()> {
        self.0.handshake_begins();
        Ok(())
    }
}
