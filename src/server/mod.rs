//! A loaded configuration, running: Pingora's server with our services in it.

mod addresses;
mod conf;
mod key_refresh;
mod name_refresh;
mod ready;
mod tls;

use crate::admin::{Admin, Readiness};
use crate::config::{Loaded, Settings};
use crate::gateway::Heritage;
use crate::keys::KeyError;
use crate::live::Live;
use crate::proxy::Balancer;
use addresses::{AllClaimed, Claimed, claim};
use key_refresh::KeyRefresh;
use log::warn;
use name_refresh::NameRefresh;
use pingora_core::apps::HttpServerOptions;
use pingora_core::listeners::TcpSocketOptions;
use pingora_core::listeners::tls::TlsSettings;
use pingora_core::protocols::http::v2::server::{H2Options, default_h2_options};
use pingora_core::server::configuration::Opt;
use pingora_core::server::{RunArgs, Server};
use pingora_core::services::background::background_service;
use pingora_core::services::listening::Service;
use pingora_proxy::http_proxy_service;
use ready::Announce;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;
use tls::Certificates;

/// How much of one HTTP/2 request body may be under way, in bytes.
const STREAM_WINDOW: u32 = 1024 * 1024;

/// How much of all bodies of one HTTP/2 connection may be under way, in bytes.
const CONNECTION_WINDOW: u32 = 4 * STREAM_WINDOW;

/// How to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Start {
    /// Take the listeners over from the instance that runs.
    pub upgrade: bool,
    /// Go to the background.
    pub daemon: bool,
}

/// The server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {reason}")]
    Address {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        reason: std::io::Error,
    },
    /// A listener's certificate or key cannot be used.
    #[error("the listener on {address} cannot use TLS: {reason}")]
    Tls {
        /// The listener's address.
        address: SocketAddr,
        /// What is wrong with them.
        reason: String,
    },
    /// The key file cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The state directory cannot be made.
    #[error("the state directory {path} cannot be made: {reason}", path = .path.display())]
    StateDir {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// The `server` section cannot be used.
    #[error("the `server` section cannot be used: {0}")]
    Server(String),
}

/// What to tell of the addresses once they are open.
pub type OnReady = Box<dyn Fn(&Addresses) + Send + Sync>;

/// The addresses that are open, with the ports that the kernel gave where none was asked for.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// The listeners', and whether each speaks TLS.
    pub listeners: Vec<(SocketAddr, bool)>,
    /// The admin address.
    pub admin: SocketAddr,
}

/// Serves `loaded`, which came from `file`, until a signal ends it: SIGINT at once, SIGTERM and SIGQUIT when what is in flight has had its time. Calls
/// `on_ready` when all addresses are open.
///
/// # Errors
/// [`StartError`] if it could not begin.
pub fn serve(
    loaded: Loaded,
    file: Option<PathBuf>,
    start: Start,
    on_ready: OnReady,
) -> Result<(), StartError> {
    let parts = Parts::prepare(loaded, file, start)?;
    let settings = parts.live.current().settings.clone();
    let conf = conf::server_conf(&settings)?;
    if start.upgrade || start.daemon || conf.daemon {
        make_state_dir(&settings)?;
    }
    let options = Opt { upgrade: start.upgrade, daemon: start.daemon, ..Opt::default() };
    let mut server = Server::new_with_opt_and_conf(options, conf);
    server.bootstrap();
    // Until the end: ports that the kernel chose are held by it.
    let _claimed = parts.install(&mut server, on_ready);
    server.run(RunArgs::default());
    Ok(())
}

/// All that a server is made of. Whatever can fail has not.
struct Parts {
    live: Arc<Live>,
    claimed: AllClaimed,
    tls: Vec<Option<TlsSettings>>,
    key_refresh: KeyRefresh,
}

impl Parts {
    fn prepare(loaded: Loaded, file: Option<PathBuf>, start: Start) -> Result<Self, StartError> {
        let claimed = claim(&loaded.settings, start.upgrade)?;
        let listeners = &loaded.settings.listeners;
        let certificates = Certificates::load(listeners)?;
        let tls =
            listeners.iter().map(|listener| certificates.settings(listener)).collect::<Result<_, _>>()?;
        let on_reload = Box::new(move |settings: &Settings| certificates.renew(&settings.listeners));
        let live = Arc::new(Live::new(loaded, file, &Heritage::default(), on_reload));
        let key_refresh = KeyRefresh::begin(live.clone())?;
        if live.current().asks_for_keys() && live.keys().is_empty() {
            warn!("there is no key yet, so that every request is refused: `evenkeel keys create` makes one");
        }
        Ok(Self { live, claimed, tls, key_refresh })
    }

    /// Puts the services into `server`.
    fn install(self, server: &mut Server, on_ready: OnReady) -> AllClaimed {
        let mut proxy = http_proxy_service(&server.configuration, Balancer::new(self.live.clone()));
        if let Some(app) = proxy.app_logic_mut() {
            app.server_options = Some(server_options());
            app.h2_options = Some(h2_options());
        }
        for (listener, tls) in self.claimed.listeners.iter().zip(self.tls) {
            listen(&mut proxy, listener, tls);
        }

        let readiness = Readiness::default();
        let mut admin = Service::new("admin".to_owned(), Admin::new(readiness.clone()));
        listen(&mut admin, &self.claimed.admin, None);
        // Pingora gives every service as many threads as it gives the proxy.
        admin.threads = Some(1);

        let addresses = open_addresses(&self.live.current().settings, &self.claimed);
        server.add_service(proxy);
        server.add_service(admin);
        server.add_service(background_service("names", NameRefresh(self.live)));
        server.add_service(background_service("keys", self.key_refresh));
        server.add_service(background_service("ready", Announce::new(addresses, readiness, on_ready)));
        self.claimed
    }
}

fn listen<A>(service: &mut Service<A>, claimed: &Claimed, tls: Option<TlsSettings>) {
    let address = claimed.address.to_string();
    let mut options = TcpSocketOptions::default();
    options.so_reuseport = claimed.is_held().then_some(true);
    match tls {
        Some(tls) => service.add_tls_with_settings(&address, Some(options), tls),
        None => service.add_tcp_with_settings(&address, options),
    }
}

fn open_addresses(settings: &Settings, claimed: &AllClaimed) -> Addresses {
    let listeners = claimed.listeners.iter().zip(&settings.listeners);
    Addresses {
        listeners: listeners.map(|(claimed, listener)| (claimed.address, listener.tls.is_some())).collect(),
        admin: claimed.admin.address,
    }
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

/// The pid file and the upgrade socket stand there, and nobody else's business are they.
fn make_state_dir(settings: &Settings) -> Result<(), StartError> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&settings.state_dir);
    made.map_err(|reason| StartError::StateDir { path: settings.state_dir.clone(), reason })
}
