//! A collector: takes spans by OTLP over HTTP, and shows them.

use flate2::read::GzDecoder;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value as Any};
use opentelemetry_proto::tonic::trace::v1::Span;
use parking_lot::Mutex;
use prost::Message;
use serde_json::{Map, Value};
use std::convert::Infallible;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A running collector; dropping it closes its listener.
pub struct Collector {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Export>>>,
    accepting: JoinHandle<()>,
}

/// One request of the exporter's.
#[derive(Clone)]
struct Export {
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// One span.
#[derive(Debug, Clone)]
pub struct SeenSpan {
    pub name: String,
    /// `server`, `client` or another.
    pub kind: &'static str,
    pub trace: u128,
    pub id: u64,
    /// 0 if it has none.
    pub parent: u64,
    pub trace_state: String,
    pub attributes: Value,
    pub is_error: bool,
    /// When it began and ended, in nanoseconds since 1970.
    pub times: (u64, u64),
}

impl Collector {
    /// Listens on a port of the system's choice.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Vec<Export>>>::default();
        let kept = Arc::clone(&seen);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                let service = service_fn(move |request| take(request, Arc::clone(&kept)));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, seen, accepting }
    }

    /// The value of `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The spans that came, in the order in which they ended.
    pub fn spans(&self) -> Vec<SeenSpan> {
        let resources = self.exports().into_iter().flat_map(|export| export.resource_spans);
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        scopes.flat_map(|scope| scope.spans).map(seen).collect()
    }

    /// What the spans are of.
    pub fn resource(&self) -> Value {
        let exports = self.exports();
        let resource = exports[0].resource_spans[0].resource.as_ref().unwrap();
        attributes(&resource.attributes)
    }

    /// The headers of the first request.
    pub fn headers(&self) -> HeaderMap {
        self.seen.lock()[0].headers.clone()
    }

    /// All that came, as text.
    pub fn text(&self) -> String {
        let seen = self.seen.lock();
        seen.iter().map(|export| String::from_utf8_lossy(&export.body).into_owned()).collect()
    }

    fn exports(&self) -> Vec<ExportTraceServiceRequest> {
        let seen = self.seen.lock();
        let decode = |export: &Export| {
            assert_eq!(export.path, "/v1/traces");
            assert_eq!(export.headers["content-type"], "application/x-protobuf");
            ExportTraceServiceRequest::decode(&export.body[..]).unwrap()
        };
        seen.iter().map(decode).collect()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn take(
    request: Request<Incoming>,
    kept: Arc<Mutex<Vec<Export>>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let raw = body.collect().await.unwrap().to_bytes();
    let mut body = Vec::new();
    match parts.headers.get("content-encoding").map(|value| value.as_bytes()) {
        Some(b"gzip") => drop(GzDecoder::new(&raw[..]).read_to_end(&mut body).unwrap()),
        None => body.extend_from_slice(&raw),
        Some(other) => panic!("{other:?}"),
    }
    kept.lock().push(Export { path: parts.uri.path().to_owned(), headers: parts.headers, body });
    Ok(Response::builder().status(StatusCode::OK).body(Full::default()).unwrap())
}

fn seen(span: Span) -> SeenSpan {
    let id = |bytes: &[u8]| if bytes.is_empty() { 0 } else { u64::from_be_bytes(bytes.try_into().unwrap()) };
    SeenSpan {
        kind: match span.kind {
            2 => "server",
            3 => "client",
            _ => "another",
        },
        trace: u128::from_be_bytes(span.trace_id.as_slice().try_into().unwrap()),
        id: id(&span.span_id),
        parent: id(&span.parent_span_id),
        attributes: attributes(&span.attributes),
        // STATUS_CODE_ERROR
        is_error: span.status.is_some_and(|status| status.code == 2),
        times: (span.start_time_unix_nano, span.end_time_unix_nano),
        name: span.name,
        trace_state: span.trace_state,
    }
}

/// Attributes as JSON; each stands once.
fn attributes(list: &[KeyValue]) -> Value {
    let mut map = Map::new();
    for attribute in list {
        let value = match attribute.value.as_ref().and_then(|value| value.value.as_ref()).unwrap() {
            Any::StringValue(text) => Value::from(text.as_str()),
            Any::IntValue(number) => Value::from(*number),
            Any::BoolValue(flag) => Value::from(*flag),
            other => panic!("{other:?}"),
        };
        assert!(map.insert(attribute.key.clone(), value).is_none(), "twice: {}", attribute.key);
    }
    Value::Object(map)
}
