//! A client that shows what came, byte for byte.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// A body that is sent whole, its length told, or in chunks, its length not told.
pub type Body = BoxBody<Bytes, Infallible>;

/// A connection to the gateway.
pub enum Client {
    /// HTTP/1.1, kept alive.
    Http1(http1::SendRequest<Body>),
    /// HTTP/2 with prior knowledge.
    Http2(http2::SendRequest<Body>),
}

impl Client {
    /// Connects over HTTP/1.1.
    pub async fn http1(address: SocketAddr) -> Self {
        let stream = connect(address).await;
        let (sender, connection) = http1::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        Self::Http1(sender)
    }

    /// Connects over HTTP/2 with prior knowledge.
    pub async fn http2(address: SocketAddr) -> Self {
        let stream = connect(address).await;
        let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
        tokio::spawn(connection);
        Self::Http2(sender)
    }

    /// Sends a request and waits for the header of the answer.
    pub async fn begin(&mut self, request: Request<Body>) -> Response<Incoming> {
        match self {
            Self::Http1(sender) => {
                sender.ready().await.unwrap();
                sender.send_request(request).await.unwrap()
            }
            Self::Http2(sender) => {
                let (mut parts, body) = request.into_parts();
                let authority = parts.headers.remove("host").unwrap();
                let uri = format!("http://{}{}", authority.to_str().unwrap(), parts.uri);
                parts.uri = uri.parse().unwrap();
                sender.ready().await.unwrap();
                sender.send_request(Request::from_parts(parts, body)).await.unwrap()
            }
        }
    }

    /// Sends a request and waits for the whole answer.
    pub async fn send(&mut self, request: Request<Body>) -> Answer {
        let (parts, body) = self.begin(request).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

/// As real clients do, small writes are not held back for larger ones.
async fn connect(address: SocketAddr) -> TokioIo<TcpStream> {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    TokioIo::new(stream)
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The value of a header, empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The code of an error in OpenAI's shape.
    pub fn code(&self) -> String {
        let body = self.json();
        let error = body["error"].as_object().unwrap_or_else(|| panic!("no error: {body}"));
        for member in ["message", "type", "param", "code"] {
            assert!(error.contains_key(member), "no `{member}` in {body}");
        }
        error["code"].as_str().unwrap_or_default().to_owned()
    }

    /// It has this status and code, and all that each of the gateway's own answers has.
    pub fn assert_refused(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.code().as_str()), (status, code), "{self:?}");
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(self.header("content-length"), self.body.len().to_string());
        assert_eq!(self.header("x-request-id").len(), 32, "{self:?}");
        let error = &self.json()["error"];
        assert!(error["message"].as_str().unwrap().ends_with('.'), "{error}");
        let kind = match status {
            401 => "authentication_error",
            403 => "permission_error",
            500.. => "server_error",
            _ => "invalid_request_error",
        };
        assert_eq!(error["type"], kind);
    }
}

/// A POST with a JSON body.
pub fn post(path: &str, key: Option<&str>, body: impl Into<Bytes>) -> Request<Body> {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("host", "gateway.test")
        .header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    request.body(Full::new(body.into()).boxed()).unwrap()
}

/// The same body in chunks of `size` bytes, its length not told beforehand.
pub fn in_chunks(request: Request<Body>, body: &Bytes, size: usize) -> Request<Body> {
    let chunks: Vec<_> = body.chunks(size).map(|chunk| Ok(Frame::data(body.slice_ref(chunk)))).collect();
    request.map(|_| BodyExt::boxed(StreamBody::new(futures::stream::iter(chunks))))
}

/// The body of a chat completion that asks for `model`.
pub fn chat(model: &str) -> String {
    json!({ "model": model, "messages": [{ "role": "user", "content": "Hello" }] }).to_string()
}

/// The next chunk of an answer; `None` at its end. HTTP/2 may end with an empty one, which is none.
pub async fn read_chunk(body: &mut Incoming) -> Option<Bytes> {
    loop {
        let frame = body.frame().await?.unwrap();
        match frame.into_data() {
            Ok(data) if !data.is_empty() => return Some(data),
            _ => {}
        }
    }
}
