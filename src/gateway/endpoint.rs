//! Endpoints: where a vendor is, and how it is spoken to.

use crate::credential::Signer;
use crate::vendor::Vendor;
use http::header::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

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

/// Whether an endpoint is spoken to in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

/// The host of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A name to be resolved.
    Name(String),
    /// An address.
    Address(IpAddr),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => address.fmt(f),
        }
    }
}

/// The URL that requests' paths are appended to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    scheme: Scheme,
    host: Host,
    port: u16,
    /// Empty, or begins with `/` and does not end with it.
    path: String,
    /// Host, and port where it is not the scheme's own, as the `Host` header has it.
    authority: HeaderValue,
}

/// Why a text is no base URL of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is no URL at all.
    #[error("it is not a URL: {0}")]
    Syntax(#[from] url::ParseError),
    /// It is no `http` or `https` URL.
    #[error("its scheme is `{0}`, expected `http` or `https`")]
    Scheme(String),
    /// It names no host.
    #[error("it names no host")]
    NoHost,
    /// It holds a user name or password.
    #[error("it holds a user name or password; a credential belongs to `credential`")]
    UserInfo,
    /// It has a query.
    #[error("it has a query (`?…`); requests bring their own")]
    Query,
    /// It has a fragment.
    #[error("it has a fragment (`#…`)")]
    Fragment,
}

impl BaseUrl {
    /// Reads a URL such as `https://api.openai.com/v1`. A `/` at its end makes no difference.
    ///
    /// # Errors
    /// [`UrlError`] says what is wrong with it; a password in it is never echoed.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let url = Url::parse(text)?;
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            other => return Err(UrlError::Scheme(other.to_owned())),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlError::UserInfo);
        }
        if url.query().is_some() {
            return Err(UrlError::Query);
        }
        if url.fragment().is_some() {
            return Err(UrlError::Fragment);
        }
        let host = match url.host() {
            Some(url::Host::Domain(name)) if !name.is_empty() => Host::Name(name.to_owned()),
            Some(url::Host::Ipv4(address)) => Host::Address(address.into()),
            Some(url::Host::Ipv6(address)) => Host::Address(address.into()),
            _ => return Err(UrlError::NoHost),
        };
        let port = url.port_or_known_default().ok_or(UrlError::NoHost)?;
        let authority = url.authority();
        Ok(Self {
            scheme,
            host,
            port,
            path: url.path().trim_end_matches('/').to_owned(),
            authority: HeaderValue::from_str(authority).map_err(|_| UrlError::NoHost)?,
        })
    }

    /// Whether it is spoken to in the clear.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Its host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What stands before a request's own path: empty, or begins with `/` and does not end with it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The value of the `Host` header.
    pub fn authority(&self) -> &HeaderValue {
        &self.authority
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        let authority = self.authority.to_str().unwrap_or_default();
        write!(f, "{scheme}://{authority}{}", self.path)
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
    fn base_urls() {
        let table = [
            ("https://api.openai.com/v1", Scheme::Https, 443, "/v1", "api.openai.com"),
            ("http://localhost:8000", Scheme::Http, 8000, "", "localhost:8000"),
            ("http://127.0.0.1:80/a/b/", Scheme::Http, 80, "/a/b", "127.0.0.1"),
            ("https://[::1]:8443/v1", Scheme::Https, 8443, "/v1", "[::1]:8443"),
            ("https://BÜCHER.example", Scheme::Https, 443, "", "xn--bcher-kva.example"),
        ];
        for (text, scheme, port, path, authority) in table {
            let url = BaseUrl::parse(text).unwrap();
            assert_eq!((url.scheme(), url.port(), url.path()), (scheme, port, path), "{text}");
            assert_eq!(url.authority(), authority);
        }
        let ipv6 = BaseUrl::parse("https://[::1]/").unwrap();
        assert_eq!(ipv6.host(), &Host::Address("::1".parse().unwrap()));
        assert_eq!(ipv6.to_string(), "https://[::1]");
    }

    #[test]
    fn bad_base_urls() {
        let table = [
            ("api.openai.com", "it is not a URL: relative URL without a base"),
            ("ftp://a", "its scheme is `ftp`, expected `http` or `https`"),
            ("https://", "it is not a URL: empty host"),
            ("https://a?b", "it has a query (`?…`); requests bring their own"),
            ("https://a#b", "it has a fragment (`#…`)"),
            ("https://u:secret@a", "it holds a user name or password; a credential belongs to `credential`"),
        ];
        for (text, message) in table {
            assert_eq!(BaseUrl::parse(text).unwrap_err().to_string(), message, "{text}");
        }
    }

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
