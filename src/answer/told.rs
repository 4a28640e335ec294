//! What a response has told.

use super::fields::MAX_COUNTS;

/// How many tokens a response has used. What it does not say is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Those of the request, what was cached of them included.
    pub prompt: Option<u32>,
    /// Those of the answer.
    pub completion: Option<u32>,
    /// Those of the request that the vendor had in its cache.
    pub cached: Option<u32>,
    /// All: as the vendor says, or else the request's and the answer's.
    pub total: Option<u32>,
}

impl Usage {
    /// Whether nothing has been said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a response has told so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Told<'a> {
    /// The model that answers, as the vendor calls it.
    pub model: Option<&'a str>,
    /// The tokens it has used.
    pub usage: Usage,
}

/// The values at a section's paths.
#[derive(Debug, Default)]
pub(super) struct Values {
    counts: [u32; MAX_COUNTS],
    /// Which counts are there, a bit each.
    there: u32,
    /// The model, and its rank.
    model: Option<(usize, String)>,
    /// Whether the model was told by a document that has ended: it stays.
    pub(super) is_model_told: bool,
    /// Whether the document that has begun tells of a failure, if it is one.
    pub(super) may_be_error: bool,
    /// Whether a document that has ended told of one: its event says whether that counts.
    pub(super) told_of_error: bool,
    /// Whether the stream has failed.
    pub(super) is_error: bool,
}

impl Values {
    #[inline]
    pub(super) fn count(&self, number: usize) -> Option<u32> {
        let is_there = self.there & bit(number) != 0;
        self.counts.get(number).copied().filter(|_| is_there)
    }

    /// Whether one of the counts is there whose bits these are.
    #[inline]
    pub(super) fn has_any(&self, bits: u32) -> bool {
        self.there & bits != 0
    }

    /// The latest value counts.
    #[inline]
    pub(super) fn set_count(&mut self, number: usize, value: u32) {
        if let Some(count) = self.counts.get_mut(number) {
            *count = value;
            self.there |= bit(number);
        }
    }

    pub(super) fn model(&self) -> Option<&str> {
        self.model.as_ref().map(|(_, model)| model.as_str())
    }

    /// Of one rank the first counts.
    pub(super) fn offer_model(&mut self, rank: usize, name: &[u8]) {
        let is_better = self.model.as_ref().is_none_or(|(known, _)| rank < *known);
        if self.is_model_told || !is_better || name.is_empty() {
            return;
        }
        if let Ok(name) = std::str::from_utf8(name) {
            self.model = Some((rank, name.to_owned()));
        }
    }

    #[inline]
    pub(super) fn begin_document(&mut self) {
        self.may_be_error = false;
    }

    #[inline]
    pub(super) fn end_document(&mut self) {
        self.is_model_told = self.model.is_some();
        self.told_of_error |= self.may_be_error;
        self.may_be_error = false;
    }
}

/// The bit of a count's number.
pub(super) fn bit(number: usize) -> u32 {
    u32::try_from(number).ok().and_then(|number| 1u32.checked_shl(number)).unwrap_or_default()
}
