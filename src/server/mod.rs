//! A loaded configuration, running: Pingora's server with our services in it.

mod conf;
mod file_watch;
mod handover;
mod housekeeping;
mod key_refresh;
mod listening;
mod name_refresh;
mod ready;
mod signals;
mod sockets;
mod starter;
mod tls;

pub use conf::upgrade_sock;
pub use handover::{Asker, Became, ask_for_successor, start_apart};

use crate::admin::{Admin, Readiness};
use crate::config::{Loaded, Outside as _, Process, Settings};
use crate::gateway::Heritage;
use crate::keys::KeyError;
use crate::live::{Clock, Live, Source};
use crate::observe::access_log::AccessLog;
use crate::observe::trace::Tracing;
use crate::proxy::Balancer;
use handover::{Giver, Predecessor, TakeError};
use housekeeping::Housekeeping;
use key_refresh::KeyRefresh;
use listening::{Lent, listen, proxy_service};
use log::warn;
use pingora_core::listeners::tls::TlsSettings;
use pingora_core::server::configuration::Opt;
use pingora_core::server::{ListenFds, RunArgs, Server};
use pingora_core::services::background::background_service;
use pingora_core::services::listening::Service;
use ready::{Announce, Told};
use signals::Signals;
use sockets::{Listening, Sockets};
use starter::Starter;
use std::fs::DirBuilder;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tls::Certificates;
use tokio::sync::{Barrier, watch};

/// How to start.
#[derive(Debug, Default)]
pub struct Start {
    /// Take the listeners over from the instance that runs.
    pub upgrade: bool,
    /// Go to the background.
    pub daemon: bool,
    /// Whoever has asked for this process to be started, and waits until it serves. Without him it does not take over.
    pub asker: Option<Asker>,
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
        reason: io::Error,
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
        reason: io::Error,
    },
    /// The running instance did not hand over.
    #[error(transparent)]
    Takeover(#[from] TakeError),
    /// The listening sockets cannot be used.
    #[error("the listening sockets cannot be used: {0}")]
    Sockets(io::Error),
    /// Signals cannot be waited for.
    #[error("signals cannot be waited for: {0}")]
    Signals(io::Error),
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

/// Serves `loaded`, which came from `source`, until a signal ends it or another process has taken over.
/// Calls `on_ready` when the process serves.
///
/// # Errors
/// [`StartError`] if it could not begin. An instance that runs has not been disturbed then.
pub fn serve(
    loaded: Loaded,
    source: Option<Source>,
    start: Start,
    on_ready: OnReady,
) -> Result<(), StartError> {
    signals::expect().map_err(StartError::Signals)?;
    let settings = &loaded.settings;
    let conf = conf::server_conf(settings)?;
    if start.daemon || conf.daemon {
        make_private(&settings.state_dir)
            .map_err(|reason| StartError::StateDir { path: settings.state_dir.clone(), reason })?;
    }
    let limit = conf::drain_limit(settings);
    let options = Opt { daemon: start.daemon, ..Opt::default() };
    let mut server = Server::new_with_opt_and_conf(options, conf);
    let parts = Parts::prepare(loaded, source, start.upgrade, Path::new(&server.configuration.upgrade_sock))?;
    let (live, access_log) = (Arc::clone(&parts.live), Arc::new(AccessLog::new(|| Clock.now())));
    let tracing = Tracing::configured(|name| Process.variable(name).ok());
    let told = Told { asker: start.asker, on_ready };
    let (giver, stop_admin) = parts.install(&mut server, &access_log, &tracing, told);
    let signals = Signals::new(live, Arc::clone(&giver), stop_admin, limit);
    server.run(RunArgs { shutdown_signal: Box::new(signals) });
    giver.clean_up();
    access_log.close();
    tracing.end();
    Ok(())
}

/// All that a server is made of. Whatever can fail has not.
struct Parts {
    live: Arc<Live>,
    sockets: Sockets,
    lent: ListenFds,
    predecessor: Option<Predecessor>,
    tls: Vec<Option<TlsSettings>>,
    keys: KeyRefresh,
}

impl Parts {
    fn prepare(
        loaded: Loaded,
        source: Option<Source>,
        upgrade: bool,
        upgrade_sock: &Path,
    ) -> Result<Self, StartError> {
        let listeners = &loaded.settings.listeners;
        let certificates = Certificates::load(listeners)?;
        let tls =
            listeners.iter().map(|listener| certificates.settings(listener)).collect::<Result<_, _>>()?;
        // Last of what can fail for the configuration's sake: so far the running instance knows of nothing.
        let (predecessor, taken_over, heritage) = predecessor(upgrade, upgrade_sock)?;
        let sockets = Sockets::open(&loaded.settings, taken_over)?;
        let lent = sockets.lend().map_err(StartError::Sockets)?;
        let on_reload = Box::new(move |settings: &Settings| certificates.renew(&settings.listeners));
        let live = Arc::new(Live::new(loaded, source, &heritage, on_reload));
        let keys = KeyRefresh::begin(live.clone())?;
        if live.current().asks_for_keys() && live.keys().is_empty() {
            warn!("there is no key yet, so that every request is refused: `evenkeel keys create` makes one");
        }
        Ok(Self { live, sockets, lent, predecessor, tls, keys })
    }

    /// Puts the services into `server`. Returns what hands over to another process, and what stops the admin address.
    fn install(
        self,
        server: &mut Server,
        access_log: &Arc<AccessLog>,
        tracing: &Tracing,
        told: Told,
    ) -> (Arc<Giver>, watch::Sender<bool>) {
        let Self { live, sockets, lent, predecessor, tls, keys } = self;
        let readiness = Readiness::default();
        let stop_admin = watch::Sender::new(false);
        // The two listening services, and the one that tells of them.
        let begin = Arc::new(Barrier::new(3));

        let balancer = Balancer::new(live.clone(), access_log.clone(), tracing.clone());
        let mut proxy = proxy_service(&server.configuration, balancer, live.drain());
        for (listener, tls) in sockets.listeners.iter().zip(tls) {
            listen(&mut proxy, listener, tls);
        }
        let proxy = Lent::new(proxy, lent.clone(), live.drain().watch(), begin.clone());
        server.add_service(proxy.patient(Arc::clone(live.drain())));

        let mut admin = Service::new("admin".to_owned(), Admin::new(live.clone(), readiness.clone()));
        listen(&mut admin, &sockets.admin, None);
        // Pingora gives every service as many threads as it gives the proxy.
        admin.threads = Some(1);
        server.add_service(Lent::new(admin, lent, stop_admin.subscribe(), begin.clone()));

        let addresses = open_addresses(&live.current().settings, &sockets);
        let tracing = tracing.clone();
        let Told { asker, on_ready } = told;
        let on_ready: OnReady = Box::new(move |addresses| {
            tracing.start();
            on_ready(addresses);
        });
        let told = Told { asker, on_ready };
        let upgrade_sock = server.configuration.upgrade_sock.clone().into();
        let giver = Arc::new(Giver::new(live.clone(), sockets, upgrade_sock));
        let starter = server.configuration.daemon_wait_for_ready.then(Starter::this_process);
        let announce = Announce::new(begin, predecessor, giver.clone(), addresses, readiness, told, starter);
        server.add_service(background_service("ready", announce));

        let housekeeping = Housekeeping { live, keys };
        server.add_service(background_service("housekeeping", housekeeping));
        (giver, stop_admin)
    }
}

/// The instance that runs, its sockets and what its gateway leaves, if this one is to take over from it.
fn predecessor(
    upgrade: bool,
    upgrade_sock: &Path,
) -> Result<(Option<Predecessor>, Vec<Listening>, Heritage), StartError> {
    if !upgrade {
        if handover::is_running(upgrade_sock) {
            warn!(
                "another process waits at {} for one that takes over from it; from now on this one does. Two that run side \
                 by side need a `server.upgrade_sock` each",
                upgrade_sock.display()
            );
        }
        return Ok((None, Vec::new(), Heritage::default()));
    }
    Ok(match handover::take_over(upgrade_sock)? {
        Some((predecessor, sockets, heritage)) => (Some(predecessor), sockets, heritage),
        None => {
            warn!("there is nothing to take over: no process listens at {}", upgrade_sock.display());
            (None, Vec::new(), Heritage::default())
        }
    })
}

fn open_addresses(settings: &Settings, sockets: &Sockets) -> Addresses {
    let listeners = sockets.listeners.iter().zip(&settings.listeners);
    Addresses {
        listeners: listeners.map(|(socket, listener)| (socket.address, listener.tls.is_some())).collect(),
        admin: sockets.admin.address,
    }
}

/// Makes a directory for what is nobody else's business, such as the pid file and the upgrade socket, where it is not there.
fn make_private(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}
