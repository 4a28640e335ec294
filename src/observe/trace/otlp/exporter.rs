//! From ended spans to the collector: in batches, by a thread of its own. Spans that it does not keep up with are dropped.

use super::client::Client;
use super::settings::Settings;
use log::{info, warn};
use opentelemetry::trace::TracerProvider;
use opentelemetry::{InstrumentationScope, Key, KeyValue};
use opentelemetry_otlp::{SpanExporter as OtlpExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, SpanData, SpanExporter};
use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long the last export may take.
const LAST_EXPORT: Duration = Duration::from_secs(3);

/// A running exporter, and the tracer whose spans it exports.
#[derive(Debug)]
pub struct Exporting {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Exporting {
    /// Starts its threads. Where to and what of it is exported the SDK reads in the environment.
    ///
    /// # Errors
    /// If a variable is wrong, or a thread cannot be started.
    pub fn begin(settings: &Settings) -> Result<Self, Box<dyn Error>> {
        let client = Client::start(settings.timeout)?;
        let exporter = OtlpExporter::builder().with_http().with_http_client(client).build()?;
        let exporter = Telling { inner: exporter, fails: AtomicBool::new(false) };
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource()).build();
        let scope = InstrumentationScope::builder("evenkeel").with_version(env!("CARGO_PKG_VERSION")).build();
        let tracer = provider.tracer_with_scope(scope);
        info!("spans are exported by OTLP");
        Ok(Self { provider, tracer })
    }

    /// The tracer.
    pub fn tracer(&self) -> &SdkTracer {
        &self.tracer
    }

    /// Exports what has not been, and ends.
    ///
    /// # Errors
    /// If the collector did not take it in time.
    pub fn end(&self) -> OTelSdkResult {
        self.provider.shutdown_with_timeout(LAST_EXPORT)
    }
}

/// What the spans are of: as `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` have it, and `evenkeel` where they name no
/// service.
fn resource() -> Resource {
    let name = Key::from_static_str("service.name");
    let builder =
        || Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    let resource = builder().build();
    match resource.get(&name) {
        Some(known) if !known.as_str().starts_with("unknown_service") => resource,
        _ => builder().with_service_name("evenkeel").build(),
    }
}

/// An exporter that tells in the log when it begins to fail, and when it no longer does.
#[derive(Debug)]
struct Telling<E> {
    inner: E,
    fails: AtomicBool,
}

impl<E: SpanExporter> SpanExporter for Telling<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let result = self.inner.export(batch).await;
        let failed = self.fails.swap(result.is_err(), Ordering::Relaxed);
        match &result {
            Err(error) if !failed => warn!(
                "spans cannot be exported, and are lost until they can: {error}; OTEL_EXPORTER_OTLP_ENDPOINT says where the \
                 collector is, http://localhost:4318 if it is not set"
            ),
            Ok(()) if failed => info!("spans are exported again"),
            _ => {}
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
