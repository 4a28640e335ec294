//! What is going on: `GET /api/v1/status`.

mod pair;

pub(super) use pair::PairStatus;

use super::Desk;
use super::exchange::Call;
use super::operation::{Json, Nothing, Operation};
use super::refusal::{Code, Refusal};
use crate::gateway::{AiApi, Environment};
use crate::live::{Live, Serving, time_of_day};
use http::Method;
use schemars::JsonSchema;
use serde::Serialize;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// 9999-12-31T23:59:59Z.
const LAST_SECOND: Duration = Duration::from_secs(253_402_300_799);

/// What is going on.
pub(super) struct GetStatus;

impl Operation for GetStatus {
    type Body = Nothing;
    type Answer = Json<Status>;
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/api/v1/status";
    const ID: &'static str = "status";
    const SUMMARY: &'static str = "The process, what it serves, and how each pair is";
    const STATUSES: &'static [(u16, &'static str)] = &[(200, "How it is now.")];
    const REFUSALS: &'static [Code] = &[];

    fn call(desk: &Desk, _: &Call, _: Nothing) -> Result<Json<Status>, Refusal> {
        Ok(Json(status(&desk.live)))
    }
}

/// A process and what it serves.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Status {
    /// The version of Evenkeel.
    version: &'static str,
    /// The id of the process.
    pid: u32,
    /// When the process began to serve, RFC 3339 in UTC.
    #[schemars(extend("format" = "date-time"))]
    started_at: String,
    /// How long ago that was, in whole seconds.
    uptime_seconds: u64,
    /// Whether it takes requests, or finishes those it has and ends.
    state: ProcessState,
    /// How many requests are under way.
    in_flight: usize,
    /// The configuration that is served.
    config: ConfigStatus,
    /// The AI APIs.
    apis: Vec<ApiStatus>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum ProcessState {
    Serving,
    Draining,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct ConfigStatus {
    /// The file; null if the configuration came from elsewhere.
    file: Option<String>,
    /// How many configurations the process has served, this one included.
    generation: u64,
    /// When it was loaded, RFC 3339 in UTC.
    #[schemars(extend("format" = "date-time"))]
    loaded_at: String,
    /// The latest reload, or the start.
    last_reload: ReloadStatus,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct ReloadStatus {
    /// Whether it changed what is served.
    success: bool,
    /// When it was, RFC 3339 in UTC.
    #[schemars(extend("format" = "date-time"))]
    at: String,
    /// Why it did not; null if it did.
    error: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct ApiStatus {
    /// Its name.
    name: String,
    /// Where it is mounted.
    context: String,
    /// Whose API it is.
    vendor: String,
    /// Its environments that have endpoints.
    environments: Vec<EnvironmentStatus>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct EnvironmentStatus {
    /// Which it is.
    environment: Environment,
    /// The operations of the AI API.
    operations: Vec<OperationStatus>,
    /// The pairs that they balance over here, each once.
    pairs: Vec<PairStatus>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct OperationStatus {
    /// Its method, or `*` for any.
    method: String,
    /// Its path below the context.
    path: String,
    /// How its requests spread over pairs in this environment; null if they go to the primary endpoint.
    policy: Option<&'static str>,
}

fn status(live: &Live) -> Status {
    let serving = live.current();
    let last = live.last_reload();
    let uptime = time_of_day().duration_since(live.started_at()).unwrap_or_default();
    // The gateway has the longest contexts first; a person looks for a name.
    let mut apis: Vec<_> = serving.gateway.apis().iter().map(|api| api_status(live, &serving, api)).collect();
    apis.sort_by(|one, other| one.name.cmp(&other.name));
    Status {
        version: env!("CARGO_PKG_VERSION"),
        pid: std::process::id(),
        started_at: timestamp(live.started_at()),
        uptime_seconds: uptime.as_secs(),
        state: if live.drain().is_draining() { ProcessState::Draining } else { ProcessState::Serving },
        in_flight: live.drain().in_flight(),
        config: ConfigStatus {
            file: live.file().map(|file| file.display().to_string()),
            generation: serving.generation,
            loaded_at: timestamp(serving.loaded_at),
            last_reload: ReloadStatus {
                success: last.error.is_none(),
                at: timestamp(last.at),
                error: last.error,
            },
        },
        apis,
    }
}

fn api_status(live: &Live, serving: &Serving, api: &AiApi) -> ApiStatus {
    let environments =
        Environment::ALL.into_iter().filter(|environment| api.endpoints(*environment).is_some());
    ApiStatus {
        name: api.name().to_owned(),
        context: api.context().as_str().to_owned(),
        vendor: api.vendor().name.to_string(),
        environments: environments
            .map(|environment| environment_status(live, serving, api, environment))
            .collect(),
    }
}

fn environment_status(
    live: &Live,
    serving: &Serving,
    api: &AiApi,
    environment: Environment,
) -> EnvironmentStatus {
    let operations = api.operations().iter().map(|operation| OperationStatus {
        method: operation.method().as_str().to_owned(),
        path: operation.path().to_string(),
        policy: operation.pairs(environment).map(|pairs| pairs.pool().policy()),
    });
    let shares = api.shares(environment);
    EnvironmentStatus {
        environment,
        operations: operations.collect(),
        pairs: shares.into_iter().map(|(pair, share)| PairStatus::of(live, serving, pair, share)).collect(),
    }
}

/// A time of day as answers have it.
pub(super) fn timestamp(time: SystemTime) -> String {
    // A clock gone astray must not be what stops an answer: RFC 3339 writes no other years.
    humantime::format_rfc3339_millis(time.clamp(UNIX_EPOCH, UNIX_EPOCH + LAST_SECOND)).to_string()
}
