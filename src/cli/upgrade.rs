//! `evenkeel upgrade`

use super::run::SERVES;
use super::{Failure, print};
use crate::config::{self, parse_duration};
use crate::server;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
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

/// Starts a process that takes over from the running one, and waits until it serves.
pub fn call(args: &Args) -> Result<(), Failure> {
    let loaded = config::load(&args.config)?;
    let upgrade_sock = server::upgrade_sock(&loaded.settings)?;
    if !server::is_running(&upgrade_sock) {
        let path = upgrade_sock.display();
        return Err(Failure::Other(format!("no process is running that could hand over at {path}")));
    }
    let binary = match &args.binary {
        Some(binary) => binary.clone(),
        None => std::env::current_exe()?,
    };
    let (mut ours, theirs) = UnixStream::pair()?;
    let mut child = Command::new(&binary)
        .arg("run")
        .args(["--upgrade", "--tell-over-stdin"])
        .arg("--config")
        .arg(&args.config)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        // It goes on when this command's terminal is interrupted.
        .process_group(0)
        .spawn()
        .map_err(|error| Failure::Other(format!("{} cannot be started: {error}", binary.display())))?;
    ours.set_read_timeout(Some(args.timeout))?;
    let mut said = [0; SERVES.len()];
    match ours.read_exact(&mut said) {
        Ok(()) if said == *SERVES => print(&format!("process {} serves\n", child.id())),
        Ok(()) => Err(give_up(&mut child, "it did not say that it serves")),
        Err(error) if is_timeout(&error) => {
            let limit = humantime::format_duration(args.timeout);
            Err(give_up(&mut child, &format!("it did not serve within {limit}")))
        }
        Err(_) => Err(ended(&mut child)),
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// Ends a process that has not taken over: whatever it does, the other one serves.
fn give_up(child: &mut Child, why: &str) -> Failure {
    let _ = child.kill();
    let _ = child.wait();
    Failure::Other(format!("the new process was ended: {why}; the running one serves on"))
}

fn ended(child: &mut Child) -> Failure {
    let status = match child.wait() {
        Ok(status) => status,
        Err(error) => return Failure::Other(format!("the new process cannot be waited for: {error}")),
    };
    let text = format!("the new process has ended ({status}); the running one serves on");
    match status.code() {
        Some(78) => Failure::Configuration(text),
        _ => Failure::Other(text),
    }
}
