//! The vendor itself: accepting connections, and what can be asked of it from outside.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use super::fail_rate::FailRate;
use super::faults::Faults;
use super::handler::Vendor;
use super::ledger::SeenRequest;

/// After a failed accept, mostly for want of file descriptors: time for some to come free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Streams at a time on one HTTP/2 connection: a load test puts more there than hyper's 200.
const MAX_CONCURRENT_STREAMS: u32 = 4096;

/// How a [`MockVendor`] behaves. The default answers at once, to everybody, and never fails.
#[derive(Clone, Debug)]
pub struct Options {
    /// Waited before every answer.
    pub latency: Duration,
    /// A share of the requests fails.
    pub fail: Option<FailRate>,
    /// The text of a whole answer has this many bytes or more: its sentence is said again and again. A streamed one says
    /// it as its chunks need it.
    pub answer_bytes: usize,
    /// Content chunks of a streamed answer; 8 by default.
    pub stream_chunks: usize,
    /// Waited between two chunks of a streamed answer.
    pub chunk_interval: Duration,
    /// Set: a request without `Authorization: Bearer` and this is answered with 401.
    pub credential: Option<String>,
    /// Keep every request for [`MockVendor::requests`]. It costs memory, so not by default.
    pub record: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            fail: None,
            answer_bytes: 0,
            stream_chunks: 8,
            chunk_interval: Duration::ZERO,
            credential: None,
            record: false,
        }
    }
}

/// A running vendor. Dropping it stops it too, but without waiting: see [`stop`](Self::stop).
#[derive(Debug)]
pub struct MockVendor {
    address: SocketAddr,
    vendor: Arc<Vendor>,
    /// Dropped, it ends the accepting task.
    stop: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
}

impl MockVendor {
    /// Serves on `listener` from the tokio runtime that this is called on.
    ///
    /// # Errors
    /// When the listener cannot be made non-blocking or has no address.
    pub async fn start(listener: std::net::TcpListener, options: Options) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        let vendor = Arc::new(Vendor::new(options));
        let (stop, stopped) = oneshot::channel();
        let accepting = tokio::spawn(accept(listener, Arc::clone(&vendor), stopped));
        Ok(Self { address, vendor, stop, accepting })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The switches of what goes wrong.
    pub fn faults(&self) -> &Faults {
        &self.vendor.faults
    }

    /// Every request in the order of arrival, the refused ones too, if [`Options::record`] is set.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.vendor.ledger.requests()
    }

    /// Readable requests of each model that arrived, whatever became of them.
    pub fn counts(&self) -> HashMap<String, u64> {
        self.vendor.ledger.counts()
    }

    /// Requests that are neither answered to the end nor aborted by their client.
    pub fn in_flight(&self) -> usize {
        self.vendor.ledger.in_flight()
    }

    /// Returns once [`in_flight`](Self::in_flight) is `expected`: for a test to wait without sleeping.
    pub async fn in_flight_is(&self, expected: usize) {
        self.vendor.ledger.in_flight_is(expected).await;
    }

    /// Closes the listener and all connections, and returns when they are closed.
    pub async fn stop(self) {
        drop(self.stop);
        // The task neither panics nor is aborted, so there is nothing to learn from its end.
        let _ = self.accepting.await;
    }
}

async fn accept(listener: TcpListener, vendor: Arc<Vendor>, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, Arc::clone(&vendor)));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            // Ended connections are taken out of the set, or it would only grow.
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn serve(stream: TcpStream, vendor: Arc<Vendor>) {
    // Chunks must not wait for the acknowledgement of the ones before. Failing at it, the peer is
    // gone already, which the next read tells.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let vendor = Arc::clone(&vendor);
        async move { vendor.answer(request).await }
    });
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http2().max_concurrent_streams(MAX_CONCURRENT_STREAMS);
    // A connection ends in an error when its client breaks off or a fault closes it: both are as meant.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}
