//! `evenkeel run`

use super::{Failure, begin_log};
use crate::config;
use crate::live::Source;
use crate::server::{Addresses, Asker, Start, serve, start_apart};
use log::{info, warn};
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file.
    #[arg(short, long, value_name = "FILE")]
    config: PathBuf,
    /// Take the listeners and what is known of each pair over from the running instance, which then finishes what is in
    /// flight and ends. If this one cannot start, that one serves on.
    #[arg(long)]
    upgrade: bool,
    /// Tell over standard input, a socket, what becomes of this process.
    #[arg(long, hide = true)]
    tell_over_stdin: bool,
    /// Start a process for that, and end.
    #[arg(long, hide = true, requires = "upgrade", requires = "tell_over_stdin")]
    apart: bool,
    /// Go to the background.
    #[arg(long)]
    daemon: bool,
}

pub fn call(args: &Args) -> Result<(), Failure> {
    if args.apart {
        return Ok(start_apart(&std::env::current_exe()?, &args.config)?);
    }
    let result = run(args);
    if args.tell_over_stdin
        && let Err(failure) = &result
    {
        asker()?.tell_failed(failure.exit_code(), failure);
    }
    result
}

fn run(args: &Args) -> Result<(), Failure> {
    begin_log();
    // A daemon may work in another directory.
    let file = std::path::absolute(&args.config)?;
    let mut files = Vec::new();
    let loaded = config::load_noting(&args.config, &mut files)?;
    for file in &mut files {
        file.path = std::path::absolute(&file.path)?;
    }
    for warning in loaded.warnings.diagnostics() {
        warn!("{}: {}", warning.path, warning.message);
    }
    let asker = args.tell_over_stdin.then(asker).transpose()?;
    let start = Start { upgrade: args.upgrade, daemon: args.daemon, asker };
    serve(loaded, Some(Source { file, files }), start, Box::new(tell))?;
    Ok(())
}

fn asker() -> io::Result<Asker> {
    Ok(Asker::new(io::stdin().as_fd().try_clone_to_owned()?))
}

fn tell(addresses: &Addresses) {
    for (address, tls) in &addresses.listeners {
        let scheme = if *tls { "https" } else { "http" };
        info!("listening on {scheme}://{address}");
    }
    info!("admin on http://{}", addresses.admin);
}
