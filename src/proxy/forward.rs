//! The request as the vendor gets it.

use super::headers::{dropped, is_hop_by_hop, may_hold_key};
use crate::gateway::{Access, AiApi, Endpoint};
use http::Uri;
use http::header::{self, HeaderName};
use pingora_core::{Error, ErrorType, OrErr, Result};
use pingora_http::RequestHeader;

/// Turns the client's request header into that for `endpoint`: its URL before the rest of the path, its Host, its
/// credential in place of the client's.
pub fn rewrite(
    request: &mut RequestHeader,
    api: &AiApi,
    endpoint: &Endpoint,
    context_len: usize,
) -> Result<()> {
    let uri = uri_at(endpoint, &request.uri, context_len)?;
    request.set_uri(uri);
    let headers = endpoint.headers();
    let keys_go = headers.credential.is_some() || api.access() == Access::ApiKey;
    drop_clients_own(request, keys_go);
    for (name, value) in headers.others.iter().chain(&headers.credential) {
        request.insert_header(name.clone(), value.clone())?;
    }
    request.insert_header(header::HOST, endpoint.url().authority().clone())
}

/// States the length of a body that is sent whole.
pub fn set_length(request: &mut RequestHeader, length: usize) -> Result<()> {
    request.remove_header(&header::TRANSFER_ENCODING);
    request.insert_header(header::CONTENT_LENGTH, length)
}

fn uri_at(endpoint: &Endpoint, asked: &Uri, context_len: usize) -> Result<Uri> {
    let Some(rest) = asked.path().get(context_len..) else {
        return Error::e_explain(ErrorType::InternalError, "the path is shorter than its context");
    };
    let base = endpoint.url().path();
    let mut path = String::with_capacity(base.len() + asked.path().len() + 1);
    path.push_str(base);
    path.push_str(rest);
    if path.is_empty() {
        path.push('/');
    }
    if let Some(query) = asked.query() {
        path.push('?');
        path.push_str(query);
    }
    Uri::try_from(path).or_err(ErrorType::InternalError, "making the vendor's path")
}

/// Drops what concerns the client's connection only, and its keys where they are not the vendor's business. What concerns
/// the vendor's connection is set by Pingora.
fn drop_clients_own(request: &mut RequestHeader, keys_go: bool) {
    let goes = |name: &HeaderName| {
        // The gateway has asked the client to go on already.
        is_hop_by_hop(name) || *name == header::EXPECT || (keys_go && may_hold_key(name))
    };
    let framing = [header::TRANSFER_ENCODING, header::CONTENT_LENGTH, header::HOST];
    for name in dropped(&request.headers, goes, &framing) {
        request.remove_header(&name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::{BaseUrl, Context, EndpointHeaders, EndpointId, Protocol, Timeouts};
    use crate::vendor::Vendor;

    fn endpoint(url: &str, credential: Option<&str>) -> Endpoint {
        let vendor = Vendor::openai_style("v");
        let headers = EndpointHeaders {
            credential: credential.map(|credential| vendor.authorization(credential).unwrap()),
            others: vec![(HeaderName::from_static("x-org"), "org-1".parse().unwrap())],
        };
        let url = BaseUrl::parse(url).unwrap();
        Endpoint::new(EndpointId(0), "e", url, headers, Protocol::Http1, Timeouts::default())
    }

    fn api(access: Access) -> AiApi {
        let context = Context::parse("/chat").unwrap();
        AiApi::new("a", context, Vendor::openai_style("v"), access, None, None, Vec::new())
    }

    fn request(path: &str) -> RequestHeader {
        let mut request = RequestHeader::build("POST", path.as_bytes(), None).unwrap();
        for (name, value) in [
            ("host", "gateway"),
            ("authorization", "Bearer client"),
            ("x-api-key", "client"),
            ("connection", "keep-alive, x-hop"),
            ("x-hop", "1"),
            ("x-stays", "1"),
            ("x-org", "client's"),
            ("te", "trailers"),
            ("expect", "100-continue"),
        ] {
            request.append_header(name, value).unwrap();
        }
        request
    }

    #[test]
    fn the_endpoints_url_stands_before_the_rest_of_the_path() {
        let table = [
            ("http://v/v1", "/chat/chat/completions?a=b%20c", "/v1/chat/completions?a=b%20c"),
            ("http://v", "/chat/models", "/models"),
            ("http://v/", "/chat", "/"),
            ("http://v/a/b/", "/chat/x%2Fy", "/a/b/x%2Fy"),
            ("http://v/v1", "/chat", "/v1"),
        ];
        for (url, path, expected) in table {
            let mut request = request(path);
            rewrite(&mut request, &api(Access::ApiKey), &endpoint(url, None), 5).unwrap();
            assert_eq!(request.uri.to_string(), expected, "{url} {path}");
            assert_eq!(request.headers["host"], "v");
        }
    }

    #[test]
    fn the_clients_credential_never_reaches_a_vendor_that_has_another() {
        for access in [Access::ApiKey, Access::Open] {
            let mut request = request("/chat/x");
            rewrite(&mut request, &api(access), &endpoint("http://v", Some("sk-1")), 5).unwrap();
            assert_eq!(request.headers["authorization"], "Bearer sk-1");
            assert!(!request.headers.contains_key("x-api-key"));
        }
        let mut request = request("/chat/x");
        rewrite(&mut request, &api(Access::ApiKey), &endpoint("http://v", None), 5).unwrap();
        assert!(!request.headers.contains_key("authorization"));
    }

    #[test]
    fn an_open_api_without_a_credential_passes_the_clients_on() {
        let mut request = request("/chat/x");
        rewrite(&mut request, &api(Access::Open), &endpoint("http://v", None), 5).unwrap();
        assert_eq!(request.headers["authorization"], "Bearer client");
    }

    #[test]
    fn headers_of_one_hop_are_dropped_and_the_endpoints_own_are_set() {
        let mut request = request("/chat/x");
        rewrite(&mut request, &api(Access::ApiKey), &endpoint("http://v", None), 5).unwrap();
        for gone in ["connection", "x-hop", "te", "expect"] {
            assert!(!request.headers.contains_key(gone), "{gone}");
        }
        assert_eq!(request.headers["x-stays"], "1");
        assert_eq!(request.headers.get_all("x-org").iter().collect::<Vec<_>>(), ["org-1"]);
    }
}
