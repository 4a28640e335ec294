//! Endpoints: where a vendor is, and how it is spoken to.

use super::BaseUrl;
use crate::credential::Signer;
use crate::vendor::Vendor;
use http::header::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::sync::Arc;
use std::time::Duration;

/// An endpoint's place among all endpoints of a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointId(pub usize);

/// A base URL of a vendor, with all that a request to it needs.
#[derive(Debug)]
pub struct Endpoint {
    id: EndpointId,
    name: String,
    label: HeaderValue,
    vendor: Arc<Vendor>,
    url: BaseUrl,
    headers: EndpointHeaders,
    protocol: Protocol,
    timeouts: Timeouts,
}

/// The headers that an endpoint sets on every request.
#[derive(Debug, Default)]
pub struct EndpointHeaders {
    /// What presents the endpoint's credential.
    pub credential: Option<Credential>,
    /// Any others.
    pub others: Vec<(HeaderName, HeaderValue)>,
}

/// What presents an endpoint's credential.
#[derive(Debug)]
pub enum Credential {
    /// A header that is the same for every request.
    Header(HeaderName, HeaderValue),
    /// Headers that are made for each request.
    Signer(Arc<Signer>),
}

/// The version of HTTP that an endpoint is spoken to in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Protocol {
    /// HTTP/1.1. An early answer to a large body reaches the client.
    #[default]
    Http1,
    /// HTTP/2, with prior knowledge where the URL is `http`.
    Http2,
}

/// How long an endpoint may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// To be connected, TLS included.
    pub connect: Duration,
    /// From the request sent to the first byte of the response.
    pub first_byte: Duration,
    /// Between two parts of a response.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(120),
            idle: Duration::from_secs(120),
        }
    }
}

impl Endpoint {
    /// The endpoint `name` of `vendor` at `url`.
    pub fn new(
        id: EndpointId,
        name: &str,
        vendor: Arc<Vendor>,
        url: BaseUrl,
        headers: EndpointHeaders,
        protocol: Protocol,
        timeouts: Timeouts,
    ) -> Self {
        Self { id, name: name.to_owned(), label: header_text(name), vendor, url, headers, protocol, timeouts }
    }

    /// Its place among all endpoints of the gateway.
    pub fn id(&self) -> EndpointId {
        self.id
    }

    /// The name that a configuration calls it by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name as the value of a header: visible ASCII and spaces as they are, all else percent-encoded.
    pub fn label(&self) -> &HeaderValue {
        &self.label
    }

    /// Whose it is.
    pub fn vendor(&self) -> &Arc<Vendor> {
        &self.vendor
    }

    /// Where it is.
    pub fn url(&self) -> &BaseUrl {
        &self.url
    }

    /// What it sets on every request.
    pub fn headers(&self) -> &EndpointHeaders {
        &self.headers
    }

    /// Whether its requests are signed, and their bodies with them.
    pub fn is_signed(&self) -> bool {
        matches!(self.headers.credential, Some(Credential::Signer(_)))
    }

    /// The version of HTTP it is spoken to in.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// How long it may take.
    pub fn timeouts(&self) -> Timeouts {
        self.timeouts
    }
}

/// What a name of our own is percent-encoded in to be the value of a header: everything but visible ASCII and the space.
const NOT_IN_HEADERS: &AsciiSet = &CONTROLS.add(b'%');

/// A name as the value of a header: visible ASCII and spaces as they are, all else and `%` percent-encoded.
pub(super) fn header_text(name: &str) -> HeaderValue {
    let encoded = utf8_percent_encode(name, NOT_IN_HEADERS).to_string();
    // Percent-encoding leaves nothing that a header cannot hold.
    HeaderValue::try_from(encoded).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_header_values() {
        let table = [
            ("Default Production Endpoint", "Default Production Endpoint"),
            ("100%", "100%25"),
            ("größer", "gr%C3%B6%C3%9Fer"),
            ("a\r\nb", "a%0D%0Ab"),
        ];
        for (name, expected) in table {
            assert_eq!(header_text(name), expected);
        }
    }
}
