//! Credentials that are more than a fixed header: they are made for each request, or they change while the gateway runs.
//!
//! A [`Signer`] gives the headers that a request needs. Making one reads and connects to nothing, so that a configuration
//! can be checked anywhere: what has to be fetched is fetched when the first request needs it, kept, and fetched again
//! before it expires (`cache`).
//!
//! - AWS: Signature Version 4 (`sigv4`), with keys as written or from where AWS's own tools find them (`aws`);
//! - Google: an OAuth2 access token of a service account (`google`, `token`).
//!
//! Only the fetching touches the world. The time is passed in.

mod aws;
mod cache;
mod error;
mod google;
mod region;
mod sigv4;
mod token;

#[cfg(test)]
mod tests;

pub use error::{InvalidCredential, SignError};
pub use region::region_of_host;

use aws::{AwsOrigin, AwsSource};
use aws_credential_types::Credentials;
use cache::Cache;
use google::{ServiceAccount, TokenSource};
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Uri};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Headers that a client may have signed its own request with. They go from a request before a [`Signer`] adds its own:
/// what is left of them would contradict its signature.
pub const SUPERSEDED: [HeaderName; 4] =
    [AUTHORIZATION, sigv4::DATE, sigv4::SECURITY_TOKEN, sigv4::CONTENT_SHA256];

/// What a request to AWS is signed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsScope {
    service: Arc<str>,
    region: Arc<str>,
}

impl AwsScope {
    /// The service by the name that signatures use (`bedrock`), and its region ([`region_of_host`] can tell).
    ///
    /// # Errors
    /// If one of them is nothing that a signature could name.
    pub fn new(service: &str, region: &str) -> Result<Self, InvalidCredential> {
        let name = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if !name(service) {
            return Err(InvalidCredential::Service);
        }
        if !name(region) {
            return Err(InvalidCredential::Region);
        }
        Ok(Self { service: service.into(), region: region.into() })
    }
}

/// A credential that is made for each request, or that changes while the gateway runs.
///
/// It is shared by all requests to its endpoint, and belongs to one: what it has fetched is fetched once for each signer.
pub struct Signer(Kind);

enum Kind {
    Keys(AwsScope, Credentials),
    Aws(AwsScope, Arc<Cache<AwsSource>>),
    Google(Arc<Cache<TokenSource>>),
}

impl Signer {
    /// Signs for AWS with these keys. Those that begin with `ASIA` are temporary and come with a session token.
    ///
    /// # Errors
    /// If they hold what no key holds. The error does not echo it.
    pub fn aws_keys(
        scope: AwsScope,
        access_key_id: &str,
        secret_access_key: &str,
        session_token: Option<&str>,
    ) -> Result<Self, InvalidCredential> {
        let credentials = aws::fixed(access_key_id, secret_access_key, session_token)?;
        Ok(Self(Kind::Keys(scope, credentials)))
    }

    /// Signs for AWS with the credentials of a profile in AWS's shared files.
    ///
    /// They are `~/.aws/config` and `~/.aws/credentials`, or what `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE`
    /// name. A profile that assumes a role does so over the network. One that signs people in (SSO) or runs a program
    /// (`credential_process`) is an error when the first request needs it.
    ///
    /// # Errors
    /// If `profile` is empty.
    pub fn aws_profile(scope: AwsScope, profile: &str) -> Result<Self, InvalidCredential> {
        if profile.trim().is_empty() {
            return Err(InvalidCredential::Profile);
        }
        let origin = AwsOrigin::Profile { name: profile.into(), file: None };
        Ok(Self::aws(scope, origin))
    }

    /// Signs for AWS with the role of the machine that this runs on: a web identity (EKS), a container (ECS, EKS) or an
    /// instance (EC2, IMDSv2 only), whichever there is first.
    ///
    /// AWS's environment variables for these are honoured: `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`,
    /// `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` and `…_FULL_URI`, `AWS_EC2_METADATA_SERVICE_ENDPOINT`,
    /// `AWS_EC2_METADATA_DISABLED`.
    pub fn aws_instance(scope: AwsScope) -> Self {
        Self::aws(scope, AwsOrigin::Machine { metadata: None })
    }

    /// Presents an OAuth2 access token of a Google service account, for these scopes, from the JSON text of its key.
    ///
    /// # Errors
    /// If the text is no such key. The error says what is wrong with it and does not echo it.
    pub fn google_service_account(json: &str, scopes: &[String]) -> Result<Self, InvalidCredential> {
        let account = ServiceAccount::parse(json, scopes)?;
        Ok(Self(Kind::Google(Arc::new(Cache::new(TokenSource::new(account))))))
    }

    fn aws(scope: AwsScope, origin: AwsOrigin) -> Self {
        let source = AwsSource::new(origin, &scope.region);
        Self(Kind::Aws(scope, Arc::new(Cache::new(source))))
    }

    /// Fetches the credential, if it has to be and is not at hand: to sign a request then takes no wait. It is waited for
    /// until `limit` has passed; the fetch goes on for those who come after.
    ///
    /// # Errors
    /// If it cannot be fetched, or not in that time.
    pub async fn ready(&self, now: SystemTime, limit: Duration) -> Result<(), SignError> {
        match &self.0 {
            Kind::Keys(..) => Ok(()),
            Kind::Aws(_, cache) => cache.secret_within(limit, now).await.map(|_| ()),
            Kind::Google(cache) => cache.secret_within(limit, now).await.map(|_| ()),
        }
    }

    /// The headers that the request needs, in the place of any of the same names; their values are marked sensitive.
    ///
    /// All is as it will be sent: `uri`'s path and query, `host` as the Host header, `headers` (of which those that a
    /// signature covers count: Content-Type and `x-amz-*`), and the whole `body`. It runs on Tokio, as what it fetches
    /// does: one fetch at a time, which goes on when the request that began it has gone.
    ///
    /// # Errors
    /// If the credential cannot be fetched, which is tried again by a request a second later at the earliest; or if the
    /// request cannot be signed.
    pub async fn sign(
        &self,
        method: &Method,
        uri: &Uri,
        host: &str,
        headers: &HeaderMap,
        body: &[u8],
        now: SystemTime,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, SignError> {
        let request = sigv4::Request { method, uri, host, headers, body };
        match &self.0 {
            Kind::Keys(scope, credentials) => sigv4::sign(scope, credentials, &request, now),
            Kind::Aws(scope, cache) => sigv4::sign(scope, cache.secret(now).await?.as_ref(), &request, now),
            Kind::Google(cache) => Ok(vec![(AUTHORIZATION, cache.secret(now).await?.as_ref().clone())]),
        }
    }
}

impl fmt::Debug for Signer {
    /// Without anything secret: what it signs for and where its credential comes from.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Keys(scope, _) => f.debug_tuple("AwsKeys").field(scope).finish(),
            Kind::Aws(scope, cache) => f.debug_tuple("Aws").field(scope).field(&cache.from()).finish(),
            Kind::Google(cache) => f.debug_tuple("Google").field(&cache.from()).finish(),
        }
    }
}
