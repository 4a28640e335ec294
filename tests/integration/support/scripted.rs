//! A vendor that answers what it is told to, and keeps what it was asked.

use bytes::Bytes;
use futures::stream;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, &'static str)>,
    pub body: Bytes,
}

impl Reply {
    /// A good one of this type.
    pub fn good(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status: 200, headers: vec![("content-type", content_type)], body: body.into() }
    }

    /// JSON with this status.
    pub fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, ..Self::good("application/json", body) }
    }

    /// The same with one more header.
    pub fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Method,
    /// The path and the query.
    pub target: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Asked {
    /// The value of a header, empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

#[derive(Default)]
struct Script {
    next: VecDeque<Reply>,
    always: Option<Reply>,
    besides: Option<(&'static str, Reply)>,
    asked: Vec<Asked>,
}

/// The vendor; dropping it closes its listener.
pub struct Scripted {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
    accepting: JoinHandle<()>,
}

impl Scripted {
    /// Listens on a port of the system's choice.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::<Mutex<Script>>::default();
        let kept = Arc::clone(&script);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let script = Arc::clone(&kept);
                let service = service_fn(move |request| answer(request, Arc::clone(&script)));
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, script, accepting }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it gives this answer.
    pub fn always(&self, reply: Reply) {
        self.script.lock().always = Some(reply);
    }

    /// Before that it gives this one once.
    pub fn once(&self, reply: Reply) {
        self.script.lock().next.push_back(reply);
    }

    /// Whatever else it is asked, it gives this answer at `path`, and does not keep the request.
    pub fn besides(&self, path: &'static str, reply: Reply) {
        self.script.lock().besides = Some((path, reply));
    }

    /// What it was asked since this was asked last.
    pub fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut self.script.lock().asked)
    }

    /// The one request since then.
    pub fn take_one(&self) -> Asked {
        let mut asked = self.take();
        assert_eq!(asked.len(), 1, "{asked:?}");
        asked.remove(0)
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

type Answer = Response<http_body_util::combinators::BoxBody<Bytes, Infallible>>;

async fn answer(request: Request<Incoming>, script: Arc<Mutex<Script>>) -> Result<Answer, hyper::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let target = parts.uri.to_string();
    let reply = {
        let mut script = script.lock();
        match script.besides.clone().filter(|(path, _)| target == *path) {
            Some((_, reply)) => reply,
            None => {
                script.asked.push(Asked { method: parts.method, target, headers: parts.headers, body });
                let next = script.next.pop_front();
                next.or_else(|| script.always.clone()).expect("nothing to answer was told")
            }
        }
    };
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    // In pieces, so that nothing is found only because it came in one.
    let pieces: Vec<_> =
        reply.body.chunks(50).map(|piece| Ok(Frame::data(reply.body.slice_ref(piece)))).collect();
    Ok(response.body(BodyExt::boxed(StreamBody::new(stream::iter(pieces)))).unwrap())
}
