//! `evenkeel simulate`

mod failure;
mod show;

use super::{Failure, OutputFormat, api, print};
use crate::config;
use crate::gateway::{AiApi, Environment, Operation, Pairs};
use crate::simulate::{Script, play};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file.
    #[arg(short, long, value_name = "FILE")]
    config: PathBuf,
    /// The AI API whose policy is played.
    #[arg(long, value_name = "NAME")]
    api: String,
    /// The environment: `production` or `sandbox`.
    #[arg(long)]
    environment: Environment,
    /// Which operation's policy, such as `POST /chat/completions`, where the AI API has more than one.
    #[arg(long, value_name = "METHOD PATH")]
    operation: Option<String>,
    /// How many requests are played, up to a thousand million.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    requests: u64,
    /// How many of them begin in a second.
    #[arg(long, value_name = "R", default_value_t = 10.0, value_parser = rate, allow_negative_numbers = true)]
    rate: f64,
    /// Let a pair fail for a time, such as `gpt-4o@Primary:10s-40s`; may be given more than once. A pair answers 500
    /// then, or what follows a `=`: a status, `connect`, `timeout`, `stream` or `quota`.
    #[arg(long = "fail", value_name = "MODEL@ENDPOINT:FROM-TO[=WHAT]")]
    failures: Vec<String>,
    /// How to print what came of it.
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

/// The longest time that can be played.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// What was played, and where.
struct Scene<'a> {
    api: &'a AiApi,
    environment: Environment,
    operation: &'a Operation,
    pairs: &'a Pairs,
    script: &'a Script,
}

pub fn call(args: &Args) -> Result<(), Failure> {
    let loaded = config::load(&args.config)?;
    let api = api(&loaded, &args.api)?;
    let (operation, pairs) = operation(api, args)?;
    let failures = args.failures.iter().map(|text| failure::parse(pairs, text));
    let failures = failures.collect::<Result<_, _>>().map_err(Failure::Usage)?;
    let script = Script { requests: args.requests, rate: args.rate, failures };
    if script.moment(script.requests) > LONGEST {
        let text = format!("{} requests at {} per second take more than 100 years", args.requests, args.rate);
        return Err(Failure::Usage(text));
    }
    let table = play(pairs, &script);
    let scene = Scene { api, environment: args.environment, operation, pairs, script: &script };
    match args.format {
        OutputFormat::Text => print(&show::as_text(&scene, &table)),
        OutputFormat::Json => {
            print(&format!("{}\n", serde_json::to_string_pretty(&show::as_json(&scene, &table))?))
        }
    }
}

/// The operation whose policy is played, and its pairs.
fn operation<'a>(api: &'a AiApi, args: &Args) -> Result<(&'a Operation, &'a Pairs), Failure> {
    let environment = args.environment;
    let mut balanced: Vec<(&Operation, &Pairs)> = Vec::new();
    for operation in api.operations() {
        balanced.extend(operation.pairs(environment).map(|pairs| (&**operation, &**pairs)));
    }
    let wanted = |(operation, _): &&(&Operation, _)| {
        args.operation.as_ref().is_none_or(|wanted| *wanted == title(operation))
    };
    let mut found = balanced.iter().filter(wanted);
    if let (Some(one), None) = (found.next(), found.next()) {
        return Ok(*one);
    }
    let titles: Vec<_> = balanced.iter().map(|(operation, _)| format!("`{}`", title(operation))).collect();
    let (api, titles) = (api.name(), titles.join(", "));
    Err(Failure::Usage(match &args.operation {
        _ if balanced.is_empty() => format!("no operation of `{api}` has a policy for {environment}"),
        None => format!("choose one of the operations of `{api}` for {environment} by --operation: {titles}"),
        Some(wanted) => {
            format!("`{api}` has no operation `{wanted}` with a policy for {environment}; there is {titles}")
        }
    }))
}

/// An operation as the command line and the output call it.
fn title(operation: &Operation) -> String {
    format!("{} {}", operation.method().as_str(), operation.path())
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
    rate.ok_or_else(|| "expected a number above 0".to_owned())
}
