//! A server for the tests, on loopback: it answers as it is told, and keeps what it was asked.

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

pub(in crate::credential) struct Loopback {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<(Parts, Bytes)>>>,
}

impl Loopback {
    /// Answers each request with what `answer` gives; none leaves it without an answer.
    pub(in crate::credential) async fn start<F>(answer: F) -> Self
    where
        F: Fn(&Parts, &Bytes) -> Option<Response<String>> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::<Mutex<Vec<(Parts, Bytes)>>>::default();
        let answer = Arc::new(answer);
        let kept = Arc::clone(&asked);
        let serve = move |request: Request<Incoming>| {
            let (answer, kept) = (Arc::clone(&answer), Arc::clone(&kept));
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let answer = answer(&parts, &body);
                kept.lock().push((parts, body));
                match answer {
                    Some(answer) => Ok::<_, Infallible>(answer.map(Full::<Bytes>::from)),
                    None => std::future::pending().await,
                }
            }
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serve = serve.clone();
                tokio::spawn(async move {
                    let served =
                        http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(serve));
                    // A client that goes away is no matter of the server's.
                    drop(served.await);
                });
            }
        });
        Self { address, asked }
    }

    pub(in crate::credential) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What was asked so far.
    pub(in crate::credential) fn asked(&self) -> Vec<(Parts, Bytes)> {
        self.asked.lock().clone()
    }
}

/// An answer of this status and body.
pub(in crate::credential) fn answer(status: u16, text: &str) -> Response<String> {
    Response::builder().status(status).body(text.to_owned()).unwrap()
}
