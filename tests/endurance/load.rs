//! Clients of all kinds that ask without a pause, and remember everything that is not as it should be.
//!
//! A client makes a new connection when it was told to, by `Connection: close` or a GOAWAY, and sends again only what never
//! left it, or what the GOAWAY says was not looked at: it is for the requests that had not left when it came, or that its
//! own answer to the server's PING has overtaken (RFC 9113, section 6.8). Whatever else happens to a connection, a request or
//! a stream is a failure.

use crate::seen::Seen;
use crate::sender::{NotSent, Sender, client_config, in_full, is_answer_of, request, without_number};
use crate::support::Body;
use http::Response;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use parking_lot::Mutex;
use rustls::pki_types::ServerName;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

/// The operation that is asked for.
pub const PATH: &str = "/smartchat/chat/completions";

/// How long a client waits for anything before that is a failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    http2: bool,
    tls: bool,
}

const KINDS: [Kind; 4] = [
    Kind { http2: false, tls: false },
    Kind { http2: false, tls: true },
    Kind { http2: true, tls: false },
    Kind { http2: true, tls: true },
];

/// How many clients of each kind ask for short answers; those of HTTP/2 share one connection.
const SHORT: usize = 4;

/// Where the clients go, and what they expect.
pub struct Target {
    /// The listener in the clear.
    pub plain: SocketAddr,
    /// The listener with TLS.
    pub secure: SocketAddr,
    /// The certificate that they trust.
    pub certificate: std::path::PathBuf,
    /// The whole stream of each model, the number in its id replaced by [`without_number`].
    pub streams: HashMap<String, Vec<u8>>,
}

/// Clients that are asking.
pub struct Load {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<()>>,
}

struct Shared {
    target: Target,
    tls: [TlsConnector; 2],
    done: AtomicBool,
    answers: AtomicUsize,
    streams: AtomicUsize,
    connections: AtomicUsize,
    refused: AtomicUsize,
    failures: Mutex<Vec<String>>,
}

impl Load {
    /// Begins, with `streams` streams at any time beside the short answers.
    pub fn begin(target: Target, streams: usize) -> Self {
        let connector = |protocol: &[u8]| {
            let mut config = client_config(&target.certificate);
            config.alpn_protocols = vec![protocol.to_owned()];
            TlsConnector::from(Arc::new(config))
        };
        let shared = Arc::new(Shared {
            tls: [connector(b"http/1.1"), connector(b"h2")],
            target,
            done: AtomicBool::new(false),
            answers: AtomicUsize::new(0),
            streams: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            failures: Mutex::default(),
        });
        let mut clients = Vec::new();
        for (n, kind) in KINDS.into_iter().enumerate() {
            let connections = Arc::new(Connections::new(kind, Arc::clone(&shared)));
            let streams = (streams + n) / KINDS.len();
            clients.extend((0..SHORT).map(|_| tokio::spawn(Arc::clone(&connections).ask(false))));
            clients.extend((0..streams).map(|_| tokio::spawn(Arc::clone(&connections).ask(true))));
            clients.push(tokio::spawn(connect_anew(kind, Arc::clone(&shared))));
        }
        Self { shared, clients }
    }

    /// How many streams have come whole.
    pub fn streams(&self) -> usize {
        self.shared.streams.load(Ordering::Relaxed)
    }

    /// Whether anything has gone wrong.
    pub fn has_failed(&self) -> bool {
        !self.shared.failures.lock().is_empty()
    }

    /// Lets the clients finish what they have begun. Returns what they have seen.
    pub async fn end(self) -> Seen {
        self.shared.done.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.await.unwrap();
        }
        let shared = &self.shared;
        Seen {
            answers: shared.answers.load(Ordering::Relaxed),
            streams: shared.streams.load(Ordering::Relaxed),
            connections: shared.connections.load(Ordering::Relaxed),
            refused: shared.refused.load(Ordering::Relaxed),
            failures: std::mem::take(&mut shared.failures.lock()),
        }
    }
}

impl Shared {
    fn is_done(&self) -> bool {
        self.done.load(Ordering::Relaxed)
    }

    fn fail(&self, kind: Kind, what: &str, why: impl std::fmt::Display) {
        let name = if kind.http2 { "HTTP/2" } else { "HTTP/1.1" };
        let tls = if kind.tls { " over TLS" } else { "" };
        self.failures.lock().push(format!("{name}{tls}: {what}: {why}"));
    }

    /// A new connection. Its own task tells of its end: over HTTP/2, one that was not announced is a failure.
    async fn connect(self: &Arc<Self>, kind: Kind) -> Result<Sender, String> {
        self.connections.fetch_add(1, Ordering::Relaxed);
        let address = if kind.tls { self.target.secure } else { self.target.plain };
        let stream = TcpStream::connect(address).await.map_err(|error| format!("connecting: {error}"))?;
        stream.set_nodelay(true).map_err(|error| format!("connecting: {error}"))?;
        if !kind.tls {
            return self.begin(kind, stream).await;
        }
        let name = ServerName::try_from("localhost").unwrap();
        let connected = self.tls[usize::from(kind.http2)].connect(name, stream).await;
        self.begin(kind, connected.map_err(|error| format!("the handshake of TLS: {error}"))?).await
    }

    async fn begin(
        self: &Arc<Self>,
        kind: Kind,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<Sender, String> {
        let stream = TokioIo::new(stream);
        if !kind.http2 {
            let (sender, connection) = http1::handshake(stream).await.map_err(|error| in_full(&error))?;
            // What becomes of it shows in its one request.
            tokio::spawn(connection);
            return Ok(Sender::Http1(sender));
        }
        let executor = TokioExecutor::new();
        let (sender, connection) =
            http2::handshake(executor, stream).await.map_err(|error| in_full(&error))?;
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                shared.fail(kind, "the connection", in_full(&error));
            }
        });
        Ok(Sender::Http2(sender))
    }

    /// Reads the whole answer to a request. Returns whether the connection goes on.
    async fn read(&self, kind: Kind, response: Response<Incoming>, stream: bool) -> bool {
        let what = if stream { "a stream" } else { "an answer" };
        let header = |name: &str| {
            let value = response.headers().get(name).map_or("", |value| value.to_str().unwrap());
            value.to_owned()
        };
        let (closes, model, status) =
            (header("connection") == "close", header("x-evenkeel-model"), response.status());
        let body = match response.into_body().collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => {
                self.fail(kind, what, format!("broken off: {}", in_full(&error)));
                return false;
            }
        };
        if status != 200 {
            self.fail(kind, what, format!("{status}: {}", String::from_utf8_lossy(&body)));
        } else if stream && self.target.streams.get(&model) != Some(&without_number(&body)) {
            self.fail(kind, what, format!("not whole: {}", String::from_utf8_lossy(&body)));
        } else if !stream && !is_answer_of(&body, &model) {
            self.fail(kind, what, format!("not of {model}: {}", String::from_utf8_lossy(&body)));
        }
        let count = if stream { &self.streams } else { &self.answers };
        count.fetch_add(1, Ordering::Relaxed);
        !closes
    }
}

/// Connections of one kind: over HTTP/2 one for all, over HTTP/1.1 one for each client.
struct Connections {
    kind: Kind,
    shared: Arc<Shared>,
    /// The number of the connection and the way to it.
    common: tokio::sync::Mutex<(usize, Option<http2::SendRequest<Body>>)>,
}

impl Connections {
    fn new(kind: Kind, shared: Arc<Shared>) -> Self {
        Self { kind, shared, common: tokio::sync::Mutex::new((0, None)) }
    }

    /// Asks until all is over.
    async fn ask(self: Arc<Self>, stream: bool) {
        let (kind, shared) = (self.kind, &self.shared);
        let mut connection: Option<(usize, Sender)> = None;
        while !shared.is_done() {
            let (number, sender) = match &mut connection {
                Some(connection) => connection,
                None => match self.connect(0).await {
                    Ok(made) => connection.insert(made),
                    Err(error) => return shared.fail(kind, "a connection", error),
                },
            };
            let goes_on = async {
                match sender.send(request(stream)).await {
                    Ok(response) => shared.read(kind, response, stream).await,
                    Err(NotSent::Failed(error)) => {
                        shared.fail(kind, "a request", error);
                        false
                    }
                    Err(NotSent::Refused) => {
                        shared.refused.fetch_add(1, Ordering::Relaxed);
                        false
                    }
                    Err(NotSent::Closed) => {
                        if !kind.http2 {
                            shared.fail(kind, "a connection", "closed without being told");
                        }
                        false
                    }
                }
            };
            match tokio::time::timeout(PATIENCE, goes_on).await {
                Ok(true) => {}
                Ok(false) => {
                    let number = *number;
                    connection = match self.connect(number).await {
                        Ok(made) => Some(made),
                        Err(error) => return shared.fail(kind, "a connection", error),
                    };
                }
                Err(_) => return shared.fail(kind, "a request", "nothing happens any more"),
            }
        }
    }

    /// A connection that is not the one of this number.
    async fn connect(&self, known: usize) -> Result<(usize, Sender), String> {
        if !self.kind.http2 {
            return Ok((1, self.shared.connect(self.kind).await?));
        }
        let (number, sender) = &mut *self.common.lock().await;
        if *number == known {
            let Sender::Http2(new) = self.shared.connect(self.kind).await? else { unreachable!() };
            (*number, *sender) = (known + 1, Some(new));
        }
        Ok((*number, Sender::Http2(sender.clone().unwrap())))
    }
}

/// Asks on a new connection each time.
async fn connect_anew(kind: Kind, shared: Arc<Shared>) {
    while !shared.is_done() {
        let one = async {
            let mut sender = match shared.connect(kind).await {
                Ok(sender) => sender,
                Err(error) => return shared.fail(kind, "a new connection", error),
            };
            match sender.send(request(false)).await {
                Ok(response) => drop(shared.read(kind, response, false).await),
                Err(NotSent::Failed(error)) => shared.fail(kind, "a first request", error),
                Err(NotSent::Refused) => drop(shared.refused.fetch_add(1, Ordering::Relaxed)),
                // Over HTTP/2 this is what a GOAWAY looks like that comes first of all.
                Err(NotSent::Closed) if kind.http2 => {}
                Err(NotSent::Closed) => shared.fail(kind, "a new connection", "closed at once"),
            }
        };
        if tokio::time::timeout(PATIENCE, one).await.is_err() {
            return shared.fail(kind, "a new connection", "nothing happens any more");
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
