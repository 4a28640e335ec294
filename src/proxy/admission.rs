//! Whether a request is served, and where it goes: framing, path, key, environment.

use super::context::{Admitted, Destination, RequestContext};
use super::headers::presented_keys;
use super::refusal::{KeyFault, Refusal};
use crate::gateway::{Access, AiApi, Environment, Gateway, Target};
use crate::keys::{KeyTable, Lookup};
use http::{HeaderMap, HeaderValue, Version, header};
use pingora_http::RequestHeader;
use std::sync::Arc;

/// Decides on a request whose header is `request`; `raw` is that header as it came, if it came over HTTP/1.
///
/// What is found on the way (the AI API, the key) is left in `ctx` even if the request is refused, for the access log.
pub fn admit(
    gateway: &Gateway,
    keys: &KeyTable,
    request: &RequestHeader,
    raw: Option<&[u8]>,
    ctx: &mut RequestContext,
) -> Result<Admitted, Refusal> {
    check_framing(request, raw)?;
    let route = gateway.route(&request.method, request.uri.path()).map_err(Refusal::NoRoute)?;
    ctx.api = Some(route.api.clone());
    let environment = identify(route.api, keys, &request.headers, ctx)?;
    let target = route
        .api
        .target(route.operation, environment)
        .ok_or(Refusal::EnvironmentNotAvailable(environment))?;
    if content_length(&request.headers).is_some_and(|length| length > gateway.request_body_limit()) {
        return Err(Refusal::RequestTooLarge { limit: gateway.request_body_limit() });
    }
    let destination = match target {
        Target::Balanced(pairs) => Destination::Balanced(pairs.clone()),
        Target::Primary(endpoint) => Destination::Primary(endpoint.clone()),
        Target::Models => Destination::Models,
    };
    let (operation, context_len) = (route.operation.clone(), route.context_len);
    Ok(Admitted { environment, destination, operation, context_len })
}

/// The length that the client has promised, in bytes.
pub fn content_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// Refuses what two readers of HTTP may read differently.
fn check_framing(request: &RequestHeader, raw: Option<&[u8]>) -> Result<(), Refusal> {
    if request.version == Version::HTTP_11 {
        // RFC 9112, 3.2
        match request.headers.get_all(header::HOST).iter().count() {
            1 => {}
            0 => return Err(Refusal::BadRequest("it has no Host header")),
            _ => return Err(Refusal::BadRequest("it has more than one Host header")),
        }
    }
    // RFC 9112, 6.1: a coding beneath the chunks would get lost, as only their framing is made anew for the vendor.
    if !is_chunked_or_none(&request.headers) {
        return Err(Refusal::BadRequest("its Transfer-Encoding is something else than `chunked` alone"));
    }
    if raw.is_some_and(has_bare_line_feed) {
        return Err(Refusal::BadRequest("a line of its header ends without a carriage return"));
    }
    if !request.raw_path_is_utf8() {
        return Err(Refusal::BadRequest("its path is not valid"));
    }
    Ok(())
}

fn is_chunked_or_none(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::TRANSFER_ENCODING).into_iter();
    let first = values.next();
    let is_chunked = |value: &HeaderValue| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
    first.is_none_or(is_chunked) && values.next().is_none()
}

fn has_bare_line_feed(raw: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', raw).any(|at| {
        let before = at.checked_sub(1).and_then(|before| raw.get(before));
        before != Some(&b'\r')
    })
}

/// The environment that the request's key belongs to.
fn identify(
    api: &Arc<AiApi>,
    keys: &KeyTable,
    headers: &HeaderMap,
    ctx: &mut RequestContext,
) -> Result<Environment, Refusal> {
    if api.access() == Access::Open {
        return Ok(Environment::Production);
    }
    let mut fault = KeyFault::Missing;
    for presented in presented_keys(headers) {
        match keys.find(presented) {
            Lookup::Found(key) => {
                ctx.key = Some(key.clone());
                return match key.opens(api.name()) {
                    true => Ok(key.environment),
                    false => Err(Refusal::ApiNotSubscribed { api: api.name().to_owned() }),
                };
            }
            Lookup::Mistyped => fault = KeyFault::Mistyped,
            Lookup::Unknown if fault == KeyFault::Missing => fault = KeyFault::Unknown,
            Lookup::Unknown => {}
        }
    }
    Err(Refusal::InvalidApiKey(fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_line_feed_is_seen() {
        assert!(!has_bare_line_feed(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
        for raw in ["GET / HTTP/1.1\nHost: a\r\n\r\n", "\nGET", "a\r\n\n"] {
            assert!(has_bare_line_feed(raw.as_bytes()), "{raw:?}");
        }
    }

    #[test]
    fn framing_that_can_be_misread_is_refused() {
        let mut request = RequestHeader::build("GET", b"/", None).unwrap();
        request.set_version(Version::HTTP_11);
        assert!(check_framing(&request, None).is_err());
        request.append_header("host", "a").unwrap();
        assert!(check_framing(&request, None).is_ok());
        request.append_header("host", "b").unwrap();
        assert!(check_framing(&request, None).is_err());
    }

    #[test]
    fn only_chunks_are_taken_as_a_transfer_coding() {
        let table: [(&[&str], bool); 8] = [
            (&[], true),
            (&["chunked"], true),
            (&["Chunked "], true),
            (&["gzip, chunked"], false),
            (&["gzip", "chunked"], false),
            (&["chunked", "chunked"], false),
            (&["identity"], false),
            (&[""], false),
        ];
        for (values, expected) in table {
            let mut request = RequestHeader::build("POST", b"/", None).unwrap();
            request.append_header("host", "a").unwrap();
            for value in values {
                request.append_header("transfer-encoding", *value).unwrap();
            }
            request.set_version(Version::HTTP_11);
            assert_eq!(check_framing(&request, None).is_ok(), expected, "{values:?}");
        }
    }
}
