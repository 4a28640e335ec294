//! `evenkeel check`

use super::{Failure, OutputFormat, print};
use crate::config::{self, Loaded, Report};
use crate::gateway::{Access, AiApi, Environment, Operation, OwnAnswer};
use humantime::format_duration;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file.
    #[arg(short, long, value_name = "FILE")]
    config: PathBuf,
    /// How to print what was found.
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

const ENVIRONMENTS: [Environment; 2] = [Environment::Production, Environment::Sandbox];

pub fn call(args: &Args) -> Result<(), Failure> {
    match (config::load(&args.config), args.format) {
        (Ok(loaded), OutputFormat::Text) => {
            let warnings = &loaded.warnings;
            if !warnings.diagnostics().is_empty() {
                eprintln!("{warnings}");
            }
            print(&summary(&args.config.display().to_string(), &loaded))
        }
        (Ok(loaded), OutputFormat::Json) => print(&format!("{}\n", as_json(&loaded))),
        (Err(report), OutputFormat::Text) => Err(report.into()),
        (Err(report), OutputFormat::Json) => {
            print(&format!("{}\n", with_findings(json!({ "valid": false }), &report)))?;
            Err(Failure::Configuration(format!("{} cannot be used", args.config.display())))
        }
    }
}

fn summary(file: &str, loaded: &Loaded) -> String {
    let mut text = format!("{file} is valid.\n");
    for listener in &loaded.settings.listeners {
        let scheme = if listener.tls.is_some() { "https" } else { "http" };
        let _ = writeln!(text, "listens on {scheme}://{}", listener.address);
    }
    let _ = writeln!(text, "admin on http://{}", loaded.settings.admin.address);
    for api in loaded.gateway.apis() {
        let open = if api.access() == Access::Open { ", open to anyone" } else { "" };
        let vendor = &api.vendor().name;
        let _ =
            writeln!(text, "\nAI API {} at {} (vendor {vendor}{open})", api.name(), api.context().as_str());
        for operation in api.operations() {
            let _ = writeln!(text, "  {} {}", operation.method().as_str(), operation.path());
            for environment in ENVIRONMENTS {
                text.push_str(&served(api, operation, environment));
            }
        }
    }
    text
}

/// What an operation does with the requests of an environment, in lines.
fn served(api: &AiApi, operation: &Operation, environment: Environment) -> String {
    let Some(endpoints) = api.endpoints(environment) else {
        return String::new();
    };
    if operation.answer() == Some(OwnAnswer::Models) {
        let models = api.models(environment);
        return format!("    {environment}: answered by the gateway: the list of {} models\n", models.len());
    }
    let Some(pairs) = operation.pairs(environment) else {
        let primary = endpoints.primary();
        return format!(
            "    {environment}: to {} ({}), the model untouched\n",
            primary.name(),
            primary.url()
        );
    };
    let suspension = match pairs.pool().suspension() {
        Some(suspension) => {
            format!("a failed pair is out for {}", format_duration(suspension.rules.duration))
        }
        None => "failures are not remembered".to_owned(),
    };
    let retry = match pairs.retry().attempts {
        0 => "a failed request is not tried again".to_owned(),
        1 => "a failed request is tried on another pair".to_owned(),
        attempts => format!("a failed request is tried on up to {attempts} other pairs"),
    };
    let mut text = format!("    {environment}: {}; {suspension}; {retry}\n", pairs.pool().policy());
    for (place, pair) in pairs.iter().enumerate() {
        let share = pairs.pool().share(place) * 100.0;
        let (model, endpoint) = (pair.model.name(), &pair.endpoint);
        let whose = match &endpoint.vendor().name {
            own if *own != api.vendor().name => format!(", vendor {own}"),
            _ => String::new(),
        };
        let (name, url) = (endpoint.name(), endpoint.url());
        let _ = writeln!(text, "      {share:5.1} %  {model} on {name} ({url}{whose})");
    }
    text
}

fn as_json(loaded: &Loaded) -> Value {
    let listeners = loaded.settings.listeners.iter();
    let told = json!({
        "valid": true,
        "listeners": listeners.map(|l| json!({ "address": l.address, "tls": l.tls.is_some() })).collect::<Vec<_>>(),
        "admin": loaded.settings.admin.address,
        "apis": loaded.gateway.apis().iter().map(|api| api_as_json(api)).collect::<Vec<_>>(),
    });
    with_findings(told, &loaded.warnings)
}

/// Adds the members of the report, so that they stand at the same place whether the file is valid or not.
fn with_findings(mut told: Value, report: &Report) -> Value {
    if let (Value::Object(members), Value::Object(found)) = (&mut told, report.to_json()) {
        members.extend(found);
    }
    told
}

fn api_as_json(api: &AiApi) -> Value {
    let operations = api.operations().iter().map(|operation| {
        let mut entry = json!({
            "method": operation.method().as_str(),
            "path": operation.path().to_string(),
        });
        if let (Some(OwnAnswer::Models), Value::Object(members)) = (operation.answer(), &mut entry) {
            members.insert("answer".to_owned(), json!("models"));
        }
        for environment in ENVIRONMENTS {
            if let (Some(pairs), Value::Object(members)) = (operation.pairs(environment), &mut entry) {
                let list = pairs.iter().enumerate().map(|(place, pair)| {
                    json!({
                        "model": pair.model.name(),
                        "endpoint": pair.endpoint.name(),
                        "share": pairs.pool().share(place),
                    })
                });
                members.insert(environment.to_string(), list.collect());
            }
        }
        entry
    });
    json!({
        "name": api.name(),
        "context": api.context().as_str(),
        "vendor": &*api.vendor().name,
        "operations": operations.collect::<Vec<_>>(),
    })
}
