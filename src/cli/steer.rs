//! `evenkeel suspend`, `evenkeel resume` and `evenkeel drain`

use super::admin::{Instance, run, segment};
use super::{Failure, print};
use crate::admin::HoldSpan;
use crate::gateway::Environment;
use http::Method;
use serde_json::{Map, Value};

/// Which pair is meant.
#[derive(Debug, clap::Args)]
pub struct PairArgs {
    #[command(flatten)]
    instance: Instance,
    /// The name of the AI API.
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    api: String,
    /// The name of the endpoint.
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    endpoint: String,
    /// The model.
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    model: String,
    /// The environment, where the pair is there in both: `production` or `sandbox`.
    #[arg(long)]
    environment: Option<Environment>,
}

#[derive(Debug, clap::Args)]
pub struct Suspend {
    #[command(flatten)]
    pair: PairArgs,
    /// For how long: `90s`, `5m`, `12h`, `2d` or a number of seconds. Default: the policy's suspend duration, else 60s.
    #[arg(long = "for", value_name = "DURATION")]
    span: Option<String>,
    /// Why, for people: it is shown in the status and in the log.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

#[derive(Debug, clap::Args)]
pub struct Drain {
    #[command(flatten)]
    pair: PairArgs,
    /// Why, for people: it is shown in the status and in the log.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

#[derive(Debug, clap::Args)]
pub struct Resume {
    #[command(flatten)]
    pair: PairArgs,
}

impl Suspend {
    pub fn call(&self) -> Result<(), Failure> {
        if let Some(span) = &self.span {
            HoldSpan::parse(span).map_err(|error| Failure::Usage(format!("--for `{span}`: {error}")))?;
        }
        self.pair.act("suspend", [("for", self.span.as_deref()), ("reason", self.reason.as_deref())])
    }
}

impl Drain {
    pub fn call(&self) -> Result<(), Failure> {
        self.pair.act("drain", [("reason", self.reason.as_deref())])
    }
}

impl Resume {
    pub fn call(&self) -> Result<(), Failure> {
        self.pair.act("resume", [])
    }
}

impl PairArgs {
    fn act<const N: usize>(&self, verb: &str, members: [(&str, Option<&str>); N]) -> Result<(), Failure> {
        let environment = self.environment.map(Environment::as_str);
        let given = members.into_iter().chain([("environment", environment)]);
        let given = given.filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?))));
        let body = Value::Object(given.collect::<Map<_, _>>());
        let names = [&self.api, &self.endpoint, &self.model].map(|name| segment(name)).join("/");
        let path = format!("/api/v1/pairs/{names}/{verb}");
        let client = self.instance.client()?;
        let pair = run(client.ask(Method::POST, &path, Some(&body)))?;
        print(&format!("{} on {} is {}\n", self.model, self.endpoint, super::status::state(&pair)))
    }
}
