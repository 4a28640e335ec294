//! `evenkeel run`

use super::{Failure, begin_log};
use crate::config;
use crate::server::{Addresses, Start, serve};
use log::{info, warn};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file.
    #[arg(short, long, value_name = "FILE")]
    config: PathBuf,
    /// Take the listeners over from the running instance, which is then told to finish by SIGQUIT.
    #[arg(long)]
    upgrade: bool,
    /// Go to the background.
    #[arg(long)]
    daemon: bool,
}

pub fn call(args: &Args) -> Result<(), Failure> {
    begin_log();
    let loaded = config::load(&args.config)?;
    for warning in loaded.warnings.diagnostics() {
        warn!("{}: {}", warning.path, warning.message);
    }
    let start = Start { upgrade: args.upgrade, daemon: args.daemon };
    // A daemon may work in another directory.
    let file = std::path::absolute(&args.config)?;
    serve(loaded, Some(file), start, Box::new(tell))?;
    Ok(())
}

fn tell(addresses: &Addresses) {
    for (address, tls) in &addresses.listeners {
        let scheme = if *tls { "https" } else { "http" };
        info!("listening on {scheme}://{address}");
    }
    info!("admin on http://{}", addresses.admin);
}
