//! The metrics as Prometheus reads them.

use super::gen_ai::ClientMeter;
use super::meters::{Meters, ServedMeter, TargetMeter};
use super::series::{Families, Series, with};
use super::{families, process};

/// The type of what [`render`] makes.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What clients usually get. These series and those below are there from the beginning.
const USUAL_ANSWERS: [u16; 8] = [200, 400, 429, 499, 500, 502, 503, 504];

/// What tries usually come to.
const USUAL_OUTCOMES: [u16; 8] = [200, 400, 401, 429, 500, 502, 503, 504];

/// What pairs are usually suspended for.
const USUAL_REASONS: [u16; 7] = [401, 408, 429, 500, 502, 503, 504];

/// What is known at the time of a scrape only.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// The pairs, in the order of their numbers.
    pub pairs: Vec<PairFigures>,
    /// Requests that have begun and are not over.
    pub in_flight: u64,
    /// The number of the configuration that is served.
    pub generation: u64,
    /// Whether the latest reload failed.
    pub reload_failed: bool,
}

/// What a pair is at the time of a scrape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairFigures {
    /// Its state.
    pub state: PairState,
    /// The share of choices that the weights give to it, 0 to 1.
    pub expected: f64,
    /// The share of choices that it has had, 0 to 1.
    pub actual: f64,
}

/// The state of a pair, as the outside sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairState {
    /// It takes its turns.
    Active,
    /// It gets nothing.
    Suspended,
    /// Its time is over: a request finds out, or the next one will.
    Probing,
}

impl PairState {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Active, "active"), (Self::Suspended, "suspended"), (Self::Probing, "probing")];
}

/// The text of all metrics.
///
/// # Errors
/// Those of the `prometheus` crate; for what is laid out here there are none.
pub fn render(meters: &Meters, figures: &Figures) -> prometheus::Result<String> {
    let mut families = Families::default();
    add_requests(&mut families, meters);
    add_targets(&mut families, meters);
    add_pairs(&mut families, meters, figures);
    add_served(&mut families, meters);
    add_gateway(&mut families, figures);
    process::add(&mut families);
    add_gen_ai(&mut families, &meters.clients());
    families.encode()
}

fn add_requests(families: &mut Families, meters: &Meters) {
    let mut series = Series::of(&families::REQUESTS);
    series.add_statuses(&["", ""], meters.unrouted(), &[404]);
    for (api, statuses) in meters.unserved() {
        series.add_statuses(&[api, ""], statuses, &[401]);
    }
    for (api, served) in meters.all_served() {
        let labels = [api, served.meter.environment.as_str()];
        series.add_statuses(&labels, &served.meter.requests, &USUAL_ANSWERS);
    }
    families.add(series);
}

fn add_targets(families: &mut Families, meters: &Meters) {
    let mut attempts = Series::of(&families::ATTEMPTS);
    let mut tokens = Series::of(&families::TOKENS);
    for target in meters.targets() {
        let labels = labels_of(target);
        attempts.add_statuses(&labels, target.attempts.statuses(), &USUAL_OUTCOMES);
        attempts.add_words(&labels, &target.attempts, "quota");
        for (kind, count) in [
            ("prompt", &target.prompt_tokens),
            ("completion", &target.completion_tokens),
            ("cached", &target.cached_tokens),
        ] {
            tokens.add(&with(&labels, kind), count.get() as f64);
        }
    }
    families.add(attempts);
    families.add(tokens);
}

fn add_pairs(families: &mut Families, meters: &Meters, figures: &Figures) {
    let mut suspensions = Series::of(&families::SUSPENSIONS);
    for pair in meters.pairs() {
        let labels = labels_of(pair);
        suspensions.add_statuses(&labels, pair.suspensions.statuses(), &USUAL_REASONS);
        suspensions.add_words(&labels, &pair.suspensions, "abandoned");
        suspensions.add(&with(&labels, "operator"), pair.holds.get() as f64);
    }
    families.add(suspensions);
    let mut states = Series::of(&families::PAIR_STATE);
    let mut expected = Series::of(&families::SHARE_EXPECTED);
    let mut actual = Series::of(&families::SHARE_ACTUAL);
    for (pair, figures) in meters.pairs().zip(&figures.pairs) {
        let labels = labels_of(pair);
        for (state, word) in PairState::ALL {
            states.add(&with(&labels, word), f64::from(u8::from(state == figures.state)));
        }
        expected.add(&labels, figures.expected);
        actual.add(&labels, figures.actual);
    }
    families.add(states);
    families.add(expected);
    families.add(actual);
}

fn add_served(families: &mut Families, meters: &Meters) {
    let mut add = |family, one: &dyn Fn(&ServedMeter, &mut Series, &[&str])| {
        let mut series = Series::of(family);
        for (api, served) in meters.all_served() {
            one(&served.meter, &mut series, &[api, served.meter.environment.as_str()]);
        }
        families.add(series);
    };
    add(&families::RETRIES, &|meter, series, labels| series.add(labels, meter.retries.get() as f64));
    add(&families::OVERHEAD, &|meter, series, labels| series.add_histogram(labels, &meter.overhead));
    add(&families::FIRST_BYTE, &|meter, series, labels| series.add_histogram(labels, &meter.first_byte));
    add(&families::DURATION, &|meter, series, labels| series.add_histogram(labels, &meter.duration));
    add(&families::USAGE_UNREAD, &|meter, series, labels| {
        series.add(labels, meter.usage_unread.get() as f64);
    });
}

fn add_gateway(families: &mut Families, figures: &Figures) {
    families.add_one(&families::IN_FLIGHT, figures.in_flight as f64);
    families.add_one(&families::CONFIG_GENERATION, figures.generation as f64);
    families.add_one(&families::CONFIG_RELOADED, f64::from(u8::from(!figures.reload_failed)));
    let mut build = Series::of(&families::BUILD_INFO);
    build.add(&[env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH], 1.0);
    families.add(build);
}

fn add_gen_ai(families: &mut Families, clients: &[&ClientMeter]) {
    let mut tokens = Series::of(&families::GEN_AI_TOKENS);
    let mut durations = Series::of(&families::GEN_AI_DURATION);
    let mut first_chunks = Series::of(&families::GEN_AI_FIRST_CHUNK);
    for client in clients {
        let port = client.labels().port.to_string();
        for (kind, operation) in client.operations() {
            let who = client.labels();
            let labels = [kind.as_str(), &*who.provider, &*who.model, &*who.address, &port];
            for (kind, histogram) in [("input", &operation.input), ("output", &operation.output)] {
                tokens.add_histogram(&with(&labels, kind), histogram);
            }
            durations.add_histogram(&with(&labels, ""), &operation.duration);
            for (error, histogram) in operation.failed() {
                durations.add_histogram(&with(&labels, &error), &histogram);
            }
            first_chunks.add_histogram(&labels, &operation.first_chunk);
        }
    }
    families.add(tokens);
    families.add(durations);
    families.add(first_chunks);
}

fn labels_of(target: &TargetMeter) -> [&str; 4] {
    let labels = &target.labels;
    [&*labels.api, labels.environment.as_str(), &*labels.model, &*labels.endpoint]
}
