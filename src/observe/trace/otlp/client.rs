//! The HTTP client of the exporter.
//!
//! The exporter runs on a thread of its own that knows nothing of Tokio, so that its requests are made on a runtime with
//! one thread, which ends with the client. TLS is rustls on ring, as everywhere, and trusts whom the system trusts.

use async_trait::async_trait;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// A client for one exporter.
#[derive(Debug)]
pub struct Client {
    inner: HyperClient<HttpsConnector<HttpConnector>>,
    /// Taken when the client ends.
    runtime: Option<Runtime>,
}

impl Client {
    /// A client each of whose requests may take `timeout`.
    ///
    /// # Errors
    /// If its thread cannot be started, or TLS cannot be set up.
    pub fn start(timeout: Duration) -> Result<Self, Box<dyn std::error::Error>> {
        let runtime =
            Builder::new_multi_thread().worker_threads(1).thread_name("otlp").enable_all().build()?;
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls()?).https_or_http().enable_http1().build();
        Ok(Self { inner: HyperClient::new(connector, timeout, None), runtime: Some(runtime) })
    }
}

impl Drop for Client {
    /// A runtime that is merely dropped waits for its tasks, which not every thread may.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        let client = self.inner.clone();
        let Some(runtime) = &self.runtime else {
            return Err("the client has ended".into());
        };
        runtime.spawn(async move { client.send_bytes(request).await }).await?
    }
}

/// A collector without TLS needs no certificate, so that none to be found is no error here.
fn tls() -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
