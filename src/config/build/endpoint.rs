//! Endpoints of an AI API.

use super::super::document::Document;
use super::super::file::{EndpointEntry, List, ProtocolName};
use super::super::findings::Spot;
use super::super::located::Located;
use super::super::tree::NodeId;
use super::super::units::Span;
use super::name;
use crate::gateway::{
    BaseUrl, Endpoint, EndpointHeaders, EndpointId, Endpoints, Environment, Host, Protocol, Scheme, Timeouts,
    UrlError,
};
use crate::vendor::Vendor;
use http::header::{HeaderName, HeaderValue};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What belongs to one connection, or is computed for each request: no configuration sets it.
const RESERVED_HEADERS: [&str; 12] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The endpoints that a file has for one environment of an AI API, right or wrong.
pub(super) struct Listed<'f> {
    pub(super) environment: Environment,
    endpoints: Vec<Entry<'f>>,
}

struct Entry<'f> {
    name: &'f Located<String>,
    /// `None` if something is wrong with it.
    endpoint: Option<Arc<Endpoint>>,
}

impl<'f> Listed<'f> {
    /// Reads the endpoints in `list`. Without a `vendor` they are checked for all else.
    pub(super) fn new(
        document: &Document,
        environment: Environment,
        list: Option<&'f List<EndpointEntry>>,
        vendor: Option<&Vendor>,
        next_id: &mut usize,
    ) -> Self {
        let mut listed = Self { environment, endpoints: Vec::new() };
        for entry in list.and_then(Located::value).into_iter().flatten().filter_map(Located::value) {
            let id = EndpointId(*next_id);
            *next_id += 1;
            listed.check_twice(document, &entry.name);
            let endpoint = endpoint(document, id, entry, vendor).map(Arc::new);
            listed.endpoints.push(Entry { name: &entry.name, endpoint });
        }
        listed
    }

    fn check_twice(&self, document: &Document, name: &Located<String>) {
        let same = |entry: &&Entry<'_>| name.value().is_some() && entry.name.value() == name.value();
        if let Some(first) = self.endpoints.iter().find(same) {
            let shown = document.shown(name.node());
            let message = format!("there are two {} endpoints named `{shown}`", self.environment);
            let help = format!("the first is {}", document.tree.path(first.name.node()));
            document.findings.error_with_help(Spot::Value(name.node()), message, help);
        }
    }

    /// Whether the file has none.
    pub(super) fn is_empty(&self) -> bool {
        self.endpoints.is_empty()
    }

    /// The first; the inner `None` if something is wrong with it.
    pub(super) fn primary(&self) -> Option<Option<&Arc<Endpoint>>> {
        self.endpoints.first().map(|entry| entry.endpoint.as_ref())
    }

    /// The one of this name; the inner `None` if something is wrong with it.
    pub(super) fn find(&self, name: &str) -> Option<Option<&Arc<Endpoint>>> {
        let same = |entry: &&Entry<'_>| entry.name.value().is_some_and(|given| given == name);
        self.endpoints.iter().find(same).map(|entry| entry.endpoint.as_ref())
    }

    /// Their names, each with the node it stands at.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, NodeId)> {
        self.endpoints.iter().filter_map(|entry| Some((entry.name.value()?.as_str(), entry.name.node())))
    }

    /// All of them as a gateway has them; `None` if there are none.
    pub(super) fn endpoints(&self) -> Option<Endpoints> {
        Endpoints::new(self.endpoints.iter().filter_map(|entry| entry.endpoint.clone()).collect())
    }
}

fn endpoint(
    document: &Document,
    id: EndpointId,
    entry: &EndpointEntry,
    vendor: Option<&Vendor>,
) -> Option<Endpoint> {
    let name = name(document, &entry.name);
    let url = url(document, &entry.url);
    let credential = entry.credential.as_ref().map(|given| credential(document, given, vendor));
    let others = headers(document, entry, vendor);
    if let (Some(url), true) = (&url, entry.credential.is_some()) {
        warn_of_clear_text(document, &entry.url, url);
    }
    let protocol = match entry.protocol.as_ref().and_then(Located::value) {
        Some(ProtocolName::Http2) => Protocol::Http2,
        Some(ProtocolName::Http1) | None => Protocol::Http1,
    };
    let headers = match credential {
        Some(credential) => EndpointHeaders { credential: Some(credential?), others: others? },
        None => EndpointHeaders { credential: None, others: others? },
    };
    Some(Endpoint::new(id, name?, url?, headers, protocol, timeouts(entry)))
}

fn url(document: &Document, given: &Located<String>) -> Option<BaseUrl> {
    let text = given.value()?;
    let error = match BaseUrl::parse(text) {
        Ok(url) => return Some(url),
        Err(error) => error,
    };
    let spot = Spot::Value(given.node());
    let message = match &error {
        // The scheme would be a part of what is outside.
        UrlError::Scheme(_) if document.is_interpolated(given.node()) => {
            "the URL cannot be used: its scheme is neither `http` nor `https`".to_owned()
        }
        UrlError::Syntax(url::ParseError::RelativeUrlWithoutBase) => {
            "the URL cannot be used: it begins with neither `https://` nor `http://`".to_owned()
        }
        error => format!("the URL cannot be used: {error}"),
    };
    match error {
        UrlError::Syntax(_) | UrlError::Scheme(_) => {
            let shown = format!("https://{}", document.shown(given.node()));
            let missing_scheme =
                !shown.contains(['…', '$']) && BaseUrl::parse(&shown).is_ok_and(|_| !text.contains(':'));
            let example = if missing_scheme { &shown } else { "https://api.openai.com/v1" };
            document.findings.error_with_help(spot, message, format!("a URL is such as `{example}`"));
        }
        _ => document.findings.error(spot, message),
    }
    None
}

fn credential(
    document: &Document,
    given: &Located<String>,
    vendor: Option<&Vendor>,
) -> Option<(HeaderName, HeaderValue)> {
    let text = given.value()?;
    let spot = Spot::Value(given.node());
    if text.trim().is_empty() {
        let help = "leave `credential` out if the endpoint needs none";
        document.findings.error_with_help(spot, "the credential is empty", help);
        return None;
    }
    let header = vendor?.authorization(text);
    if header.is_err() {
        let message = "the credential has a character that a header cannot hold, such as a line break";
        document.findings.error(spot, message);
    }
    header.ok()
}

fn headers(
    document: &Document,
    entry: &EndpointEntry,
    vendor: Option<&Vendor>,
) -> Option<Vec<(HeaderName, HeaderValue)>> {
    // The header of the credential is the vendor's to choose, whatever the credential is.
    let credential = entry.credential.as_ref().and(vendor);
    let credential = credential.and_then(|vendor| vendor.authorization("x").ok()).map(|(name, _)| name);
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut headers = Vec::new();
    let given = entry.headers.as_ref().and_then(Located::value);
    for (name, value) in given.into_iter().flatten() {
        let problem = match HeaderName::try_from(name) {
            Err(_) => Some("is not the name of a header".to_owned()),
            Ok(header) if RESERVED_HEADERS.contains(&header.as_str()) => {
                Some("cannot be set: it belongs to one connection or is computed for each request".to_owned())
            }
            Ok(header) if Some(&header) == credential.as_ref() => {
                Some("is the header of `credential`, which is given too".to_owned())
            }
            Ok(header) => match seen.insert(header.as_str().to_owned(), name) {
                Some(first) => Some(format!("is the same header as `{first}`")),
                None => {
                    headers.push(header_value(document, value).map(|value| (header, value)));
                    None
                }
            },
        };
        if let Some(problem) = problem {
            document.findings.error(Spot::Key(value.node()), format!("`{}` {problem}", name.escape_debug()));
            headers.push(None);
        }
    }
    headers.into_iter().collect()
}

fn header_value(document: &Document, given: &Located<String>) -> Option<HeaderValue> {
    let value = HeaderValue::try_from(given.value()?);
    if value.is_err() {
        let message = "the value has a character that a header cannot hold, such as a line break";
        document.findings.error(Spot::Value(given.node()), message);
    }
    let mut value = value.ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn warn_of_clear_text(document: &Document, given: &Located<String>, url: &BaseUrl) {
    let local = match url.host() {
        Host::Address(address) => address.is_loopback(),
        Host::Name(name) => name == "localhost" || name.ends_with(".localhost"),
    };
    if url.scheme() == Scheme::Http && !local {
        let message = "the credential is sent over the network in the clear";
        document.findings.warning(Spot::Value(given.node()), message, "use an `https` URL");
    }
}

fn timeouts(entry: &EndpointEntry) -> Timeouts {
    let or = |given: &Option<Located<Span>>, default: Duration| {
        given.as_ref().and_then(Located::value).map_or(default, |span| span.0)
    };
    let default = Timeouts::default();
    Timeouts {
        connect: or(&entry.connect_timeout, default.connect),
        first_byte: or(&entry.first_byte_timeout, default.first_byte),
        idle: or(&entry.idle_timeout, default.idle),
    }
}
