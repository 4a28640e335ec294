//! One connection of a client that takes nothing amiss: what it sends, and what comes of it.

use crate::load::PATH;
use crate::support::{Body, chat, post};
use bytes::Bytes;
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;

/// Trusts this certificate alone.
pub fn client_config(certificate: &Path) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

pub enum Sender {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

/// Why there is no response.
pub enum NotSent {
    /// The connection takes no more requests, and this one never left.
    Closed,
    /// A GOAWAY says that it was not looked at.
    Refused,
    Failed(String),
}

impl From<TrySendError<Request<Body>>> for NotSent {
    fn from(mut error: TrySendError<Request<Body>>) -> Self {
        match error.take_message() {
            Some(_) => Self::Closed,
            None if is_refused(error.error()) => Self::Refused,
            None => Self::Failed(in_full(error.error())),
        }
    }
}

/// Only streams with greater numbers than the one that a GOAWAY names end with it.
fn is_refused(error: &hyper::Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<h2::Error>());
    cause.is_some_and(|cause| {
        cause.is_go_away() && cause.is_remote() && cause.reason() == Some(h2::Reason::NO_ERROR)
    })
}

/// With all its causes.
pub fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text += &format!(": {next}");
        cause = next.source();
    }
    text
}

impl Sender {
    /// Sends one request, and waits for the header of its response.
    pub async fn send(&mut self, request: Request<Body>) -> Result<Response<Incoming>, NotSent> {
        match self {
            Self::Http1(sender) => {
                sender.ready().await.map_err(|_| NotSent::Closed)?;
                Ok(sender.try_send_request(request).await?)
            }
            Self::Http2(sender) => {
                let mut request = request;
                let path = request.uri().path().to_owned();
                *request.uri_mut() = format!("http://gateway.test{path}").parse::<Uri>().unwrap();
                request.headers_mut().remove("host");
                sender.ready().await.map_err(|_| NotSent::Closed)?;
                Ok(sender.try_send_request(request).await?)
            }
        }
    }
}

pub fn request(stream: bool) -> Request<Body> {
    match stream {
        true => post(PATH, None, r#"{"model":"any","stream":true,"messages":[]}"#),
        false => post(PATH, None, chat("any")),
    }
}

pub fn is_answer_of(body: &Bytes, model: &str) -> bool {
    let body: Result<serde_json::Value, _> = serde_json::from_slice(body);
    body.is_ok_and(|body| !model.is_empty() && body["model"] == model)
}

/// A stream with zeros for the number of the answer, which each of its chunks names.
pub fn without_number(stream: &[u8]) -> Vec<u8> {
    const BEFORE: &str = "chatcmpl-mock";
    let text = String::from_utf8_lossy(stream);
    let mut parts = text.split(BEFORE);
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        whole += BEFORE;
        whole += part.trim_start_matches(|letter: char| letter.is_ascii_digit());
    }
    whole.into_bytes()
}
