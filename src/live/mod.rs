//! What is served now, and how it is changed while requests are served.
//!
//! A [`Serving`] is all that a request needs; it never changes. A reload makes another one and puts it in its place in
//! one step: requests under way finish on the one that they began with, and what the two have in common (the health of
//! pairs, whose turn it is, connections to vendors) they share.

mod clock;
mod difference;
mod drain;
mod metering;
mod reload;

pub use clock::{Clock, time_of_day};
pub use drain::{Drain, UnderWay};
pub use reload::{LastReload, NotReloaded, Reloaded};

use crate::balance::Tick;
use crate::config::{AccessLogFormat, Loaded, Settings};
use crate::gateway::{Access, Gateway, Heritage};
use crate::keys::{KeyFile, KeyTable};
use crate::observe::access_log::Format;
use crate::observe::metrics::Meters;
use crate::stamp::Stamped;
use crate::upstream::Upstreams;
use arc_swap::{ArcSwap, Guard};
use parking_lot::Mutex;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// All that requests are served with.
#[derive(Debug)]
pub struct Serving {
    /// How many configurations this process has served, this one included.
    pub generation: u64,
    /// What concerns the process, as the file has it now.
    pub settings: Arc<Settings>,
    /// What concerns requests.
    pub gateway: Gateway,
    /// The gateway's endpoints, to be connected to.
    pub upstreams: Upstreams,
    /// What is counted of its requests.
    pub meters: Meters,
    /// When it was loaded.
    pub loaded_at: SystemTime,
}

impl Serving {
    /// How the access log is written.
    pub fn log_format(&self) -> Format {
        match self.settings.access_log {
            AccessLogFormat::Json => Format::Json,
            AccessLogFormat::Logfmt => Format::Logfmt,
            AccessLogFormat::Off => Format::Off,
        }
    }

    /// Whether any AI API is for the holders of keys.
    pub fn asks_for_keys(&self) -> bool {
        self.gateway.apis().iter().any(|api| api.access() == Access::ApiKey)
    }
}

/// What a process serves, from its start to its end.
pub struct Live {
    current: ArcSwap<Serving>,
    /// The settings that the process began with; what only a restart changes is still as it is there.
    began_with: Arc<Settings>,
    /// The file that is served; `None` if the configuration came from elsewhere.
    file: Option<PathBuf>,
    /// That file, and those that it referred to when it was last loaded, as they were then.
    files: Mutex<Vec<Stamped>>,
    keys: ArcSwap<KeyTable>,
    key_file: KeyFile,
    last_reload: Mutex<LastReload>,
    /// Held while a file is loaded: one at a time.
    reloading: Mutex<()>,
    /// What a reload does with the new settings before they are served.
    on_reload: Box<OnReload>,
    drain: Arc<Drain>,
    started_at: SystemTime,
}

/// Where a configuration came from.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its file.
    pub file: PathBuf,
    /// That file, and those that it refers to, as they were when it was loaded.
    pub files: Vec<Stamped>,
}

/// Takes new settings over into the running process. The error says why they cannot be.
pub type OnReload = dyn Fn(&Settings) -> Result<(), String> + Send + Sync;

impl Live {
    /// Begins to serve `loaded`, which came from `source`, going on where an earlier process was.
    pub fn new(
        loaded: Loaded,
        source: Option<Source>,
        heritage: &Heritage,
        on_reload: Box<OnReload>,
    ) -> Self {
        let Loaded { settings, gateway, .. } = loaded;
        let settings = Arc::new(settings);
        let gateway = gateway.inheriting(heritage);
        let upstreams = Upstreams::new(&gateway);
        let meters = Meters::new(metering::layout(&gateway, &settings), &Meters::default());
        let now = time_of_day();
        let serving = Serving {
            generation: 1,
            settings: Arc::clone(&settings),
            gateway,
            upstreams,
            meters,
            loaded_at: now,
        };
        Self {
            current: ArcSwap::from_pointee(serving),
            key_file: KeyFile::in_state_dir(&settings.state_dir),
            began_with: settings,
            files: Mutex::new(source.as_ref().map_or_else(Vec::new, |source| source.files.clone())),
            file: source.map(|source| source.file),
            keys: ArcSwap::default(),
            last_reload: Mutex::new(LastReload { at: now, error: None }),
            reloading: Mutex::new(()),
            on_reload,
            drain: Arc::default(),
            started_at: now,
        }
    }

    /// What is served now. A request keeps it to its end.
    pub fn current(&self) -> Arc<Serving> {
        self.current.load_full()
    }

    /// The keys that are in force.
    pub fn keys(&self) -> Guard<Arc<KeyTable>> {
        self.keys.load()
    }

    /// From now on these keys are in force.
    pub fn set_keys(&self, keys: KeyTable) {
        self.keys.store(Arc::new(keys));
    }

    /// The file of keys.
    pub fn key_file(&self) -> &KeyFile {
        &self.key_file
    }

    /// The file that is served; `None` if the configuration came from elsewhere.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// That file, and those that it referred to when it was last loaded, as they were then, whatever came of it.
    pub fn files(&self) -> Vec<Stamped> {
        self.files.lock().clone()
    }

    /// What is under way.
    pub fn drain(&self) -> &Arc<Drain> {
        &self.drain
    }

    /// When the process began to serve.
    pub fn started_at(&self) -> SystemTime {
        self.started_at
    }

    /// The moment that it is.
    pub fn now(&self) -> Tick {
        Clock.now()
    }

    /// The time of day at the moment `tick`.
    pub fn time_of(&self, tick: Tick) -> Option<SystemTime> {
        time_of_day().checked_add(tick.since(self.now()))
    }
}
