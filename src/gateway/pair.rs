//! Pairs of a model and an endpoint, and the lists that operations balance over.

use super::endpoint::header_text;
use super::{Endpoint, Timeouts};
use crate::balance::{Pool, RetryRules, Shared, Turns};
use crate::splice::ModelToken;
use http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;

/// The pairs of an operation in one environment, and whose turn it is among them.
#[derive(Debug)]
pub struct Pairs {
    pairs: Vec<Pair>,
    /// One endpoint of each vendor and path of a URL.
    ways: Vec<Arc<Endpoint>>,
    pool: Pool,
    retry: RetryRules,
    commit: Commit,
}

/// What of a streamed response commits the gateway to it, so that no other pair is tried any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Commit {
    /// The first event.
    #[default]
    FirstByte,
    /// Its header.
    Headers,
}

impl Pairs {
    /// These pairs, which stand in the order of `pool`'s places.
    pub fn new(pairs: Vec<Pair>, pool: Pool, retry: RetryRules, commit: Commit) -> Self {
        let mut ways: Vec<Arc<Endpoint>> = Vec::new();
        let way =
            |endpoint: &Endpoint| (Arc::clone(&endpoint.vendor().name), endpoint.url().path().to_owned());
        for pair in &pairs {
            if ways.iter().all(|known| way(known) != way(&pair.endpoint)) {
                ways.push(Arc::clone(&pair.endpoint));
            }
        }
        Self { pairs, ways, pool, retry, commit }
    }

    /// The endpoints that take a path in different ways: one of each vendor and path of a URL, the first pair's first.
    pub fn ways(&self) -> &[Arc<Endpoint>] {
        &self.ways
    }

    /// When a request is tried again on another pair.
    pub fn retry(&self) -> &RetryRules {
        &self.retry
    }

    /// What of a streamed response commits the gateway to it.
    pub fn commit(&self) -> Commit {
        self.commit
    }

    /// The pair at a place of the pool.
    pub fn pair(&self, place: usize) -> Option<&Pair> {
        self.pairs.get(place)
    }

    /// The pairs in the order listed.
    pub fn iter(&self) -> impl Iterator<Item = &Pair> {
        self.pairs.iter()
    }

    /// Whose turn it is among them.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Pair> {
        self.pairs.iter_mut()
    }

    /// Shares the health of the pair at `place` with whoever has `health`.
    pub(super) fn share_health(&mut self, place: usize, health: &Arc<Shared>) {
        self.pool.share_health(place, health);
        if let Some(pair) = self.pairs.get_mut(place) {
            pair.health = Arc::clone(health);
        }
    }

    pub(super) fn take_turns(&mut self, turns: Arc<Turns>) {
        self.pool.take_turns(turns);
    }
}

/// A pair's place among all distinct pairs of a gateway: the same model on the same endpoint has one number, in whichever
/// operations it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct PairNumber(pub usize);

/// A model on an endpoint.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The model.
    pub model: Model,
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// How long the endpoint may take when it is tried for this pair.
    pub timeouts: Timeouts,
    /// `model@endpoint`, both percent-encoded, as the trail of a request shows it.
    pub label: Arc<str>,
    /// Its place among all pairs of the gateway.
    pub number: PairNumber,
    /// Whether it is in or out, shared by all operations of the AI API.
    pub health: Arc<Shared>,
}

impl Pair {
    /// `model` on `endpoint`, which shares `health` with others that are the same.
    pub fn new(model: Model, endpoint: Arc<Endpoint>, timeouts: Timeouts, health: Arc<Shared>) -> Self {
        let encoded = |name| utf8_percent_encode(name, IN_TRAILS);
        let label = format!("{}@{}", encoded(model.name()), encoded(endpoint.name()));
        Self { model, endpoint, timeouts, label: label.into(), number: PairNumber::default(), health }
    }
}

/// What is percent-encoded in the trail of a request: all but what is unreserved in a URL (RFC 3986, 2.3), and the `:`
/// and `/` of model names, which separate nothing there.
const IN_TRAILS: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'/');

/// A model's name in the forms in which it is needed.
#[derive(Debug, Clone)]
pub struct Model {
    name: Arc<str>,
    in_header: HeaderValue,
    label: HeaderValue,
    token: ModelToken,
}

/// Why a text is no model's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// It is empty.
    #[error("a model's name is not empty")]
    Empty,
    /// It is longer than 256 bytes.
    #[error("a model's name has at most 256 bytes, this one has {0}")]
    TooLong(usize),
    /// It has a control character.
    #[error("a model's name has no control characters")]
    ControlCharacter,
    /// It is, or has between slashes, what means another place in a path.
    #[error(
        "a model's name has no `.` or `..` for itself or between slashes: in a path it would lead elsewhere"
    )]
    DotSegment,
}

impl Model {
    /// The model of this name.
    ///
    /// # Errors
    /// [`ModelError`] says what is wrong with the name.
    pub fn new(name: &str) -> Result<Self, ModelError> {
        if name.is_empty() {
            return Err(ModelError::Empty);
        }
        if name.len() > 256 {
            return Err(ModelError::TooLong(name.len()));
        }
        if name.chars().any(char::is_control) {
            return Err(ModelError::ControlCharacter);
        }
        if name.split('/').any(|part| part == "." || part == "..") {
            return Err(ModelError::DotSegment);
        }
        // A header can hold all but control characters.
        let in_header = HeaderValue::from_bytes(name.as_bytes()).map_err(|_| ModelError::ControlCharacter)?;
        Ok(Self { name: name.into(), in_header, label: header_text(name), token: ModelToken::new(name) })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its name as it stands in a vendor's header.
    pub fn in_header(&self) -> &HeaderValue {
        &self.in_header
    }

    /// Its name as the value of our own headers, percent-encoded where it must be.
    pub fn label(&self) -> &HeaderValue {
        &self.label
    }

    /// Its name as it is spliced into a body.
    pub fn token(&self) -> &ModelToken {
        &self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendors_header_has_the_name_as_it_is() {
        for name in ["pm-100%", "a b/c:d", "mod\u{e8}le \u{2602}", "\u{a0}"] {
            assert_eq!(Model::new(name).unwrap().in_header().as_bytes(), name.as_bytes());
        }
        for code in (0..0x20).chain(0x7f..0xa0) {
            let name = format!("a{}", char::from(code));
            assert!(matches!(Model::new(&name), Err(ModelError::ControlCharacter)), "{name:?}");
        }
    }
}
