//! Pingora's `ServerConf` from the file's `server` section.

use super::StartError;
use crate::config::{Located, Settings};
use crate::proxy::MAX_TRIES;
use pingora_core::server::configuration::ServerConf;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How many idle connections to vendors are kept where the file does not say. Pingora's own default is 128 for all
/// endpoints together.
const KEEPALIVE_POOL: usize = 1024;

/// How long what is in flight has to finish where the file does not say: as long as a vendor may be silent by default.
/// A process ends earlier when nothing is in flight.
const DRAIN_LIMIT: Duration = Duration::from_secs(120);

/// The section verbatim, with defaults of our own for what it leaves out.
pub fn server_conf(settings: &Settings) -> Result<ServerConf, StartError> {
    let server = &settings.server;
    let given = serde_yaml::to_value(server).map_err(|error| StartError::Server(error.to_string()))?;
    let mut conf: ServerConf =
        serde_yaml::from_value(given).map_err(|error| StartError::Server(error.to_string()))?;
    // Pingora's defaults are files in /tmp, the socket open to everyone.
    if server.pid_file.is_none() {
        conf.pid_file = in_state_dir(settings, "evenkeel.pid");
    }
    if server.upgrade_sock.is_none() {
        conf.upgrade_sock = in_state_dir(settings, "upgrade.sock");
    }
    if server.upstream_keepalive_pool_size.is_none() {
        conf.upstream_keepalive_pool_size = KEEPALIVE_POOL;
    }
    // The number of tries in all: 0 would mean none, and how often a request is tried is a policy's business.
    conf.max_retries = conf.max_retries.max(MAX_TRIES);
    Ok(conf)
}

/// How long what is in flight has to finish when the process is to end: `graceful_shutdown_timeout_seconds`, or
/// `grace_period_seconds` where only that is given. Pingora would sleep the one in full and wait for the other then.
pub fn drain_limit(settings: &Settings) -> Duration {
    let seconds = |field: &Option<Located<u64>>| Some(Duration::from_secs(*field.as_ref()?.value()?));
    let server = &settings.server;
    seconds(&server.graceful_shutdown_timeout_seconds)
        .or_else(|| seconds(&server.grace_period_seconds))
        .unwrap_or(DRAIN_LIMIT)
}

/// The socket over which a new process takes over.
///
/// # Errors
/// [`StartError::Server`] if the section cannot be used.
pub fn upgrade_sock(settings: &Settings) -> Result<PathBuf, StartError> {
    Ok(server_conf(settings)?.upgrade_sock.into())
}

fn in_state_dir(settings: &Settings, name: &str) -> String {
    let path: &Path = &settings.state_dir;
    path.join(name).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_section_has_the_keys_that_pingora_has() {
        let schema = crate::config::schema();
        let section = &schema["$defs"]["ServerSection"]["properties"];
        let ours: BTreeSet<_> = section.as_object().unwrap().keys().map(String::as_str).collect();
        let defaults = serde_yaml::to_value(ServerConf::default()).unwrap();
        let pingoras: BTreeSet<_> =
            defaults.as_mapping().unwrap().keys().map(|key| key.as_str().unwrap()).collect();
        assert_eq!(ours, pingoras);
    }
}
