//! Endpoints of an AI API.

use super::super::document::Document;
use super::super::file::{EndpointEntry, List, ProtocolName};
use super::super::findings::Spot;
use super::super::located::Located;
use super::super::tree::NodeId;
use super::super::units::Span;
use super::header::{self, Purpose};
use super::vendors::{Known, Vendors};
use super::{credential, name};
use crate::gateway::{
    BaseUrl, Endpoint, EndpointHeaders, EndpointId, Endpoints, Environment, Host, Protocol, Scheme, Timeouts,
    UrlError,
};
use crate::vendor::Vendor;
use http::header::{HeaderName, HeaderValue};
use std::sync::Arc;
use std::time::Duration;

/// The endpoints that a file has for one environment of an AI API, right or wrong.
pub(super) struct Listed<'f> {
    pub(super) environment: Environment,
    endpoints: Vec<Entry<'f>>,
}

struct Entry<'f> {
    name: &'f Located<String>,
    /// Whose it is; `None` if that is not known.
    known: Option<Known<'f>>,
    /// `None` if something is wrong with it.
    endpoint: Option<Arc<Endpoint>>,
}

impl<'f> Listed<'f> {
    /// Reads the endpoints in `list` of an AI API of the vendor `known`. Without it they are checked for all else.
    pub(super) fn new(
        vendors: &Vendors<'f>,
        environment: Environment,
        list: Option<&'f List<EndpointEntry>>,
        known: Option<&Known<'f>>,
        next_id: &mut usize,
    ) -> Self {
        let document = vendors.document;
        let mut listed = Self { environment, endpoints: Vec::new() };
        for entry in list.and_then(Located::value).into_iter().flatten().filter_map(Located::value) {
            let id = EndpointId(*next_id);
            *next_id += 1;
            listed.check_twice(document, &entry.name);
            let known = match &entry.vendor {
                Some(name) => {
                    vendors.find(name).filter(|own| known.is_none_or(|apis| fits(document, name, own, apis)))
                }
                None => known.cloned(),
            };
            let endpoint =
                endpoint(document, id, entry, known.as_ref().map(|known| &known.vendor)).map(Arc::new);
            listed.endpoints.push(Entry { name: &entry.name, known, endpoint });
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
        self.entry(name).map(|entry| entry.endpoint.as_ref())
    }

    /// Whose the one of this name is, or the first.
    pub(super) fn vendor_of(&self, name: Option<&str>) -> Option<&Known<'f>> {
        let entry = match name {
            Some(name) => self.entry(name),
            None => self.endpoints.first(),
        };
        entry?.known.as_ref()
    }

    fn entry(&self, name: &str) -> Option<&Entry<'f>> {
        self.endpoints.iter().find(|entry| entry.name.value().is_some_and(|given| given == name))
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

/// Whether an endpoint of the vendor `own`, named at `name`, can stand in an AI API of `apis`. Reports why not.
fn fits(document: &Document, name: &Located<String>, own: &Known<'_>, apis: &Known<'_>) -> bool {
    let are_hidden = own.has_places_from_outside(document) || apis.has_places_from_outside(document);
    let (own_format, apis_format) = (own.format(document), apis.format(document));
    let (own, apis) = (&own.vendor, &apis.vendor);
    let spot = Spot::Value(name.node());
    if own.format != apis.format {
        let message = format!(
            "requests of `{}` have another format (`{}`) than those of the AI API's vendor `{}` (`{}`), and the gateway \
             does not translate between formats",
            own.name, own_format, apis.name, apis_format
        );
        let help = "give the endpoint an AI API of its own";
        document.findings.error_with_help(spot, message, help);
        return false;
    }
    if let Some((one, other)) = own.other_bodies(apis) {
        let message = if are_hidden {
            format!(
                "in a body of `{}` the model stands elsewhere than in one of the AI API's vendor `{}`",
                own.name, apis.name
            )
        } else {
            format!(
                "in a body of `{}` the model stands in {one}, and in one of the AI API's vendor `{}` in {other}",
                own.name, apis.name
            )
        };
        document.findings.error(spot, message);
        return false;
    }
    true
}

fn endpoint(
    document: &Document,
    id: EndpointId,
    entry: &EndpointEntry,
    vendor: Option<&Arc<Vendor>>,
) -> Option<Endpoint> {
    let name = name(document, &entry.name);
    let url = url(document, &entry.url);
    let credential = match (&entry.credential, vendor) {
        (Some(given), Some(vendor)) => {
            Some(credential::read(document, given, &vendor.credential, url.as_ref()))
        }
        (Some(_), None) => Some(None),
        (None, _) => None,
    };
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
    Some(Endpoint::new(id, name?, Arc::clone(vendor?), url?, headers, protocol, timeouts(entry)))
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

fn headers(
    document: &Document,
    entry: &EndpointEntry,
    vendor: Option<&Arc<Vendor>>,
) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let credential = entry.credential.as_ref().and_then(Located::value).zip(vendor);
    let credential = credential.map(|(given, vendor)| credential::header(given, &vendor.credential));
    let Some(given) = entry.headers.as_ref().and_then(Located::value) else { return Some(Vec::new()) };
    header::list(document, given, |name| {
        let model =
            |vendor: &Arc<Vendor>| vendor.requests.iter().any(|rule| rule.header.as_ref() == Some(name));
        if Some(name) == credential.as_ref() {
            Some("is the header of `credential`, which is given too".to_owned())
        } else if let Some(vendor) = vendor.filter(|vendor| model(vendor)) {
            Some(format!("cannot be set: the model stands in it in requests to `{}`", vendor.name))
        } else {
            Purpose::Endpoint.objection(name)
        }
    })
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
