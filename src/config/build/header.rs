//! Headers that a file names: which of them it can give a value to.

use super::super::document::Document;
use super::super::findings::Spot;
use super::super::located::Located;
use super::super::plain::KEY_AND_VALUE;
use super::super::tree::NodeId;
use crate::credential::SUPERSEDED;
use crate::vendor::KEY_HEADERS;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use std::collections::BTreeMap;

/// What belongs to one connection, or is computed for each request: no configuration sets it.
const RESERVED: [&str; 12] = [
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

/// What tells of a request: nothing else has a place in it.
const TELLING: [&str; 5] = ["content-encoding", "content-type", "traceparent", "tracestate", "x-request-id"];

/// What a file names a header for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// An endpoint's own, set on every request to it.
    Endpoint,
    /// A vendor's, for requests that have none of that name.
    Default,
    /// To hold the model.
    Model,
    /// To present a credential.
    Credential,
}

impl Purpose {
    /// Why a header of this name is not fit for it, if it is not.
    pub(super) fn objection(self, name: &HeaderName) -> Option<String> {
        let listed = |names: &[&str]| names.contains(&name.as_str());
        let is_default_type = self == Self::Default && *name == http::header::CONTENT_TYPE;
        let reason = if listed(&RESERVED) {
            "it belongs to one connection or is computed for each request"
        } else if self == Self::Endpoint {
            return None;
        } else if listed(&TELLING) && !is_default_type {
            "it tells of the request's body, trace or id"
        } else if self != Self::Credential && KEY_HEADERS.contains(name) {
            "keys are presented in it: one is given as the `credential` of an endpoint"
        } else if *name != AUTHORIZATION && SUPERSEDED.contains(name) {
            "it is a part of the signatures for AWS"
        } else {
            return None;
        };
        let what = match self {
            Self::Endpoint | Self::Default => "be set",
            Self::Model => "hold the model",
            Self::Credential => "hold a credential",
        };
        Some(format!("cannot {what}: {reason}"))
    }

    /// The header for this purpose that `given` names.
    pub(super) fn name(self, document: &Document, given: &Located<String>) -> Option<HeaderName> {
        let name = named(document, given)?;
        let Some(problem) = self.objection(&name) else { return Some(name) };
        let message = format!("`{}` {problem}", document.shown(given.node()));
        document.findings.error(Spot::Value(given.node()), message);
        None
    }
}

/// The header that `given` names, whatever it is for.
pub(super) fn named(document: &Document, given: &Located<String>) -> Option<HeaderName> {
    let name = HeaderName::try_from(given.value()?);
    if name.is_err() {
        let found = document.found(given.node());
        let message = format!("expected the name of a header, found {found}");
        document.findings.error(Spot::Value(given.node()), message);
    }
    name.ok()
}

/// The headers that `given` has, unless something is wrong with one of them; `objection` says why a name is not fit.
pub(super) fn list(
    document: &Document,
    given: &BTreeMap<String, Located<String>>,
    objection: impl Fn(&HeaderName) -> Option<String>,
) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let mut seen: BTreeMap<String, NodeId> = BTreeMap::new();
    let mut headers = Vec::new();
    for (name, value) in given {
        let problem = match HeaderName::try_from(name) {
            Err(_) => Some("is not the name of a header".to_owned()),
            Ok(header) => match (objection(&header), seen.insert(header.as_str().to_owned(), value.node())) {
                (Some(problem), _) => Some(problem),
                (None, Some(first)) => Some(match document.shown_key(first) {
                    Some(first) => format!("is the same header as `{first}`"),
                    None => "is the same header as another here".to_owned(),
                }),
                (None, None) => {
                    headers.push(self::value(document, value).map(|value| (header, value)));
                    None
                }
            },
        };
        let Some(problem) = problem else { continue };
        headers.push(None);
        let spot = Spot::Key(value.node());
        match document.shown_key(value.node()) {
            Some(name) => document.findings.error(spot, format!("`{name}` {problem}")),
            None => {
                let message = format!("a key (not shown) {problem}");
                document.findings.error_with_help(spot, message, KEY_AND_VALUE);
            }
        }
    }
    headers.into_iter().collect()
}

fn value(document: &Document, given: &Located<String>) -> Option<HeaderValue> {
    let value = HeaderValue::try_from(given.value()?);
    if value.is_err() {
        let message = "the value has a character that a header cannot hold, such as a line break";
        document.findings.error(Spot::Value(given.node()), message);
    }
    let mut value = value.ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_fit_for_some_purposes() {
        use Purpose::{Credential, Default, Endpoint, Model};
        let table: [(&str, &[Purpose]); 9] = [
            ("x-model", &[Endpoint, Default, Model, Credential]),
            ("te", &[]),
            ("host", &[]),
            ("proxy-authorization", &[]),
            ("authorization", &[Endpoint, Credential]),
            ("x-goog-api-key", &[Endpoint, Credential]),
            ("content-type", &[Endpoint, Default]),
            ("traceparent", &[Endpoint]),
            ("x-amz-date", &[Endpoint]),
        ];
        for (name, fit) in table {
            for purpose in [Endpoint, Default, Model, Credential] {
                let objection = purpose.objection(&HeaderName::from_static(name));
                assert_eq!(
                    objection.is_none(),
                    fit.contains(&purpose),
                    "{name} for {purpose:?}: {objection:?}"
                );
            }
        }
    }
}
