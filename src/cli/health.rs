//! `evenkeel health`

use super::Failure;
use crate::config;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
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

pub fn call(args: &Args) -> Result<(), Failure> {
    let admin = match (&args.admin, &args.config) {
        (Some(admin), _) => *admin,
        (None, Some(file)) => config::load(file)?.settings.admin.address,
        (None, None) => return Err(Failure::Usage("give --config or --admin".to_owned())),
    };
    match ask(admin) {
        Ok(answer) if answer.starts_with("HTTP/1.1 200 ") => Ok(()),
        Ok(answer) => {
            let status = answer.lines().next().unwrap_or("nothing");
            Err(Failure::Other(format!("{admin} is not ready: it answered {status}")))
        }
        Err(error) => Err(Failure::Other(format!("{admin} does not answer: {error}"))),
    }
}

fn ask(admin: SocketAddr) -> std::io::Result<String> {
    let mut connection = TcpStream::connect_timeout(&admin, LIMIT)?;
    connection.set_read_timeout(Some(LIMIT))?;
    write!(connection, "GET /readyz HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    connection.take(4096).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
