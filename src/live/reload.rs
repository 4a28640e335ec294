//! Loading the file again while requests are served.

use super::difference::needs_restart;
use super::{Live, Serving, metering, time_of_day};
use crate::config::{self, Diagnostic, Loaded, Report};
use crate::observe::metrics::Meters;
use crate::upstream::Upstreams;
use log::{error, info, warn};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

/// A reload that has changed what is served.
#[derive(Debug, Clone)]
pub struct Reloaded {
    /// How many configurations the process has served, the new one included.
    pub generation: u64,
    /// What is probably not as it was meant.
    pub warnings: Vec<Diagnostic>,
    /// The paths of changed keys that take effect with the next restart or upgrade only.
    pub needs_restart: Vec<String>,
}

/// A reload that has changed nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NotReloaded {
    /// The file has errors.
    #[error("{0}")]
    Invalid(Report),
    /// What the file says cannot be used.
    #[error("{0}")]
    Unusable(String),
    /// The configuration came from no file.
    #[error("this process serves a configuration of its own, not a file")]
    NoFile,
    /// The process is about to end.
    #[error("this process is draining: it serves what is in flight and ends")]
    Draining,
}

/// What came of the latest reload, or of the start.
#[derive(Debug, Clone)]
pub struct LastReload {
    /// When it was.
    pub at: SystemTime,
    /// Why it changed nothing; `None` if it succeeded.
    pub error: Option<String>,
}

impl Live {
    /// What came of the latest reload, or of the start.
    pub fn last_reload(&self) -> LastReload {
        self.last_reload.lock().clone()
    }

    /// Loads the file again, and serves what it says from now on. Reads files: not to be called where that would hold
    /// others up. Waits while another reload is under way.
    ///
    /// # Errors
    /// [`NotReloaded`] says why nothing has changed.
    pub fn reload(&self) -> Result<Reloaded, NotReloaded> {
        let _one_at_a_time = self.reloading.lock();
        let reloaded = self.try_reload();
        let error = reloaded.as_ref().err().map(ToString::to_string);
        *self.last_reload.lock() = LastReload { at: time_of_day(), error };
        // What came of it last: whoever waits for that has read all of it then.
        match &reloaded {
            Ok(reloaded) => tell(reloaded),
            Err(error) => {
                error!(
                    "nothing changes:\n{error}\nthe configuration was not reloaded, and the one before stays"
                );
            }
        }
        reloaded
    }

    fn try_reload(&self) -> Result<Reloaded, NotReloaded> {
        if self.drain.is_draining() {
            return Err(NotReloaded::Draining);
        }
        let file: &Path = self.file.as_deref().ok_or(NotReloaded::NoFile)?;
        let loaded = config::load_noting(file, &mut self.files.lock());
        let Loaded { settings, gateway, warnings } = loaded.map_err(NotReloaded::Invalid)?;
        (self.on_reload)(&settings).map_err(NotReloaded::Unusable)?;
        let old = self.current();
        let gateway = gateway.inheriting(&old.gateway.heritage());
        let upstreams = Upstreams::replacing(&old.upstreams, &gateway);
        let meters = Meters::new(metering::layout(&gateway, &settings), &old.meters);
        let generation = old.generation + 1;
        let needs_restart = needs_restart(&self.began_with, &settings);
        let settings = Arc::new(settings);
        let serving = Serving { generation, settings, gateway, upstreams, meters, loaded_at: time_of_day() };
        self.current.store(Arc::new(serving));
        Ok(Reloaded { generation, warnings: warnings.diagnostics().to_vec(), needs_restart })
    }
}

fn tell(reloaded: &Reloaded) {
    for warning in &reloaded.warnings {
        warn!("{}: {}", warning.path, warning.message);
    }
    if !reloaded.needs_restart.is_empty() {
        warn!("takes effect with the next restart or upgrade only: {}", reloaded.needs_restart.join(", "));
    }
    info!("the configuration was reloaded; it is number {}", reloaded.generation);
}
