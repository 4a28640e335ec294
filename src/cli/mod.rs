//! The commands, one file each.
#![expect(
    clippy::print_stderr,
    reason = "what is said beside a command's output is for the person at the terminal"
)]

mod admin;
mod check;
mod demo;
mod generate;
mod health;
mod keys;
mod mock_vendor;
mod reload;
mod run;
mod schema;
mod simulate;
mod status;
mod steer;
mod upgrade;

use crate::config::{Loaded, Report};
use crate::gateway::AiApi;
use crate::keys::KeyError;
use crate::server::StartError;
use clap::{Parser, Subcommand, ValueEnum};
use log::LevelFilter;
use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

/// Balances requests for AI models over vendors' endpoints.
#[derive(Debug, Parser)]
#[command(name = "evenkeel", version, about, long_about = None, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a configuration file.
    Run(run::Args),
    /// Start a new process that takes over from the running one without a request lost, and wait until it serves.
    Upgrade(upgrade::Args),
    /// Load and validate a configuration file, and print what would be served, or every error in it.
    Check(check::Args),
    /// Make, list and revoke the keys of clients.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Serve a ready configuration against a built-in mock vendor; no file and no account needed.
    Demo(demo::Args),
    /// Serve the mock vendor alone: an OpenAI-style server for trying and load-testing.
    MockVendor(mock_vendor::Args),
    /// Play a policy on a virtual clock with the code that serves, and print what each pair would get.
    Simulate(simulate::Args),
    /// Tell what a running instance serves, and how each pair is.
    Status(status::Args),
    /// Take a pair of a running instance out for a time.
    Suspend(steer::Suspend),
    /// Put a pair of a running instance back, whatever it was taken out for.
    Resume(steer::Resume),
    /// Take a pair of a running instance out until it is resumed.
    Drain(steer::Drain),
    /// Have a running instance load its configuration file again.
    Reload(reload::Args),
    /// Print the JSON Schema of the configuration file, for editors.
    Schema,
    /// Ask a running instance whether it serves: exit 0 if it does, for container health checks.
    Health(health::Args),
    /// Write the manual pages or the shells' completions, for those who build packages.
    #[command(hide = true)]
    Generate(generate::Args),
}

/// How a command prints what it found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
enum OutputFormat {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
}

/// Why a command failed, and with what exit code.
#[derive(Debug)]
enum Failure {
    /// The configuration cannot be used: exit 78.
    Configuration(String),
    /// The command line asks for something that makes no sense: exit 64.
    Usage(String),
    /// Something that cannot happen did: exit 70.
    Internal(String),
    /// Anything else: exit 1.
    Other(String),
}

impl Failure {
    /// The exit code, after sysexits.h where it has one.
    fn exit_code(&self) -> u8 {
        match self {
            Self::Configuration(_) => 78,
            Self::Usage(_) => USAGE,
            Self::Internal(_) => 70,
            Self::Other(_) => 1,
        }
    }
}

/// The exit code of a command line that cannot be read.
const USAGE: u8 = 64;

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration(text) | Self::Usage(text) | Self::Internal(text) | Self::Other(text) => {
                f.write_str(text)
            }
        }
    }
}

impl From<Report> for Failure {
    fn from(report: Report) -> Self {
        Self::Configuration(report.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Other(error.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::InvalidName { .. } => Self::Usage(error.to_string()),
            _ => Self::Other(error.to_string()),
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Address { .. }
            | StartError::StateDir { .. }
            | StartError::Takeover(_)
            | StartError::Sockets(_)
            | StartError::Signals(_) => Self::Other(error.to_string()),
            StartError::Tls { .. } | StartError::Keys(_) | StartError::Server(_) => {
                Self::Configuration(error.to_string())
            }
        }
    }
}

/// Reads the command line, calls the command, and turns what came of it into an exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // `--help` and `--version` are no errors, and go to standard output.
            let code = if error.use_stderr() { USAGE } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match cli.command.call() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let text = failure.to_string();
            let prefix = if text.starts_with("error") { "" } else { "error: " };
            let _ = writeln!(io::stderr(), "{prefix}{}", text.trim_end());
            ExitCode::from(failure.exit_code())
        }
    }
}

impl Command {
    fn call(self) -> Result<(), Failure> {
        match self {
            Self::Run(args) => run::call(&args),
            Self::Upgrade(args) => upgrade::call(&args),
            Self::Check(args) => check::call(&args),
            Self::Keys(keys) => keys::call(keys),
            Self::Demo(args) => demo::call(&args),
            Self::MockVendor(args) => mock_vendor::call(&args),
            Self::Simulate(args) => simulate::call(&args),
            Self::Status(args) => status::call(&args),
            Self::Suspend(args) => args.call(),
            Self::Resume(args) => args.call(),
            Self::Drain(args) => args.call(),
            Self::Reload(args) => reload::call(&args),
            Self::Schema => schema::call(),
            Self::Health(args) => health::call(&args),
            Self::Generate(args) => generate::call(&args),
        }
    }
}

/// The AI API of this name.
fn api<'a>(loaded: &'a Loaded, name: &str) -> Result<&'a Arc<AiApi>, Failure> {
    if let Some(api) = loaded.gateway.apis().iter().find(|api| api.name() == name) {
        return Ok(api);
    }
    let mut known: Vec<_> = loaded.gateway.apis().iter().map(|api| format!("`{}`", api.name())).collect();
    known.sort_unstable();
    Err(Failure::Usage(format!("there is no AI API `{name}`; there is {}", known.join(", "))))
}

/// Writes to standard output; a reader that has gone is no error.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// The crates of the proxy framework. Below `info` they write headers and bodies, keys and credentials among them, so
/// that a level for all does not hold for them: they are named one by one where that is wanted.
const FRAMEWORK: [&str; 4] = ["pingora_core", "pingora_proxy", "pingora_pool", "pingora_load_balancing"];

/// Prepares the log of the process: to standard error, at the level of `EVENKEEL_LOG` (`error`, `warn`, `info`, `debug`,
/// or a filter such as `evenkeel=debug,pingora_core=debug`).
fn begin_log() {
    let mut builder = env_logger::Builder::new();
    for module in FRAMEWORK {
        builder.filter_module(module, LevelFilter::Warn);
    }
    builder.parse_env(env_logger::Env::new().filter_or("EVENKEEL_LOG", "evenkeel=info,warn"));
    // A second call in one process keeps the first logger.
    let _ = builder.format_target(false).format_timestamp_millis().try_init();
}
