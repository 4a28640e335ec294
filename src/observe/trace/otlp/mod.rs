//! Spans by OpenTelemetry's SDK, exported by OTLP over HTTP.

mod client;
mod exporter;
mod settings;
mod spans;

pub use spans::{AttemptSpan, RequestSpan};

use super::TraceParent;
use exporter::Exporting;
use http::HeaderMap;
use log::{error, warn};
use once_cell::sync::OnceCell;
use settings::Settings;
use std::sync::Arc;

/// What makes spans and exports them. A clone makes them for the same exporter.
#[derive(Debug, Clone, Default)]
pub struct Tracing(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// `None` if no spans are wanted.
    settings: Option<Settings>,
    /// Begun by [`Tracing::start`] or the first request: a thread that was there before a daemon forks would be lost.
    /// `None` if it could not be begun.
    exporting: OnceCell<Option<Exporting>>,
}

impl Tracing {
    /// As the environment, in which `variable` looks a name up, asks for: the standard variables of OpenTelemetry
    /// (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>). What cannot be done is told
    /// in the log, and no spans are made; the gateway serves all the same.
    pub fn configured(variable: impl Fn(&str) -> Option<String>) -> Self {
        let settings = match Settings::read(variable) {
            Ok(settings) => settings,
            Err(reason) => {
                error!("no spans are exported: {reason}");
                None
            }
        };
        Self(Arc::new(State { settings, exporting: OnceCell::new() }))
    }

    /// Starts exporting. Called when the process is the one that serves.
    pub fn start(&self) {
        self.exporting();
    }

    /// Exports what has not been, and makes no more spans. Takes a few seconds at most.
    pub fn end(&self) {
        let Some(Some(exporting)) = self.0.exporting.get() else {
            return;
        };
        if let Err(error) = exporting.end() {
            warn!("the last spans could not be exported: {error}");
        }
    }

    /// Begins the span of a request whose headers tell this place in a trace.
    pub fn request(&self, client: Option<TraceParent>, headers: &HeaderMap) -> RequestSpan {
        match self.exporting() {
            Some(exporting) => RequestSpan::begin(exporting.tracer(), client, headers),
            None => RequestSpan::default(),
        }
    }

    fn exporting(&self) -> Option<&Exporting> {
        let settings = self.0.settings.as_ref()?;
        let begin = || match Exporting::begin(settings) {
            Ok(exporting) => Some(exporting),
            Err(reason) => {
                error!("no spans are exported: {reason}");
                None
            }
        };
        self.0.exporting.get_or_init(begin).as_ref()
    }
}

#[cfg(test)]
mod tests;
