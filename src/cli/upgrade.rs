//! `evenkeel upgrade`

use super::{Failure, print};
use crate::config::{self, parse_duration};
use crate::server::{self, Became, ask_for_successor};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file that the new process serves.
    #[arg(short, long, value_name = "FILE")]
    config: PathBuf,
    /// The binary of the new process. Default: the one that this command is.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// How long the new process may take until it serves.
    #[arg(long, default_value = "60s", value_parser = parse_duration, value_name = "DURATION")]
    timeout: Duration,
}

/// Has the running process start one that takes over from it, and waits until that serves.
pub fn call(args: &Args) -> Result<(), Failure> {
    let settings = config::load_settings(&args.config)?;
    let upgrade_sock = server::upgrade_sock(&settings)?;
    let binary = match &args.binary {
        Some(binary) => std::path::absolute(binary)?,
        None => std::env::current_exe()?,
    };
    let config = std::path::absolute(&args.config)?;
    let became = ask_for_successor(&upgrade_sock, binary, config, args.timeout).map_err(|error| {
        let path = upgrade_sock.display();
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                Failure::Other(format!("no process is running that could hand over at {path}"))
            }
            _ => Failure::Other(format!("the running process at {path} cannot be asked: {error}")),
        }
    })?;
    match became {
        Some(Became::Serving { pid }) => print(&format!("process {pid} serves\n")),
        Some(Became::Failed { code, why }) => Err(failure(code, &why)),
        None => {
            let limit = humantime::format_duration(args.timeout);
            Err(failure(1, &format!("it did not serve within {limit}")))
        }
    }
}

fn failure(code: u8, why: &str) -> Failure {
    let text = format!("the new process has failed, and the running one serves on\n{why}");
    match code {
        78 => Failure::Configuration(text),
        _ => Failure::Other(text),
    }
}
