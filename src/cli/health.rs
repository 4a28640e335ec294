//! `evenkeel health`

use super::Failure;
use super::admin::{Instance, run};
use http::{Method, StatusCode};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct Args {
    /// The configuration file, which names the admin address.
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The admin address itself.
    #[arg(long)]
    admin: Option<SocketAddr>,
}

/// How long the instance may take to answer.
const LIMIT: Duration = Duration::from_secs(3);

/// Asks whether the instance serves. A file that has been broken since it was loaded makes no instance ill.
pub fn call(args: &Args) -> Result<(), Failure> {
    let client = Instance::new(args.config.clone(), args.admin).client()?;
    let admin = client.address();
    let late = |_| Failure::Other(format!("{admin} does not answer within {} s", LIMIT.as_secs()));
    let asked =
        async { tokio::time::timeout(LIMIT, client.send(Method::GET, "/readyz", None)).await.map_err(late)? };
    match run(asked)?.status {
        StatusCode::OK => Ok(()),
        status => Err(Failure::Other(format!("{admin} is not ready: it answered {status}"))),
    }
}
