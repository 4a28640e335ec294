//! The configuration that is served: `GET /api/v1/config`.
//!
//! Every value as it is in force, defaults included, and no secret: a credential, a header's value and the token are shown
//! to be there, and not as what they are.

mod policy;

use super::Desk;
use super::exchange::Call;
use super::operation::{Json, Nothing, Operation};
use super::refusal::{Code, Refusal};
use super::status::timestamp;
use crate::config::{AccessLogFormat, MetricConventions, Settings};
use crate::gateway::{Access, AiApi, Endpoint, Endpoints, Environment, OwnAnswer, Protocol};
use crate::live::Live;
use http::Method;
use policy::ServedPolicy;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What stands for a secret.
const REDACTED: &str = "[redacted]";

/// Tells what is served.
pub(super) struct GetConfig;

impl Operation for GetConfig {
    type Body = Nothing;
    type Answer = Json<Served>;
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/api/v1/config";
    const ID: &'static str = "config";
    const SUMMARY: &'static str = "The configuration that is served, defaults included, secrets redacted";
    const STATUSES: &'static [(u16, &'static str)] = &[(200, "What is served.")];
    const REFUSALS: &'static [Code] = &[];

    fn call(desk: &Desk, _: &Call, _: Nothing) -> Result<Json<Served>, Refusal> {
        Ok(Json(Served::of(&desk.live)))
    }
}

/// A configuration as it is served. Durations are seconds, sizes bytes.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Config")]
pub(super) struct Served {
    /// The file; null if it came from elsewhere.
    file: Option<String>,
    /// How many configurations the process has served, this one included.
    generation: u64,
    /// When it was loaded, RFC 3339 in UTC.
    #[schemars(extend("format" = "date-time"))]
    loaded_at: String,
    /// The settings of the process that the file gives.
    server: Value,
    listeners: Vec<ServedListener>,
    admin: ServedAdmin,
    state_dir: String,
    access_log: ServedAccessLog,
    metrics: ServedMetrics,
    reload: ServedReload,
    limits: ServedLimits,
    apis: Vec<ServedApi>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct ServedListener {
    address: String,
    /// The files of its TLS; null if it is spoken to in the clear.
    tls: Option<ServedTls>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct ServedTls {
    certificate: String,
    key: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct ServedAdmin {
    address: String,
    /// `[redacted]` if one is set.
    token: Option<&'static str>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct ServedAccessLog {
    format: &'static str,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct ServedMetrics {
    conventions: &'static str,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct ServedReload {
    watch: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct ServedLimits {
    request_body: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct ServedApi {
    name: String,
    context: String,
    vendor: String,
    authentication: &'static str,
    endpoints: ServedEndpoints,
    operations: Vec<ServedOperation>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct ServedEndpoints {
    production: Vec<ServedEndpoint>,
    sandbox: Vec<ServedEndpoint>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct ServedEndpoint {
    name: String,
    /// Whose it is: the AI API's vendor, or another of the same format.
    vendor: String,
    url: String,
    /// `[redacted]` if it has one.
    credential: Option<&'static str>,
    /// The names of the headers that it sets; their values are `[redacted]`.
    headers: BTreeMap<String, &'static str>,
    protocol: &'static str,
    connect_timeout: f64,
    first_byte_timeout: f64,
    idle_timeout: f64,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct ServedOperation {
    method: String,
    path: String,
    /// What the gateway answers by itself: `models`; null where requests are sent on.
    answer: Option<&'static str>,
    /// What happens to requests with production keys; null if they go to the primary endpoint.
    production: Option<ServedPolicy>,
    /// What happens to requests with sandbox keys; null if they go to the primary endpoint.
    sandbox: Option<ServedPolicy>,
}

impl Served {
    fn of(live: &Live) -> Self {
        let serving = live.current();
        let settings: &Settings = &serving.settings;
        let listeners = settings.listeners.iter().map(|listener| ServedListener {
            address: listener.address.to_string(),
            tls: listener.tls.as_ref().map(|tls| ServedTls {
                certificate: tls.certificate.display().to_string(),
                key: tls.key.display().to_string(),
            }),
        });
        let mut apis: Vec<_> = serving.gateway.apis().iter().map(|api| ServedApi::of(api)).collect();
        apis.sort_by(|one, other| one.name.cmp(&other.name));
        Self {
            file: live.file().map(|file| file.display().to_string()),
            generation: serving.generation,
            loaded_at: timestamp(serving.loaded_at),
            server: serde_json::to_value(&settings.server).unwrap_or_default(),
            listeners: listeners.collect(),
            admin: ServedAdmin {
                address: settings.admin.address.to_string(),
                token: settings.admin.token.as_ref().map(|_| REDACTED),
            },
            state_dir: settings.state_dir.display().to_string(),
            access_log: ServedAccessLog { format: log_format(settings.access_log) },
            metrics: ServedMetrics { conventions: conventions(settings.metric_conventions) },
            reload: ServedReload { watch: settings.watch },
            limits: ServedLimits { request_body: serving.gateway.request_body_limit() },
            apis,
        }
    }
}

impl ServedApi {
    fn of(api: &AiApi) -> Self {
        let endpoints = |environment| {
            let all = api.endpoints(environment).into_iter().flat_map(Endpoints::iter);
            all.map(|endpoint| ServedEndpoint::of(endpoint)).collect()
        };
        let operations = api.operations().iter().map(|operation| ServedOperation {
            method: operation.method().as_str().to_owned(),
            path: operation.path().to_string(),
            answer: operation.answer().map(|OwnAnswer::Models| "models"),
            production: operation.pairs(Environment::Production).map(|pairs| ServedPolicy::of(pairs)),
            sandbox: operation.pairs(Environment::Sandbox).map(|pairs| ServedPolicy::of(pairs)),
        });
        Self {
            name: api.name().to_owned(),
            context: api.context().as_str().to_owned(),
            vendor: api.vendor().name.to_string(),
            authentication: match api.access() {
                Access::ApiKey => "api_key",
                Access::Open => "none",
            },
            endpoints: ServedEndpoints {
                production: endpoints(Environment::Production),
                sandbox: endpoints(Environment::Sandbox),
            },
            operations: operations.collect(),
        }
    }
}

impl ServedEndpoint {
    fn of(endpoint: &Endpoint) -> Self {
        let (headers, timeouts) = (endpoint.headers(), endpoint.timeouts());
        Self {
            name: endpoint.name().to_owned(),
            vendor: endpoint.vendor().name.to_string(),
            url: endpoint.url().to_string(),
            credential: headers.credential.as_ref().map(|_| REDACTED),
            headers: headers.others.iter().map(|(name, _)| (name.to_string(), REDACTED)).collect(),
            protocol: match endpoint.protocol() {
                Protocol::Http1 => "http1",
                Protocol::Http2 => "http2",
            },
            connect_timeout: timeouts.connect.as_secs_f64(),
            first_byte_timeout: timeouts.first_byte.as_secs_f64(),
            idle_timeout: timeouts.idle.as_secs_f64(),
        }
    }
}

fn log_format(format: AccessLogFormat) -> &'static str {
    match format {
        AccessLogFormat::Json => "json",
        AccessLogFormat::Logfmt => "logfmt",
        AccessLogFormat::Off => "off",
    }
}

fn conventions(conventions: MetricConventions) -> &'static str {
    match conventions {
        MetricConventions::Evenkeel => "evenkeel",
        MetricConventions::Otel => "otel",
    }
}
