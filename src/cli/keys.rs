//! `evenkeel keys create|list|revoke`

use super::{Failure, OutputFormat, api, print};
use crate::config;
use crate::keys::{Environment, KeyFile, KeyRecord};
use crate::live::time_of_day;
use clap::Subcommand;
use serde_json::json;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Make a key. It is printed once; only its hash is stored.
    Create(Create),
    /// List the keys.
    List(List),
    /// Revoke a key. A running instance knows within a second.
    Revoke(Revoke),
}

#[derive(Debug, clap::Args)]
pub struct Create {
    /// The configuration file, which names the state directory.
    #[arg(short, long, value_name = "FILE")]
    config: PathBuf,
    /// What to call the key by: letters, digits, `.`, `_` and `-`.
    #[arg(long)]
    name: String,
    /// The environment that it opens: `production` or `sandbox`.
    #[arg(long)]
    environment: Environment,
    /// An AI API that it opens; may be given more than once. Left out: all of them.
    #[arg(long = "api", value_name = "NAME")]
    apis: Vec<String>,
    /// How to print the key.
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

#[derive(Debug, clap::Args)]
pub struct List {
    /// The configuration file, which names the state directory.
    #[arg(short, long, value_name = "FILE")]
    config: PathBuf,
    /// How to print the keys.
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

#[derive(Debug, clap::Args)]
pub struct Revoke {
    /// The configuration file, which names the state directory.
    #[arg(short, long, value_name = "FILE")]
    config: PathBuf,
    /// The key's name.
    name: String,
}

pub fn call(keys: Keys) -> Result<(), Failure> {
    match keys {
        Keys::Create(args) => create(args),
        Keys::List(args) => list(&args),
        Keys::Revoke(args) => revoke(&args),
    }
}

fn create(args: Create) -> Result<(), Failure> {
    let loaded = config::load(&args.config)?;
    for name in &args.apis {
        api(&loaded, name)?;
    }
    let apis = (!args.apis.is_empty()).then_some(args.apis);
    let file = KeyFile::in_state_dir(&loaded.settings.state_dir);
    let secret = file.create(&args.name, args.environment, apis.clone(), time_of_day())?;
    match args.format {
        OutputFormat::Text => {
            eprintln!("The {} key `{}`. It is shown only now; keep it.", args.environment, args.name);
            print(&format!("{}\n", secret.reveal()))
        }
        OutputFormat::Json => {
            let created = json!({
                "name": args.name,
                "environment": args.environment.as_str(),
                "apis": apis,
                "key": secret.reveal(),
            });
            print(&format!("{created}\n"))
        }
    }
}

fn list(args: &List) -> Result<(), Failure> {
    let keys = key_file(&args.config)?.load()?;
    match args.format {
        OutputFormat::Json => {
            let list: Vec<_> = keys.iter().map(as_json).collect();
            print(&format!("{}\n", serde_json::to_string_pretty(&list)?))
        }
        OutputFormat::Text if keys.is_empty() => {
            eprintln!("There is no key. `evenkeel keys create` makes one.");
            Ok(())
        }
        OutputFormat::Text => print(&table(&keys)),
    }
}

fn revoke(args: &Revoke) -> Result<(), Failure> {
    let revoked = key_file(&args.config)?.revoke(&args.name)?;
    eprintln!("The {} key `{}` ({}) is revoked.", revoked.environment, revoked.name, revoked.hint);
    Ok(())
}

fn key_file(config: &Path) -> Result<KeyFile, Failure> {
    let loaded = config::load(config)?;
    Ok(KeyFile::in_state_dir(&loaded.settings.state_dir))
}

fn as_json(key: &KeyRecord) -> serde_json::Value {
    json!({
        "name": key.name.as_str(),
        "environment": key.environment.as_str(),
        "apis": key.apis,
        "hint": key.hint,
        "created_at": key.created_at,
    })
}

fn table(keys: &[KeyRecord]) -> String {
    let row = |key: &KeyRecord| {
        let apis = key.apis.as_ref().map_or("all".to_owned(), |apis| apis.join(", "));
        [
            key.name.as_str().to_owned(),
            key.environment.to_string(),
            key.hint.clone(),
            key.created_at.clone(),
            apis,
        ]
    };
    let heads = ["NAME", "ENVIRONMENT", "KEY", "CREATED", "AI APIS"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(heads).chain(keys.iter().map(row)).collect();
    let widths: [usize; 5] = std::array::from_fn(|column| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    });
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            // Writing to a string cannot fail.
            let _ = write!(line, "{cell:width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
