//! Who may use the management API.
//!
//! - A token, where the file sets one.
//! - No page of another site, whatever it holds: a browser says where a request comes from (`Sec-Fetch-Site`, `Origin`),
//!   and no program that manages a gateway does. Without a token, the request must name this machine by an address or as
//!   `localhost` besides: a name of an attacker's that suddenly leads here (DNS rebinding) is neither.

use super::refusal::{Code, Refusal};
use crate::keys::KeyHash;
use http::HeaderMap;
use http::header::{AUTHORIZATION, HOST, HeaderName, ORIGIN};
use http::uri::Authority;
use std::net::IpAddr;

/// Fetch Metadata: what a browser says of where a request comes from.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What a request must present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lock {
    /// Nothing: only this machine reaches the address.
    Loopback,
    /// The token with this hash. Hashes are compared in constant time, and tell nothing of a token's length.
    Token(KeyHash),
    /// There is nothing that would do: the address is open to other machines, and the token has gone from the file.
    Closed,
}

impl Lock {
    /// The lock of an address that is `loopback` or not, where the file sets `token` or none.
    pub(super) fn new(loopback: bool, token: Option<&str>) -> Self {
        match token {
            Some(token) => Self::Token(KeyHash::of(token)),
            None if loopback => Self::Loopback,
            None => Self::Closed,
        }
    }

    /// Whether a request with these headers, sent to `authority` if its target names one, may come in.
    pub(super) fn admit(self, headers: &HeaderMap, authority: Option<&Authority>) -> Result<(), Refusal> {
        let host = host(headers, authority)?;
        if let Some(problem) = cross_site(headers, &host) {
            return Err(Refusal::new(Code::CrossSite, problem));
        }
        match self {
            Self::Loopback if !is_this_machine(&host) => {
                let message = "without a token, the host of a request is an IP address or `localhost`";
                Err(Refusal::new(Code::CrossSite, message))
            }
            Self::Loopback => Ok(()),
            Self::Token(hash) => match bearer(headers) {
                Some(token) if KeyHash::of(token) == hash => Ok(()),
                Some(_) => Err(Refusal::unauthorized("the token is wrong; it is `admin.token` of the file")),
                None => {
                    let message = "give the file's `admin.token` as `Authorization: Bearer TOKEN`";
                    Err(Refusal::unauthorized(message))
                }
            },
            Self::Closed => {
                let message =
                    "the address is not a loopback one, and the file sets no `admin.token` any more";
                Err(Refusal::unauthorized(message))
            }
        }
    }
}

/// The authority that a request names: that of its target, else that of its `Host`.
fn host(headers: &HeaderMap, authority: Option<&Authority>) -> Result<Authority, Refusal> {
    let refused = || Refusal::new(Code::InvalidRequest, "a request names one host, in `Host`");
    let mut hosts = headers.get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()),
        _ => None,
    };
    let host = host.ok_or_else(refused)?;
    match authority {
        Some(authority) if *authority != host => Err(refused()),
        _ if host.as_str().contains('@') => Err(refused()),
        _ => Ok(host),
    }
}

/// What gives away that the request comes from a page of another site.
fn cross_site(headers: &HeaderMap, host: &Authority) -> Option<&'static str> {
    let mut sites = headers.get_all(FETCH_SITE).iter();
    if sites.any(|site| !matches!(site.as_bytes(), b"same-origin" | b"none")) {
        return Some("the request comes from another site (`Sec-Fetch-Site`)");
    }
    let own = |origin: &str| {
        let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host.as_str()))
    };
    let mut origins = headers.get_all(ORIGIN).iter();
    let foreign = origins.any(|origin| !origin.to_str().is_ok_and(own));
    foreign.then_some("the request comes from another site (`Origin`)")
}

fn is_this_machine(host: &Authority) -> bool {
    let name = host.host();
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    address.parse::<IpAddr>().is_ok() || name.eq_ignore_ascii_case("localhost")
}

/// The token that is presented. The scheme's name may be written in any case (RFC 9110, 11.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_matches(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(lock: Lock, headers: &[(&str, &str)]) -> u16 {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        lock.admit(&map, None).map_or_else(|refusal| refusal.code().status().as_u16(), |()| 200)
    }

    #[test]
    fn a_loopback_address_is_for_this_machine() {
        let table: [(&[(&str, &str)], u16); 24] = [
            (&[("host", "127.0.0.1:9901")], 200),
            (&[("host", "127.0.0.1")], 200),
            (&[("host", "[::1]:9901")], 200),
            (&[("host", "localhost:9901")], 200),
            (&[("host", "LocalHost")], 200),
            (&[("host", "localhost.evil.example:9901")], 403),
            (&[("host", "evil.example")], 403),
            (&[("host", "127.0.0.1.evil.example")], 403),
            (&[("host", "gateway")], 403),
            (&[], 400),
            (&[("host", "")], 400),
            (&[("host", "a@127.0.0.1")], 400),
            (&[("host", "127.0.0.1"), ("host", "127.0.0.1")], 400),
            (&[("host", "127.0.0.1:9901"), ("sec-fetch-site", "none")], 200),
            (&[("host", "127.0.0.1:9901"), ("sec-fetch-site", "same-origin")], 200),
            (&[("host", "127.0.0.1:9901"), ("sec-fetch-site", "same-site")], 403),
            (&[("host", "127.0.0.1:9901"), ("sec-fetch-site", "cross-site")], 403),
            (
                &[("host", "127.0.0.1:9901"), ("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")],
                403,
            ),
            (&[("host", "127.0.0.1:9901"), ("origin", "http://127.0.0.1:9901")], 200),
            (&[("host", "127.0.0.1:9901"), ("origin", "http://127.0.0.1:9902")], 403),
            (&[("host", "127.0.0.1:9901"), ("origin", "http://evil.example")], 403),
            (&[("host", "127.0.0.1:9901"), ("origin", "null")], 403),
            (&[("host", "127.0.0.1:9901"), ("origin", "http://evil.example#127.0.0.1:9901")], 403),
            (&[("host", "127.0.0.1:9901"), ("authorization", "Bearer whatever")], 200),
        ];
        for (headers, expected) in table {
            assert_eq!(status(Lock::new(true, None), headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_token_is_asked_for_where_one_is_set() {
        let table: [(&[(&str, &str)], u16); 10] = [
            (&[("authorization", "Bearer right")], 200),
            (&[("authorization", "bearer  right")], 200),
            (&[("authorization", "Bearer wrong")], 401),
            (&[("authorization", "Bearer right2")], 401),
            (&[("authorization", "Bearer righ")], 401),
            (&[("authorization", "Bearer")], 401),
            (&[("authorization", "Basic right")], 401),
            (&[("authorization", "Bearer right"), ("authorization", "Bearer right")], 401),
            (&[], 401),
            (&[("authorization", "Bearer right"), ("origin", "http://evil.example")], 403),
        ];
        for loopback in [true, false] {
            for (headers, expected) in table {
                let mut headers = headers.to_vec();
                headers.push(("host", "evenkeel.internal:9901"));
                assert_eq!(status(Lock::new(loopback, Some("right")), &headers), expected, "{headers:?}");
            }
        }
    }

    #[test]
    fn an_open_address_without_a_token_is_closed() {
        let lock = Lock::new(false, None);
        for authorization in ["Bearer", "Bearer ", "Bearer x"] {
            assert_eq!(status(lock, &[("host", "10.0.0.1:9901"), ("authorization", authorization)]), 401);
        }
    }

    #[test]
    fn a_target_that_names_a_host_names_that_of_the_header() {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, "127.0.0.1:9901".parse().unwrap());
        for (authority, admitted) in [("127.0.0.1:9901", true), ("evil.example", false)] {
            let authority: Authority = authority.parse().unwrap();
            let answer = Lock::Loopback.admit(&headers, Some(&authority));
            assert_eq!(answer.is_ok(), admitted, "{authority}");
        }
    }
}
