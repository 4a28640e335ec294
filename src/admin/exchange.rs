//! A request and its answer as the operations see them: no sockets, no Pingora.

use bytes::Bytes;
use http::StatusCode;
use http::header::HeaderName;
use serde::Serialize;
use std::net::SocketAddr;

/// A request that has been let in, and whose operation is known.
#[derive(Debug)]
pub(super) struct Call {
    /// What stands in the path for each name in the template, decoded.
    pub(super) names: Vec<(&'static str, String)>,
    /// The body, and what it says that it is.
    pub(super) body: Body,
    /// Who sent it.
    pub(super) peer: Option<SocketAddr>,
}

/// A request's body.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// The whole of it.
    pub(super) bytes: Bytes,
    /// The value of its `Content-Type`.
    pub(super) content_type: Option<String>,
}

impl Call {
    /// What stands in the path for `name`; empty if the template does not have it.
    pub(super) fn name(&self, name: &str) -> &str {
        self.names.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    /// Its status.
    pub(super) status: StatusCode,
    /// What its body is; `None` if it has none.
    pub(super) content_type: Option<&'static str>,
    /// Its body.
    pub(super) body: Vec<u8>,
    /// A header of its own.
    pub(super) header: Option<(HeaderName, String)>,
}

/// The type of JSON.
pub(super) const JSON: &str = "application/json";

/// The type of plain text.
pub(super) const TEXT: &str = "text/plain; charset=utf-8";

impl Reply {
    /// `value` as JSON, with a line end, for those who read it in a terminal.
    pub(super) fn json<T: Serialize>(status: StatusCode, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(mut body) => {
                body.push(b'\n');
                Self { status, content_type: Some(JSON), body, header: None }
            }
            Err(error) => {
                log::error!("an answer of the management API cannot be written as JSON: {error}");
                let text =
                    br#"{"error":{"message":"the answer cannot be written as JSON","code":"internal"}}"#;
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                Self { status, content_type: Some(JSON), body: text.to_vec(), header: None }
            }
        }
    }

    /// A line for people.
    pub(super) fn text(status: StatusCode, body: String) -> Self {
        Self { status, content_type: Some(TEXT), body: body.into_bytes(), header: None }
    }

    /// No body.
    pub(super) fn empty(status: StatusCode) -> Self {
        Self { status, content_type: None, body: Vec::new(), header: None }
    }
}
