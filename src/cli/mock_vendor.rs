//! `evenkeel mock-vendor`

use super::Failure;
use crate::config::parse_duration;
use crate::mock::{FailRate, MockVendor, Options};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to listen; port 0 lets the system choose.
    #[arg(long, value_name = "ADDRESS")]
    listen: SocketAddr,
    /// How long to wait before every answer, such as `10ms`.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    latency: Option<Duration>,
    /// Fail a share of the requests with a status, such as `429:0.1` for a tenth of them.
    #[arg(long, value_name = "STATUS:RATE")]
    fail: Option<FailRate>,
    /// How many bytes the text of a whole answer has at least; by default, a short sentence.
    #[arg(long, value_name = "N", default_value_t = 0)]
    answer_bytes: usize,
    /// How many pieces of content a streamed answer has.
    #[arg(long, value_name = "N", default_value_t = 8)]
    stream_chunks: usize,
    /// How long to wait between two of them, such as `20ms`.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    chunk_interval: Option<Duration>,
}

pub fn call(args: &Args) -> Result<(), Failure> {
    let options = Options {
        latency: args.latency.unwrap_or_default(),
        fail: args.fail,
        answer_bytes: args.answer_bytes,
        stream_chunks: args.stream_chunks,
        chunk_interval: args.chunk_interval.unwrap_or_default(),
        ..Options::default()
    };
    let listener = TcpListener::bind(args.listen)
        .map_err(|error| Failure::Other(format!("cannot listen on {}: {error}", args.listen)))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let vendor = MockVendor::start(listener, options).await?;
        // Before the address is told: who reads it may end the process at once.
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        eprintln!("The mock vendor is at http://{}/v1", vendor.address());
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        vendor.stop().await;
        Ok(())
    })
}
