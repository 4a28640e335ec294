//! Loading the configuration file again: `POST /api/v1/reload`.

use super::exchange::Call;
use super::operation::{Json, Operation, Optional};
use super::refusal::{Code, Refusal};
use super::{Desk, audit};
use crate::config::Diagnostic;
use crate::live::{NotReloaded, Reloaded};
use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Loads the file again.
pub(super) struct Reload;

/// Nothing is to be said.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct NoMembers {}

/// What a reload has changed.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Reloaded")]
pub(super) struct Answer {
    /// How many configurations the process has served, the new one included.
    generation: u64,
    /// The paths of changed keys that take effect with the next restart or upgrade only.
    needs_restart: Vec<String>,
    /// What is probably not as it was meant.
    warnings: Vec<Warning>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct Warning {
    /// The path of the key; empty for the whole file.
    path: String,
    /// Its line, from 1.
    line: Option<usize>,
    /// Its column, from 1.
    column: Option<usize>,
    /// What is doubtful.
    message: String,
    /// What to do.
    help: Option<String>,
}

impl Operation for Reload {
    type Body = Optional<NoMembers>;
    type Answer = Json<Answer>;
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/api/v1/reload";
    const ID: &'static str = "reload";
    const SUMMARY: &'static str = "Loads the configuration file again, and serves what it says if it can";
    const STATUSES: &'static [(u16, &'static str)] = &[(200, "It is served from now on.")];
    const REFUSALS: &'static [Code] = &[Code::ConfigurationInvalid, Code::NoFile, Code::Draining];

    fn call(desk: &Desk, call: &Call, _: Self::Body) -> Result<Json<Answer>, Refusal> {
        match desk.live.reload() {
            Ok(reloaded) => {
                audit::changed(call.peer, format_args!("reload: configuration {}", reloaded.generation));
                Ok(Json(reloaded.into()))
            }
            Err(error) => {
                // The log has the whole of it already.
                let why = match &error {
                    NotReloaded::Invalid(_) => "the file has errors".to_owned(),
                    other => other.to_string(),
                };
                audit::refused(call.peer, format_args!("reload"), &why);
                Err(refusal(&error))
            }
        }
    }
}

fn refusal(error: &NotReloaded) -> Refusal {
    let code = match error {
        NotReloaded::Invalid(_) | NotReloaded::Unusable(_) => Code::ConfigurationInvalid,
        NotReloaded::NoFile => Code::NoFile,
        NotReloaded::Draining => Code::Draining,
    };
    Refusal::new(code, error.to_string())
}

impl From<Reloaded> for Answer {
    fn from(reloaded: Reloaded) -> Self {
        let Reloaded { generation, warnings, needs_restart } = reloaded;
        Self { generation, needs_restart, warnings: warnings.into_iter().map(Warning::from).collect() }
    }
}

impl From<Diagnostic> for Warning {
    fn from(diagnostic: Diagnostic) -> Self {
        Self {
            path: diagnostic.path,
            line: diagnostic.location.map(|(line, _)| line),
            column: diagnostic.location.map(|(_, column)| column),
            message: diagnostic.message,
            help: diagnostic.help,
        }
    }
}
