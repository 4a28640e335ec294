//! Pingora's `ServerConf` from the file's `server` section.

use super::StartError;
use crate::config::Settings;
use crate::proxy::MAX_TRIES;
use pingora_core::server::configuration::ServerConf;
use std::path::Path;

/// How many idle connections to vendors are kept where the file does not say. Pingora's own default is 128 for all
/// endpoints together.
const KEEPALIVE_POOL: usize = 1024;

/// How long what is in flight has after SIGTERM where the file does not say. Pingora's own default is 5 minutes, slept
/// in full.
const GRACE_PERIOD: u64 = 10;

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
    if server.grace_period_seconds.is_none() {
        conf.grace_period_seconds = Some(GRACE_PERIOD);
    }
    // The number of tries in all: 0 would mean none, and how often a request is tried is a policy's business.
    conf.max_retries = conf.max_retries.max(MAX_TRIES);
    Ok(conf)
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
