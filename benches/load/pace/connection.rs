//! One connection of HTTP/1.1 that is kept, and the request that goes over it again and again.

use super::Failure;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// Where to send, and what.
#[derive(Clone)]
pub(crate) struct Target {
    address: SocketAddr,
    request: Request<Full<Bytes>>,
}

impl Target {
    pub(crate) fn new(
        address: SocketAddr,
        path: &str,
        key: Option<&str>,
        body: Vec<u8>,
    ) -> Result<Self, Failure> {
        let mut request =
            Request::post(path).header(HOST, address.to_string()).header(CONTENT_TYPE, "application/json");
        if let Some(key) = key {
            request = request.header(AUTHORIZATION, format!("Bearer {key}"));
        }
        Ok(Self { address, request: request.body(Full::new(Bytes::from(body)))? })
    }
}

pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
}

impl Connection {
    pub(crate) async fn open(target: &Target) -> Result<Self, Failure> {
        let stream = TcpStream::connect(target.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // What goes wrong with it, the request under way is told.
        tokio::spawn(connection);
        Ok(Self { sender, request: target.request.clone() })
    }

    /// Sends the request; returns when the header of its answer is here, which must be 200.
    pub(crate) async fn send(&mut self) -> Result<Response<Incoming>, Failure> {
        self.sender.ready().await?;
        let response = self.sender.send_request(self.request.clone()).await?;
        match response.status() {
            StatusCode::OK => Ok(response),
            status => Err(format!("the answer is {status}").into()),
        }
    }

    /// Sends the request; returns when all of its answer is here.
    pub(crate) async fn ask(&mut self) -> Result<(), Failure> {
        let mut response = self.send().await?;
        while let Some(frame) = response.frame().await {
            frame?;
        }
        Ok(())
    }
}
