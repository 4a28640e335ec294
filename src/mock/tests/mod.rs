//! The vendor over real sockets, as a client meets it.

mod answering;
mod failing;

use std::net::TcpListener as StdListener;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, RETRY_AFTER};
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::{Dialect, Fault, MockVendor, Options};

enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

/// One connection; dropped, it is closed.
struct Client {
    sender: Sender,
    connection: JoinHandle<()>,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Client {
    async fn http1(vendor: &MockVendor) -> Self {
        let stream = TcpStream::connect(vendor.address()).await.unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        Self {
            sender: Sender::Http1(sender),
            connection: tokio::spawn(async move {
                let _ = connection.await;
            }),
        }
    }

    async fn http2(vendor: &MockVendor) -> Self {
        let stream = TcpStream::connect(vendor.address()).await.unwrap();
        let io = TokioIo::new(stream);
        let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        Self {
            sender: Sender::Http2(sender),
            connection: tokio::spawn(async move {
                let _ = connection.await;
            }),
        }
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        match &mut self.sender {
            Sender::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
            Sender::Http2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
        }
    }

    async fn chat(&mut self, body: Value) -> hyper::Result<Response<Incoming>> {
        self.send(post("/v1/chat/completions", body.to_string())).await
    }

    async fn chat_status(&mut self, model: &str) -> u16 {
        let response = self.chat(json!({ "model": model })).await.unwrap();
        let status = response.status().as_u16();
        response.into_body().collect().await.unwrap();
        status
    }
}

fn post(path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::post(format!("http://mock{path}")).body(Full::new(body.into())).unwrap()
}

async fn start(options: Options) -> MockVendor {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    MockVendor::start(listener, options).await.unwrap()
}

async fn json_of(response: Response<Incoming>) -> Value {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap()
}

/// The next frame with data: HTTP/2 may end a body by an empty one.
async fn next_frame(response: &mut Response<Incoming>) -> Option<Bytes> {
    loop {
        let frame = response.body_mut().frame().await?;
        let data = frame.unwrap().into_data().unwrap();
        if !data.is_empty() {
            return Some(data);
        }
    }
}

/// Whether a frame arrives while everything else on this runtime of one thread gets its turns.
async fn frame_is_here(response: &mut Response<Incoming>) -> bool {
    let many_turns = async {
        for _ in 0..500 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = response.body_mut().frame() => true,
        () = many_turns => false,
    }
}
