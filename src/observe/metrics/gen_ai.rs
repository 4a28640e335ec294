//! The metrics of OpenTelemetry's semantic conventions for generative AI, as a client of the vendors.
//!
//! Names and attributes are those of the conventions' last release in the common repository, 1.41, and of the repository
//! of their own into which they have moved since (open-telemetry/semantic-conventions-genai); all of them are in
//! development there. Dots become underscores and units a suffix, as "Prometheus and OpenMetrics Compatibility" of the
//! OpenTelemetry specification says. `gen_ai.request.model` is the pair's model, never the client's word.

use super::buckets::{DURATIONS, TOKENS};
use super::cells::Histogram;
use crate::balance::Outcome;
use once_cell::sync::OnceCell;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Who is asked for what.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientLabels {
    /// `gen_ai.provider.name`.
    pub provider: Arc<str>,
    /// `gen_ai.request.model`: the pair's; empty where there is no policy.
    pub model: Arc<str>,
    /// `server.address`: the host of the endpoint's URL.
    pub address: Arc<str>,
    /// `server.port`.
    pub port: u16,
}

/// `gen_ai.operation.name`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OperationKind {
    /// Chat completions, and OpenAI's Responses API.
    Chat,
    /// Completions of a text.
    TextCompletion,
    /// Embeddings.
    Embeddings,
    /// Gemini's generation of content.
    GenerateContent,
    /// None that the conventions have a name for.
    Other,
}

impl OperationKind {
    const ALL: [Self; 5] =
        [Self::Chat, Self::TextCompletion, Self::Embeddings, Self::GenerateContent, Self::Other];

    /// The operation that the conventions call `name`.
    pub fn named(name: Option<&str>) -> Self {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| Some(kind.as_str()) == name).unwrap_or(Self::Other)
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::TextCompletion => "text_completion",
            Self::Embeddings => "embeddings",
            Self::GenerateContent => "generate_content",
            Self::Other => "other",
        }
    }
}

/// The numbers of one vendor's model.
#[derive(Debug)]
pub struct ClientMeter {
    labels: ClientLabels,
    operations: [OnceCell<OperationMeter>; 5],
}

/// The numbers of one operation of one vendor's model.
#[derive(Debug)]
pub struct OperationMeter {
    /// How long good tries took.
    pub duration: Histogram,
    /// How long the others took, by their `error.type`. Failures are few: they wait for one another.
    failed: Mutex<BTreeMap<ErrorType, Arc<Histogram>>>,
    /// How long streams took to begin.
    pub first_chunk: Histogram,
    /// The tokens of requests.
    pub input: Histogram,
    /// The tokens of answers.
    pub output: Histogram,
}

/// `error.type`: a status from 400 to 599 or a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ErrorType {
    Status(u16),
    Word(&'static str),
}

impl ErrorType {
    fn of(outcome: Option<Outcome>) -> Option<Self> {
        Some(match outcome {
            Some(Outcome::Quota | Outcome::Status(0..400)) => return None,
            Some(Outcome::Status(status @ 400..600)) => Self::Status(status),
            Some(other) => Self::Word(other.name().unwrap_or("_OTHER")),
            None => Self::Word("abandoned"),
        })
    }
}

impl ClientMeter {
    /// The numbers of what has these labels.
    pub fn new(labels: ClientLabels) -> Self {
        Self { labels, operations: Default::default() }
    }

    /// The labels.
    pub fn labels(&self) -> &ClientLabels {
        &self.labels
    }

    /// The numbers of one operation.
    pub fn operation(&self, kind: OperationKind) -> Option<&OperationMeter> {
        let at = OperationKind::ALL.iter().position(|other| *other == kind)?;
        Some(self.operations.get(at)?.get_or_init(OperationMeter::new))
    }

    /// The operations that were met.
    pub(super) fn operations(&self) -> impl Iterator<Item = (OperationKind, &OperationMeter)> {
        let all = OperationKind::ALL.into_iter().zip(&self.operations);
        all.filter_map(|(kind, operation)| Some((kind, operation.get()?)))
    }
}

impl OperationMeter {
    fn new() -> Self {
        Self {
            duration: Histogram::new(&DURATIONS),
            failed: Mutex::default(),
            first_chunk: Histogram::new(&DURATIONS),
            input: Histogram::new(&TOKENS),
            output: Histogram::new(&TOKENS),
        }
    }

    /// Counts a try that took `duration` and came to `outcome`; `None` if the client went before there was one.
    pub fn observe(&self, outcome: Option<Outcome>, duration: Duration) {
        match ErrorType::of(outcome) {
            None => self.duration.observe_duration(duration),
            Some(kind) => {
                let new = || Arc::new(Histogram::new(&DURATIONS));
                let histogram = Arc::clone(self.failed.lock().entry(kind).or_insert_with(new));
                histogram.observe_duration(duration);
            }
        }
    }

    /// The durations of tries that failed, by their `error.type`.
    pub(super) fn failed(&self) -> Vec<(String, Arc<Histogram>)> {
        let text = |kind: &ErrorType| match kind {
            ErrorType::Status(status) => status.to_string(),
            ErrorType::Word(word) => (*word).to_owned(),
        };
        self.failed.lock().iter().map(|(kind, histogram)| (text(kind), histogram.clone())).collect()
    }
}
