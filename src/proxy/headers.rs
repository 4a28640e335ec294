//! Headers: which are the client's credential, which are of one hop only, and which are ours.

use crate::coding::{Coding, Unsupported};
use crate::observe::trace::digits;
use crate::vendor::KEY_HEADERS;
use http::header::{HeaderMap, HeaderName, HeaderValue};

/// The request's id, the client's own or a new one.
pub const REQUEST_ID: &str = "x-request-id";
/// The model that served.
pub const MODEL: &str = "x-evenkeel-model";
/// The endpoint that served.
pub const ENDPOINT: &str = "x-evenkeel-endpoint";
/// The pairs that were tried, in order, each with what came of it.
pub const ATTEMPTS: &str = "x-evenkeel-attempts";

/// Whether a client may present its key in a header of this name.
pub fn may_hold_key(name: &HeaderName) -> bool {
    KEY_HEADERS.contains(name)
}

/// Whether a header of this name concerns one connection only (RFC 9110, 7.6.1). `Transfer-Encoding` is not among them: the
/// framing of a message is the connection's own business, on both sides.
pub fn is_hop_by_hop(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "upgrade"
    )
}

/// The names of the headers that are not passed on: those that `goes` tells, and those that `Connection` names besides, which
/// concern that connection only, too, but for what frames the message (`framing`). A header that is there is looked at
/// once: to ask for each that might be there costs more, as its name is hashed each time.
pub fn dropped(
    headers: &HeaderMap,
    goes: impl Fn(&HeaderName) -> bool,
    framing: &[HeaderName],
) -> Vec<HeaderName> {
    let mut names: Vec<_> = headers.keys().filter(|name| goes(name)).cloned().collect();
    if names.contains(&http::header::CONNECTION) {
        names.extend(nominated(headers).into_iter().filter(|name| !framing.contains(name)));
    }
    names
}

/// The content coding of a body with these headers, if it has one.
pub fn coding(headers: &HeaderMap) -> Result<Option<Coding>, Unsupported> {
    Coding::of(headers.get_all(http::header::CONTENT_ENCODING).into_iter().map(HeaderValue::as_bytes))
}

/// The types of forms.
const FORMS: [&str; 2] = ["multipart/form-data", "application/x-www-form-urlencoded"];

/// What kind of form a body with these headers is called, if it is.
pub fn form(headers: &HeaderMap) -> Option<&'static str> {
    let content_type = headers.get(http::header::CONTENT_TYPE)?.as_bytes();
    FORMS.into_iter().find(|form| is_of_type(content_type, form))
}

/// Whether the Content-Type `content_type` is the type `expected`, whatever its parameters.
pub fn is_of_type(content_type: &[u8], expected: &str) -> bool {
    content_type.get(..expected.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(expected.as_bytes()))
}

/// The longest request id that is taken over from a client.
const MAX_REQUEST_ID: usize = 128;

/// The keys that a request presents, the likeliest first.
pub fn presented_keys(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    KEY_HEADERS.iter().flat_map(|name| {
        let bearer = *name == http::header::AUTHORIZATION;
        let values = headers.get_all(name).into_iter();
        values.filter_map(move |value| key_in(value, bearer))
    })
}

fn key_in(value: &HeaderValue, bearer: bool) -> Option<&str> {
    let value = value.to_str().ok()?.trim();
    let key = if bearer {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())?
    } else {
        value
    };
    (!key.is_empty()).then_some(key)
}

/// The request's id: the client's own if it is one line of visible ASCII and not too long, else a new random one.
pub fn request_id(headers: &HeaderMap) -> HeaderValue {
    let visible = |value: &HeaderValue| {
        let bytes = value.as_bytes();
        (1..=MAX_REQUEST_ID).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
    };
    match headers.get(REQUEST_ID) {
        Some(value) if visible(value) => value.clone(),
        _ => new_request_id(),
    }
}

fn new_request_id() -> HeaderValue {
    // Hexadecimal digits are a legal header value.
    HeaderValue::from_bytes(&digits::<32>(fastrand::u128(..)))
        .unwrap_or_else(|_| HeaderValue::from_static("-"))
}

/// The headers that `Connection` names: they concern that connection only, too.
fn nominated(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(http::header::CONNECTION).into_iter();
    let tokens = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    tokens.filter_map(|token| HeaderName::try_from(token.trim()).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
        list.iter().map(pair).collect()
    }

    #[test]
    fn a_key_is_found_in_every_header_that_may_hold_one() {
        for name in ["x-api-key", "api-key", "x-goog-api-key", "apikey"] {
            let headers = headers(&[(name, " k1 ")]);
            assert_eq!(presented_keys(&headers).collect::<Vec<_>>(), ["k1"], "{name}");
        }
        for value in ["Bearer k1", "bearer  k1", "BEARER k1"] {
            let headers = headers(&[("authorization", value)]);
            assert_eq!(presented_keys(&headers).collect::<Vec<_>>(), ["k1"], "{value}");
        }
    }

    #[test]
    fn what_is_no_key_is_passed_over() {
        for value in ["Basic dTpw", "Bearer", "Bearer ", "k1", ""] {
            let headers = headers(&[("authorization", value)]);
            assert_eq!(presented_keys(&headers).count(), 0, "{value}");
        }
        let both = headers(&[("authorization", "Bearer k1"), ("x-api-key", "k2")]);
        assert_eq!(presented_keys(&both).collect::<Vec<_>>(), ["k1", "k2"]);
    }

    #[test]
    fn the_clients_request_id_is_kept_if_it_is_one() {
        assert_eq!(request_id(&headers(&[("x-request-id", "abc-1")])), "abc-1");
        for bad in ["", "a b", "tab\there"] {
            let id = request_id(&headers(&[("x-request-id", bad)]));
            assert_eq!(id.len(), 32, "{bad}");
        }
        let long = HeaderValue::from_str(&"x".repeat(129)).unwrap();
        let map: HeaderMap = [(HeaderName::from_static(REQUEST_ID), long)].into_iter().collect();
        assert_eq!(request_id(&map).len(), 32);
        assert_ne!(request_id(&HeaderMap::new()), request_id(&HeaderMap::new()));
    }

    #[test]
    fn forms_are_told_by_their_type() {
        for (content_type, expected) in [
            ("multipart/form-data; boundary=--b", Some("multipart/form-data")),
            ("Application/X-WWW-Form-Urlencoded", Some("application/x-www-form-urlencoded")),
            ("application/json", None),
            ("multipart/mixed", None),
            ("", None),
        ] {
            assert_eq!(form(&headers(&[("content-type", content_type)])), expected, "{content_type}");
        }
        assert_eq!(form(&HeaderMap::new()), None);
    }

    #[test]
    fn connection_names_more_headers_of_one_hop() {
        let map = headers(&[("connection", "close, X-One ,")]);
        assert_eq!(nominated(&map), ["close", "x-one"]);
    }
}
