//! The request as the vendor gets it.

use super::context::Attempt;
use super::headers::{dropped, is_hop_by_hop, may_hold_key};
use crate::credential::SUPERSEDED;
use crate::gateway::{Access, AiApi, Credential, Endpoint, Model};
use crate::live::time_of_day;
use crate::vendor::{Address, Asked, RequestRule};
use http::header::{self, HeaderName};
use http::{Method, Uri};
use pingora_core::{Error, ErrorType, OrErr, Result};
use pingora_http::RequestHeader;

/// Turns the client's request header into that for the try `attempt`: its path and query at the endpoint, its Host, its
/// credential in place of the client's, the model where it stands in any of them. Returns whether the model stands
/// elsewhere than in the body.
pub fn rewrite(
    request: &mut RequestHeader,
    api: &AiApi,
    attempt: &Attempt,
    context_len: usize,
) -> Result<bool> {
    let endpoint = &attempt.endpoint;
    let (vendor, headers) = (endpoint.vendor(), endpoint.headers());
    let keys_go = headers.credential.is_some() || api.access() == Access::ApiKey;
    let mut by_path = false;
    let own = vendor.name == api.vendor().name;
    match attempt.pair().filter(|_| !own || !vendor.names_models_in_bodies_only()) {
        Some(pair) => {
            let address = address_at(endpoint, api, &request.uri, context_len, pair.model.name())?;
            by_path = address.rule.is_by_path();
            name_in_header(request, address.rule, &pair.model)?;
            request.set_uri(uri(address.path, address.query.as_deref())?);
        }
        None => {
            let asked = asked(&request.uri, context_len)?;
            let (path, query) = vendor.passed(api.vendor(), endpoint.url().path(), asked);
            let uri = uri(path, query.as_deref())?;
            request.set_uri(uri);
        }
    }
    drop_clients_own(request, keys_go, keys_go && vendor.credential.aws_service.is_some());
    for (name, value) in &vendor.headers {
        if !request.headers.contains_key(name) {
            request.insert_header(name.clone(), value.clone())?;
        }
    }
    for (name, value) in &headers.others {
        request.insert_header(name.clone(), value.clone())?;
    }
    if let Some(Credential::Header(name, value)) = &headers.credential {
        request.insert_header(name.clone(), value.clone())?;
    }
    request.insert_header(header::HOST, endpoint.url().authority().clone())?;
    Ok(by_path)
}

/// States the length of a body that is sent whole, and that it has no content coding if it was `decoded`. A GET without a
/// body says nothing of a length, unless the client's did.
pub fn set_length(request: &mut RequestHeader, length: usize, decoded: bool) -> Result<()> {
    if length == 0 && matches!(request.method, Method::GET | Method::HEAD) {
        let framing = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING];
        if !framing.iter().any(|name| request.headers.contains_key(name)) {
            return Ok(());
        }
    }
    request.remove_header(&header::TRANSFER_ENCODING);
    if decoded {
        request.remove_header(&header::CONTENT_ENCODING);
    }
    request.insert_header(header::CONTENT_LENGTH, length)
}

/// Signs the request of a try, whose header and body are as they will be sent.
pub async fn sign(request: &mut RequestHeader, attempt: &Attempt) -> Result<()> {
    let endpoint = &attempt.endpoint;
    let Some(Credential::Signer(signer)) = &endpoint.headers().credential else {
        return Ok(());
    };
    let host = endpoint.url().authority().to_str().or_err(ErrorType::InternalError, "the vendor's host")?;
    let body = attempt.outgoing.as_deref().unwrap_or_default();
    let made = signer.sign(&request.method, &request.uri, host, &request.headers, body, time_of_day()).await;
    let made = made.map_err(|error| Error::explain(ErrorType::InternalError, error.to_string()))?;
    for (name, value) in made {
        request.insert_header(name, value)?;
    }
    Ok(())
}

/// What is asked for below the AI API's context.
fn asked(uri: &Uri, context_len: usize) -> Result<Asked<'_>> {
    let rest = uri.path().get(context_len..);
    let path =
        rest.ok_or_else(|| Error::explain(ErrorType::InternalError, "the path is shorter than its context"))?;
    Ok(Asked { path, query: uri.query() })
}

fn address_at<'e>(
    endpoint: &'e Endpoint,
    api: &AiApi,
    uri: &Uri,
    context_len: usize,
    model: &str,
) -> Result<Address<'e>> {
    let asked = asked(uri, context_len)?;
    let address = endpoint.vendor().address(api.vendor(), endpoint.url().path(), asked, model);
    address.map_err(|error| Error::explain(ErrorType::InternalError, error.to_string()))
}

fn uri(mut path: String, query: Option<&str>) -> Result<Uri> {
    if path.is_empty() {
        path.push('/');
    }
    if let Some(query) = query {
        path.push('?');
        path.push_str(query);
    }
    Uri::try_from(path).or_err(ErrorType::InternalError, "making the vendor's path")
}

/// Names the model in the header in which the vendor has it; where its path decides, only if the header is there.
fn name_in_header(request: &mut RequestHeader, rule: &RequestRule, model: &Model) -> Result<()> {
    match &rule.header {
        Some(name) if !rule.is_by_path() || request.headers.contains_key(name) => {
            request.insert_header(name.clone(), model.in_header().clone())
        }
        _ => Ok(()),
    }
}

/// Drops what concerns the client's connection only, and its keys where they are not the vendor's business. What concerns
/// the vendor's connection is set by Pingora.
fn drop_clients_own(request: &mut RequestHeader, keys_go: bool, signatures_go: bool) {
    let goes = |name: &HeaderName| {
        // The gateway has asked the client to go on already.
        is_hop_by_hop(name)
            || *name == header::EXPECT
            || (keys_go && may_hold_key(name))
            || (signatures_go && SUPERSEDED.contains(name))
    };
    let framing = [header::TRANSFER_ENCODING, header::CONTENT_LENGTH, header::HOST];
    for name in dropped(&request.headers, goes, &framing) {
        request.remove_header(&name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balance::Tick;
    use crate::config::built_in_vendor;
    use crate::gateway::{BaseUrl, Context, EndpointHeaders, EndpointId, Protocol, Timeouts};
    use crate::vendor::present;
    use std::sync::Arc;

    fn endpoint(url: &str, credential: Option<&str>) -> Attempt {
        let header = |text| present(&header::AUTHORIZATION, "Bearer ", text).unwrap();
        let headers = EndpointHeaders {
            credential: credential.map(header).map(|(name, value)| Credential::Header(name, value)),
            others: vec![(HeaderName::from_static("x-org"), "org-1".parse().unwrap())],
        };
        let (vendor, url) = (built_in_vendor("openai").unwrap(), BaseUrl::parse(url).unwrap());
        let timeouts = Timeouts::default();
        let endpoint = Endpoint::new(EndpointId(0), "e", vendor, url, headers, Protocol::Http1, timeouts);
        Attempt::new(Arc::new(endpoint), timeouts, None, Tick::ORIGIN)
    }

    fn api(access: Access) -> AiApi {
        let context = Context::parse("/chat").unwrap();
        AiApi::new("a", context, built_in_vendor("openai").unwrap(), access, None, None, Vec::new())
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
