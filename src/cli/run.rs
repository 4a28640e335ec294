//! `evenkeel run`

use super::{Failure, begin_log};
use crate::config;
use crate::live::Source;
use crate::server::{Addresses, Start, serve};
use log::{info, warn};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
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
    /// Tell over standard input, a socket, when this process serves.
    #[arg(long, hide = true)]
    tell_over_stdin: bool,
    /// Go to the background.
    #[arg(long)]
    daemon: bool,
}

pub fn call(args: &Args) -> Result<(), Failure> {
    begin_log();
    // A daemon may work in another directory.
    let file = std::path::absolute(&args.config)?;
    let mut files = Vec::new();
    let loaded = config::load_noting(&args.config, &mut files)?;
    let files = files.iter().map(std::path::absolute).collect::<Result<_, _>>()?;
    for warning in loaded.warnings.diagnostics() {
        warn!("{}: {}", warning.path, warning.message);
    }
    let start = Start { upgrade: args.upgrade, daemon: args.daemon };
    let over_stdin = args.tell_over_stdin;
    let on_ready = move |addresses: &Addresses| {
        tell(addresses);
        if over_stdin && let Err(error) = tell_over_stdin() {
            warn!("whoever started this process was not told that it serves: {error}");
        }
    };
    serve(loaded, Some(Source { file, files }), start, Box::new(on_ready))?;
    Ok(())
}

/// What the process says over its standard input when it serves.
pub(super) const SERVES: &[u8] = b"serves\n";

fn tell_over_stdin() -> io::Result<()> {
    let socket = io::stdin().as_fd().try_clone_to_owned()?;
    UnixStream::from(socket).write_all(SERVES)
}

fn tell(addresses: &Addresses) {
    for (address, tls) in &addresses.listeners {
        let scheme = if *tls { "https" } else { "http" };
        info!("listening on {scheme}://{address}");
    }
    info!("admin on http://{}", addresses.admin);
}
