//! The `server` section: settings of the process, passed on as they are.
//!
//! It has the keys of Pingora 0.9.1's `ServerConf`, which itself ignores a key that it does not know. Nothing of
//! Pingora is named here: the command that starts the server turns this into that.

use super::document::Document;
use super::findings::Spot;
use super::located::Located;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

/// The most buckets that Pingora accepts.
const MAX_BUCKETS: u64 = 1024;

/// Settings of the process, with the keys that Pingora's own configuration has; what is not given is not serialized.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerSection {
    /// Pingora's version of the format. Default: `0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Located<usize>>,
    /// Run in the background. Default: `false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daemon: Option<Located<bool>>,
    /// The file that a process in the background writes its log to. Default: standard error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_log: Option<Located<String>>,
    /// The file for the process id of a process in the background. Default: `evenkeel.pid` in `state_dir`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid_file: Option<Located<PathBuf>>,
    /// The socket over which a new process takes the listeners over. Default: `upgrade.sock` in
    /// `state_dir`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgrade_sock: Option<Located<PathBuf>>,
    /// The user that a process in the background becomes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Located<String>>,
    /// The group that a process in the background becomes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<Located<String>>,
    /// The directory that a process in the background works in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<Located<PathBuf>>,
    /// Threads of each service. Default: `1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<Located<usize>>,
    /// Tasks that accept connections on each listening socket. Default: `1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listener_tasks_per_fd: Option<Located<usize>>,
    /// Whether a service's threads take work from each other. Default: `true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work_stealing: Option<Located<bool>>,
    /// Tokio's alternative timer; needs a build with `tokio_unstable`. Default: `false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_enable_alt_timer: Option<Located<bool>>,
    /// The file, in PEM, of the authorities that sign vendors' certificates. Default: the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<Located<PathBuf>>,
    /// Seconds that connections have after the signal to stop. Default: `10`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace_period_seconds: Option<Located<u64>>,
    /// Seconds that the last step of stopping may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graceful_shutdown_timeout_seconds: Option<Located<u64>>,
    /// IPv4 addresses that connections to vendors are made from. Default: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_bind_to_ipv4: Option<Located<Vec<Ipv4Addr>>>,
    /// IPv6 addresses that connections to vendors are made from. Default: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_bind_to_ipv6: Option<Located<Vec<Ipv6Addr>>>,
    /// Idle connections to vendors that are kept. Default: `1024`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_keepalive_pool_size: Option<Located<usize>>,
    /// Thread pools that only connect to vendors. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_connect_offload_threadpools: Option<Located<usize>>,
    /// Threads of each pool that connects to vendors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_connect_offload_thread_per_pool: Option<Located<usize>>,
    /// Thread pools for TLS handshakes with clients. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downstream_tls_offload_threadpools: Option<Located<usize>>,
    /// Threads of each pool for TLS handshakes with clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downstream_tls_offload_thread_per_pool: Option<Located<usize>>,
    /// Write the keys of TLS with vendors to the file that `SSLKEYLOG` names. Default: `false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_debug_ssl_keylog: Option<Located<bool>>,
    /// The most attempts at one request. Default: `16`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<Located<usize>>,
    /// Attempts, one a second, at the socket of an upgrade. Default: `5`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgrade_sock_connect_accept_max_retries: Option<Located<usize>>,
    /// Threads for blocking work, above 0. Default: `512`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_blocking_threads: Option<Located<usize>>,
    /// Seconds after which an idle thread for blocking work ends. Default: `10`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocking_threads_ttl_seconds: Option<Located<u64>>,
    /// Timeouts longer than this are Tokio's, not Pingora's faster ones. Default: `900`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fast_timeout_to_tokio_threshold_seconds: Option<Located<u64>>,
    /// Measure how long tasks run; needs a build with `tokio_unstable`. Default: `false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_metrics_poll_time_histogram: Option<Located<bool>>,
    /// The scale of that measurement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_metrics_poll_time_histogram_scale: Option<Located<HistogramScale>>,
    /// Microseconds of that measurement's first bucket, above 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_metrics_poll_time_histogram_resolution_micros: Option<Located<u64>>,
    /// Buckets of that measurement, 1 to 1024.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_metrics_poll_time_histogram_buckets: Option<Located<usize>>,
    /// Whether the process that starts one in the background waits until it serves. Default: `false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daemon_wait_for_ready: Option<Located<bool>>,
    /// Seconds that it waits, above 0. Default: `600`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daemon_ready_timeout_seconds: Option<Located<u64>>,
    /// Seconds for which the one in the background tries to say that it serves, above 0. Default: `60`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daemon_notify_timeout_seconds: Option<Located<u64>>,
}

/// The scale of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum HistogramScale {
    /// Buckets of equal width.
    Linear,
    /// Each bucket twice as wide as the one before.
    Log,
}

/// Reports the values that Pingora would refuse, or could do nothing with.
pub(super) fn check(document: &Document, server: &ServerSection) {
    let count =
        |field: &Option<Located<usize>>| Some((field.as_ref()?.node(), *field.as_ref()?.value()? as u64));
    let seconds = |field: &Option<Located<u64>>| Some((field.as_ref()?.node(), *field.as_ref()?.value()?));
    let buckets = count(&server.runtime_metrics_poll_time_histogram_buckets);
    let above_zero = [
        count(&server.threads),
        count(&server.listener_tasks_per_fd),
        count(&server.max_blocking_threads),
        seconds(&server.runtime_metrics_poll_time_histogram_resolution_micros),
        buckets,
        seconds(&server.daemon_ready_timeout_seconds),
        seconds(&server.daemon_notify_timeout_seconds),
    ];
    for (node, value) in above_zero.into_iter().flatten() {
        if value == 0 {
            document.findings.error(Spot::Value(node), "expected a whole number above 0, found the number 0");
        }
    }
    if let Some((node, value)) = buckets.filter(|&(_, value)| value > MAX_BUCKETS) {
        let message = format!("expected a whole number from 1 to {MAX_BUCKETS}, found the number {value}");
        document.findings.error(Spot::Value(node), message);
    }
}
