//! Service accounts of Google: from their key to an access token.
//!
//! The exchange is RFC 7523, section 2.1, at the key's `token_uri`, as Google's "Using OAuth 2.0 for Server to Server
//! Applications" has it: a JSON Web Token, signed with the account's RSA key, for an access token that lives an hour.

use super::cache::{Lease, Source};
use super::error::{InvalidCredential, SignError};
use super::token;
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderValue, Uri};
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::RsaSigningKey;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::{Signer, SigningKey};
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Where a key that names no `token_uri` is exchanged; Google's own libraries take the same.
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
/// How long an assertion may live: the longest that Google takes.
const ASSERTION_LIFE: Duration = Duration::from_secs(3600);

/// A service account's key, read.
pub(super) struct ServiceAccount {
    email: String,
    key_id: Option<String>,
    key: Box<dyn Signer>,
    token_uri: Uri,
    scope: String,
}

impl ServiceAccount {
    /// Reads the JSON text that Google Cloud hands out.
    ///
    /// It is taken apart by hand: serde's errors quote what they find.
    pub(super) fn parse(json: &str, scopes: &[String]) -> Result<Self, InvalidCredential> {
        let key: Value = serde_json::from_str(json)
            .map_err(|error| InvalidCredential::NotJson { line: error.line(), column: error.column() })?;
        let text = |name: &str| key.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let wrong = InvalidCredential::ServiceAccount;
        match text("type") {
            None | Some("service_account") => {}
            Some("authorized_user") => return Err(wrong("is that of a user (`type: authorized_user`)")),
            Some(_) => return Err(wrong("is of another `type` than `service_account`")),
        }
        let email = text("client_email").ok_or(wrong("has no `client_email`"))?;
        let pem = text("private_key").ok_or(wrong("has no `private_key`"))?;
        let token_uri = token_uri(text("token_uri").unwrap_or(TOKEN_URI)).map_err(wrong)?;
        if scopes.iter().all(|scope| scope.trim().is_empty()) {
            return Err(InvalidCredential::NoScope);
        }
        Ok(Self {
            email: email.to_owned(),
            key_id: text("private_key_id").map(str::to_owned),
            key: rsa(pem).map_err(wrong)?,
            token_uri,
            scope: scopes.join(" "),
        })
    }

    /// What is exchanged for an access token.
    fn assertion(&self, now: SystemTime) -> Result<String, String> {
        let issued =
            now.duration_since(UNIX_EPOCH).map_err(|_| "this machine's clock is before 1970")?.as_secs();
        let mut header = json!({ "alg": "RS256", "typ": "JWT" });
        if let (Some(id), Some(header)) = (&self.key_id, header.as_object_mut()) {
            header.insert("kid".to_owned(), id.as_str().into());
        }
        let claims = json!({
            "iss": self.email,
            "scope": self.scope,
            "aud": self.token_uri.to_string(),
            "iat": issued,
            "exp": issued.saturating_add(ASSERTION_LIFE.as_secs()),
        });
        let encoded = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        let signed =
            format!("{}.{}", encoded(header.to_string().as_bytes()), encoded(claims.to_string().as_bytes()));
        let signature = self.key.sign(signed.as_bytes()).map_err(|_| "the account's key cannot sign")?;
        Ok(format!("{signed}.{}", encoded(&signature)))
    }
}

fn rsa(pem: &str) -> Result<Box<dyn Signer>, &'static str> {
    let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(
        |_| "has a `private_key` that is no private key in PEM; are its line breaks written as `\\n`?",
    )?;
    let key = RsaSigningKey::new(&der)
        .map_err(|_| "has a `private_key` that is no RSA key of 2048 bits or more")?;
    key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256])
        .ok_or("has a `private_key` that cannot sign RS256")
}

/// An assertion is as good as a credential for an hour, so that it goes in the clear to this machine only.
fn token_uri(text: &str) -> Result<Uri, &'static str> {
    let uri: Uri = text.parse().map_err(|_| "has a `token_uri` that is no URL")?;
    let host = uri.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let here = host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match uri.scheme_str() {
        Some("https") if !host.is_empty() => Ok(uri),
        Some("http") if here => Ok(uri),
        _ => Err("has a `token_uri` that is no https URL"),
    }
}

/// The token endpoint, as a source of access tokens.
pub(super) struct TokenSource {
    account: ServiceAccount,
}

impl TokenSource {
    pub(super) fn new(account: ServiceAccount) -> Self {
        Self { account }
    }
}

#[async_trait]
impl Source for TokenSource {
    type Secret = HeaderValue;

    fn from(&self) -> Arc<str> {
        self.account.token_uri.to_string().into()
    }

    async fn fetch(&self, now: SystemTime) -> Result<Lease<HeaderValue>, SignError> {
        let failed = |why: String| SignError::Fetch { from: self.from(), why: why.into() };
        let assertion = self.account.assertion(now).map_err(failed)?;
        let token = token::exchange(&self.account.token_uri, &assertion).await.map_err(failed)?;
        let mut secret = HeaderValue::try_from(format!("Bearer {}", token.access_token))
            .map_err(|_| failed("its access token holds what no header can".to_owned()))?;
        secret.set_sensitive(true);
        let expires = token.expires_in.map(|life| {
            now.checked_add(life).ok_or_else(|| failed("its access token never ends".to_owned()))
        });
        Ok(Lease { secret, expires: expires.transpose()? })
    }
}

#[cfg(test)]
mod tests;
