//! A loaded configuration, running: Pingora's server with our services in it.

mod addresses;
mod conf;
mod key_refresh;
mod ready;
mod tls;

use crate::admin::{Admin, Readiness};
use crate::config::{AccessLogFormat, Loaded, Settings};
use crate::gateway::{Access, Gateway};
use crate::keys::{KeyError, KeyFile, KeyTable};
use crate::observe::access_log::{AccessLog, Format};
use crate::proxy::Balancer;
use crate::upstream::{Refresh, Upstreams};
use addresses::{AllClaimed, Claimed, claim};
use arc_swap::ArcSwap;
use key_refresh::KeyRefresh;
use log::warn;
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

/// Serves until a signal ends it: SIGINT at once, SIGTERM and SIGQUIT when what is in flight has had its time. Calls
/// `on_ready` when all addresses are open.
///
/// # Errors
/// [`StartError`] if it could not begin.
pub fn serve(loaded: Loaded, start: Start, on_ready: OnReady) -> Result<(), StartError> {
    let parts = Parts::prepare(loaded, start)?;
    let conf = conf::server_conf(&parts.settings)?;
    if start.upgrade || start.daemon || conf.daemon {
        make_state_dir(&parts.settings)?;
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
    settings: Settings,
    gateway: Arc<Gateway>,
    claimed: AllClaimed,
    tls: Vec<Option<TlsSettings>>,
    keys: Arc<ArcSwap<KeyTable>>,
    /// `None` if no AI API asks for keys.
    key_refresh: Option<KeyRefresh>,
}

impl Parts {
    fn prepare(loaded: Loaded, start: Start) -> Result<Self, StartError> {
        let Loaded { settings, gateway, .. } = loaded;
        let claimed = claim(&settings, start.upgrade)?;
        let tls = settings.listeners.iter().map(tls::settings).collect::<Result<_, _>>()?;
        let keys = Arc::new(ArcSwap::default());
        let key_refresh = match asks_for_keys(&gateway) {
            true => Some(KeyRefresh::begin(KeyFile::in_state_dir(&settings.state_dir), keys.clone())?),
            false => None,
        };
        if key_refresh.is_some() && keys.load().is_empty() {
            warn!("there is no key yet, so that every request is refused: `evenkeel keys create` makes one");
        }
        Ok(Self { settings, gateway: Arc::new(gateway), claimed, tls, keys, key_refresh })
    }

    /// Puts the services into `server`.
    fn install(self, server: &mut Server, on_ready: OnReady) -> AllClaimed {
        let upstreams = Arc::new(Upstreams::new(&self.gateway));
        let access_log = AccessLog::new(log_format(&self.settings));
        let balancer = Balancer::new(self.gateway, upstreams.clone(), self.keys, access_log);
        let mut proxy = http_proxy_service(&server.configuration, balancer);
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

        let addresses = open_addresses(&self.settings, &self.claimed);
        server.add_service(proxy);
        server.add_service(admin);
        server.add_service(background_service("addresses", Refresh::new(upstreams)));
        if let Some(key_refresh) = self.key_refresh {
            server.add_service(background_service("keys", key_refresh));
        }
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

fn log_format(settings: &Settings) -> Format {
    match settings.access_log {
        AccessLogFormat::Json => Format::Json,
        AccessLogFormat::Logfmt => Format::Logfmt,
        AccessLogFormat::Off => Format::Off,
    }
}

/// Whether any AI API is for the holders of keys.
fn asks_for_keys(gateway: &Gateway) -> bool {
    gateway.apis().iter().any(|api| api.access() == Access::ApiKey)
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
