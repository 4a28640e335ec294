//! A load generator that sends at moments fixed beforehand, whatever becomes of the requests before: what a slow answer
//! holds up is seen in the latencies, not left out of them (no coordinated omission).
//!
//! - `pace rate`: so many requests a second; the time from the moment that a request was due to the end of its answer.
//! - `pace streams`: so many streamed answers open all the time; the time to the first event, and between two events.
//!
//! It is one thread. `measuring` is printed when the warm-up is over and `measured` when the last answer of the
//! measured time is here, so that who started it can look at the processor time of others between; then one line of JSON.

#![forbid(unsafe_code)]

mod clock;
mod connection;
mod rate;
mod spread;
mod streams;

use clap::{Parser, Subcommand};
use connection::{Connection, Target};
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// What may go wrong here ends the run: its text is all that matters.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Parser)]
#[command(name = "pace", about = "Sends requests at moments fixed beforehand, and tells how long they took")]
struct Arguments {
    #[command(subcommand)]
    what: What,
    /// Where to send to.
    #[arg(long, global = true, default_value = "127.0.0.1:8080")]
    to: SocketAddr,
    /// The path of every request.
    #[arg(long, global = true, default_value = "/v1/chat/completions")]
    path: String,
    /// Presented as `Authorization: Bearer …`.
    #[arg(long, global = true)]
    key: Option<String>,
    /// The file with the body of every request.
    #[arg(long, global = true)]
    body: Option<PathBuf>,
    /// Not counted.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 1.0)]
    warm_up: f64,
    /// Counted.
    #[arg(long, global = true, default_value_t = 4.0)]
    seconds: f64,
}

#[derive(Subcommand)]
enum What {
    /// So many requests a second.
    Rate {
        /// Requests a second.
        #[arg(long, default_value_t = 1000)]
        rate: u32,
        /// Connections opened before the first request and used in turn; one more whenever all are busy.
        #[arg(long, default_value_t = 32)]
        connections: usize,
    },
    /// So many streamed answers at once.
    Streams {
        /// Streams open at once.
        #[arg(long, default_value_t = 500)]
        streams: u32,
        /// Events that a whole stream has, the last one included.
        #[arg(long)]
        events: usize,
        /// The time over which the streams begin, so that they do not go in step: best, how long one takes.
        #[arg(long, value_name = "SECONDS", default_value_t = 1.4)]
        over: f64,
    },
}

/// When is counted, in nanoseconds of [`clock::now`].
#[derive(Clone, Copy)]
struct Window {
    start: u64,
    from: u64,
    until: u64,
}

impl Window {
    fn new(warm_up: f64, seconds: f64) -> Result<Self, Failure> {
        let start = clock::now();
        let from = start + clock::nanoseconds(warm_up)?;
        Ok(Self { start, from, until: from + clock::nanoseconds(seconds)? })
    }

    fn has(&self, moment: u64) -> bool {
        (self.from..self.until).contains(&moment)
    }
}

/// A line for who started this, now.
fn tell(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let body = match &arguments.body {
        Some(file) => std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?,
        None => Vec::new(),
    };
    let target = Target::new(arguments.to, &arguments.path, arguments.key.as_deref(), body)?;
    let times = (arguments.warm_up, arguments.seconds);
    let report = match arguments.what {
        What::Rate { rate, connections } => rate::run(target, rate, connections, times).await?,
        What::Streams { streams, events, over } => streams::run(target, streams, events, over, times).await?,
    };
    tell(&report.to_string())?;
    Ok(())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.map_err(Failure::from).and_then(|runtime| runtime.block_on(run(arguments)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nobody is left to be told that standard error cannot be written to.
            let _ = writeln!(std::io::stderr(), "pace: {failure}");
            ExitCode::FAILURE
        }
    }
}
