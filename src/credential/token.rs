//! The exchange of an assertion for an access token: RFC 7523, section 2.1, and RFC 6749, sections 5.1 and 5.2.

use super::error::chain;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use url::form_urlencoded;

/// The greatest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 * 1024;
/// How much of an answer that is no JSON is told.
const MAX_TOLD: usize = 200;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// An access token, and how long it lives if that was said.
pub(super) struct Token {
    pub(super) access_token: String,
    pub(super) expires_in: Option<Duration>,
}

/// Exchanges `assertion` at `uri`. An error is what went wrong, as people read it.
pub(super) async fn exchange(uri: &Uri, assertion: &str) -> Result<Token, String> {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", GRANT_TYPE)
        .append_pair("assertion", assertion)
        .finish();
    let request = Request::post(uri.clone())
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ACCEPT, "application/json")
        .body(Full::from(form))
        .map_err(|error| chain(&error))?;
    let answer = client().await?.request(request).await.map_err(|error| chain(&error))?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
    let body =
        body.map_err(|error| format!("its answer, {status}, could not be read: {}", chain(error.as_ref())))?;
    read(status, &body.to_bytes())
}

/// A client for one exchange, which is one an hour: nothing of it stays open in between. TLS is rustls on ring, as
/// everywhere, and trusts whom the system trusts.
async fn client() -> Result<Client<HttpsConnector<HttpConnector>, Full<Bytes>>, String> {
    // The system's certificates are read from files.
    let trusted = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs).await;
    let trusted = trusted.map_err(|error| format!("the system's certificates could not be read: {error}"))?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(trusted.certs);
    let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| chain(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
    Ok(Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector))
}

fn read(status: StatusCode, body: &[u8]) -> Result<Token, String> {
    let answer: Option<Value> = serde_json::from_slice(body).ok();
    let text = |name: &str| answer.as_ref()?.get(name)?.as_str();
    if status != StatusCode::OK {
        let why = match (text("error"), text("error_description")) {
            (Some(error), Some(description)) => format!("{error}: {description}"),
            (Some(error), None) => error.to_owned(),
            _ => String::from_utf8_lossy(body).into_owned(),
        };
        return Err(format!("it answered {status}: {}", told(&why)));
    }
    // What stands in a good answer may be secret, and is not told.
    let access_token = text("access_token").filter(|token| !token.is_empty());
    let access_token = access_token.ok_or("it answered 200 OK without an `access_token`")?.to_owned();
    if text("token_type").is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err("its access token is of another `token_type` than `Bearer`".to_owned());
    }
    let expires_in = match answer.as_ref().and_then(|answer| answer.get("expires_in")) {
        None | Some(Value::Null) => None,
        Some(seconds) => {
            Some(Duration::from_secs(seconds.as_u64().ok_or("its `expires_in` is no number of seconds")?))
        }
    };
    Ok(Token { access_token, expires_in })
}

/// In one line, and not too long.
fn told(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(MAX_TOLD).collect()
}
