//! Where AWS's credentials come from, by AWS's own crates.

use super::cache::{Lease, Source};
use super::error::{InvalidCredential, SignError, chain};
use async_trait::async_trait;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::{self, credentials::ImdsCredentialsProvider};
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

/// Keys as they are written.
pub(super) fn fixed(id: &str, secret: &str, token: Option<&str>) -> Result<Credentials, InvalidCredential> {
    let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !is_id {
        return Err(InvalidCredential::AwsKey("access key id is not one word of letters and digits"));
    }
    if secret.is_empty() {
        return Err(InvalidCredential::AwsKey("secret access key is empty"));
    }
    if !secret.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(InvalidCredential::AwsKey(
            "secret access key holds a space, a line break or a character beyond ASCII",
        ));
    }
    if token.is_some_and(|token| token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic())) {
        return Err(InvalidCredential::AwsKey(
            "session token is empty, or holds a space, a line break or a character beyond ASCII",
        ));
    }
    Ok(Credentials::new(id, secret, token.map(str::to_owned), None, "evenkeel"))
}

/// Where credentials are looked for.
pub(super) enum AwsOrigin {
    Profile {
        name: Arc<str>,
        /// In the place of the shared files, wherever AWS's tools look for them.
        file: Option<PathBuf>,
    },
    Machine {
        /// In the place of the metadata service's own address.
        metadata: Option<Arc<str>>,
    },
}

pub(super) struct AwsSource {
    origin: AwsOrigin,
    region: Arc<str>,
}

impl AwsSource {
    pub(super) fn new(origin: AwsOrigin, region: &Arc<str>) -> Self {
        Self { origin, region: Arc::clone(region) }
    }

    /// Made anew for each fetch: AWS's providers keep the files, and their errors, as they first read them.
    fn provider(&self) -> Result<CredentialsProviderChain, SignError> {
        let client = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let config = ProviderConfig::without_region()
            .with_region(Some(Region::new(self.region.to_string())))
            .with_behavior_version(Some(BehaviorVersion::latest()))
            .with_http_client(client);
        match &self.origin {
            AwsOrigin::Profile { name, file } => {
                let mut profile =
                    ProfileFileCredentialsProvider::builder().configure(&config).profile_name(name.as_ref());
                if let Some(file) = file {
                    let files = EnvConfigFiles::builder().with_file(EnvConfigFileKind::Credentials, file);
                    profile = profile.profile_files(files.build());
                }
                Ok(CredentialsProviderChain::first_try("Profile", profile.build()))
            }
            AwsOrigin::Machine { metadata } => {
                let mut client = imds::Client::builder().configure(&config);
                if let Some(endpoint) = metadata {
                    client = client.endpoint(endpoint).map_err(|error| self.failed(error.as_ref()))?;
                }
                let instance =
                    ImdsCredentialsProvider::builder().configure(&config).imds_client(client.build());
                let identity = WebIdentityTokenCredentialsProvider::builder().configure(&config).build();
                let container = EcsCredentialsProvider::builder().configure(&config).build();
                Ok(CredentialsProviderChain::first_try("WebIdentityToken", identity)
                    .or_else("Container", container)
                    .or_else("Instance", instance.build()))
            }
        }
    }

    /// In one line: AWS's chain of providers tells of each in a line of its own.
    fn failed(&self, error: &dyn std::error::Error) -> SignError {
        let mut why = chain(error);
        for empty in
            ["the credential provider was not enabled: ", "no credentials found in chain. Attempted:"]
        {
            why = why.replace(empty, "");
        }
        let lines: Vec<_> = why.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        SignError::Fetch { from: self.from(), why: lines.join("; ").into() }
    }
}

#[async_trait]
impl Source for AwsSource {
    type Secret = Credentials;

    fn from(&self) -> Arc<str> {
        match &self.origin {
            AwsOrigin::Profile { name, .. } => format!("the profile `{name}` in AWS's shared files").into(),
            AwsOrigin::Machine { .. } => "AWS's metadata of this machine".into(),
        }
    }

    async fn fetch(&self, _now: SystemTime) -> Result<Lease<Credentials>, SignError> {
        let fetched = self.provider()?.provide_credentials().await;
        let secret = fetched.map_err(|error| self.failed(&error))?;
        Ok(Lease { expires: secret.expiry(), secret })
    }
}

#[cfg(test)]
mod tests;
