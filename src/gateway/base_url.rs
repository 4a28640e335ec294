//! The base URL of an endpoint.

use http::header::HeaderValue;
use std::fmt;
use std::net::IpAddr;
use url::Url;

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
}
