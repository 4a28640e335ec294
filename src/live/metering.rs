//! What is measured of a gateway, and its figures at the time of a scrape.

use super::{Live, Serving};
use crate::balance::{Phase, Tick};
use crate::config::{MetricConventions, Settings};
use crate::gateway::{AiApi, Endpoint, Environment, Gateway, Pair, Share};
use crate::observe::metrics::{
    ApiLayout, ClientLabels, Figures, Layout, PairFigures, PairState, Primary, TargetLabels, render,
};
use crate::vendor::conventions;
use std::sync::Arc;

/// What is measured of `gateway`.
pub(super) fn layout(gateway: &Gateway, settings: &Settings) -> Layout {
    let mut apis: Vec<_> = gateway.apis().iter().collect();
    apis.sort_by_key(|api| api.number());
    let mut pairs: Vec<_> = gateway.pairs().collect();
    pairs.sort_by_key(|(_, _, pair)| pair.number);
    Layout {
        apis: apis.into_iter().map(|api| api_layout(api)).collect(),
        pairs: pairs.into_iter().map(|(api, environment, pair)| labels(api, environment, pair)).collect(),
        gen_ai: settings.metric_conventions == MetricConventions::Otel,
    }
}

fn api_layout(api: &AiApi) -> ApiLayout {
    let primary = |environment| {
        let endpoint = api.endpoints(environment)?.primary();
        let client = client(endpoint, "");
        Some(Primary { environment, endpoint: endpoint.name().into(), client })
    };
    let primaries = Environment::ALL.into_iter().filter_map(primary).collect();
    ApiLayout { name: api.name().into(), primaries }
}

fn labels(api: &AiApi, environment: Environment, pair: &Pair) -> (TargetLabels, ClientLabels) {
    let (model, endpoint) = (pair.model.name(), pair.endpoint.name());
    let labels =
        TargetLabels { api: api.name().into(), environment, model: model.into(), endpoint: endpoint.into() };
    (labels, client(&pair.endpoint, model))
}

fn client(endpoint: &Endpoint, model: &str) -> ClientLabels {
    ClientLabels {
        provider: conventions::provider(&endpoint.vendor().name).into(),
        model: model.into(),
        address: endpoint.url().host().to_string().into(),
        port: endpoint.url().port(),
    }
}

impl Live {
    /// The text of all metrics, as Prometheus reads it.
    ///
    /// # Errors
    /// Those of the `prometheus` crate.
    pub fn metrics(&self) -> prometheus::Result<String> {
        let serving = self.current();
        let figures = Figures {
            pairs: pair_figures(&serving, self.now()),
            in_flight: u64::try_from(self.drain.in_flight()).unwrap_or(u64::MAX),
            generation: serving.generation,
            reload_failed: self.last_reload().error.is_some(),
        };
        render(&serving.meters, &figures)
    }
}

/// The figures of every pair, in the order of their numbers.
fn pair_figures(serving: &Serving, now: Tick) -> Vec<PairFigures> {
    let places =
        serving.gateway.apis().iter().flat_map(|api| Environment::ALL.map(|environment| (api, environment)));
    let of_place = |(api, environment): (&Arc<AiApi>, Environment)| {
        let figures = |(pair, share): (&Pair, Share)| (pair.number, figures(pair, share, now));
        api.shares(environment).into_iter().map(figures).collect::<Vec<_>>()
    };
    let mut pairs: Vec<_> = places.flat_map(of_place).collect();
    pairs.sort_by_key(|(number, _)| *number);
    pairs.into_iter().map(|(_, figures)| figures).collect()
}

fn figures(pair: &Pair, Share { expected, actual, .. }: Share, now: Tick) -> PairFigures {
    let state = match pair.health.lock().phase(now) {
        Phase::Active => PairState::Active,
        Phase::Suspended { .. } | Phase::Drained => PairState::Suspended,
        Phase::Due { .. } | Phase::Probing { .. } => PairState::Probing,
    };
    PairFigures { state, expected, actual }
}
