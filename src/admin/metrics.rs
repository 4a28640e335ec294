//! What is measured: `GET /metrics`.

use super::Desk;
use super::exchange::{Call, Reply};
use super::operation::{Nothing, Operation, Output};
use super::refusal::{Code, Refusal};
use crate::observe::metrics::CONTENT_TYPE;
use http::{Method, StatusCode};
use schemars::{Schema, SchemaGenerator};

/// What is measured.
pub(super) struct Metrics;

/// Answers metrics as Prometheus reads them.
pub(super) struct Exposition(String);

impl Operation for Metrics {
    type Body = Nothing;
    type Answer = Exposition;
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/metrics";
    const ID: &'static str = "metrics";
    const SUMMARY: &'static str = "What is measured, as Prometheus reads it";
    const STATUSES: &'static [(u16, &'static str)] = &[(200, "The metrics.")];
    const REFUSALS: &'static [Code] = &[Code::Internal];

    fn call(desk: &Desk, _: &Call, _: Nothing) -> Result<Exposition, Refusal> {
        let text = desk.live.metrics();
        text.map(Exposition).map_err(|error| {
            log::error!("the metrics cannot be written: {error}");
            Refusal::new(Code::Internal, "the metrics cannot be written; the gateway's log has more")
        })
    }
}

impl Output for Exposition {
    const CONTENT_TYPE: Option<&'static str> = Some(CONTENT_TYPE);

    fn reply(self, status: StatusCode) -> Reply {
        Reply { content_type: Self::CONTENT_TYPE, ..Reply::text(status, self.0) }
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<String>()
    }
}
