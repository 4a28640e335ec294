//! Finding what answers to a path among many, without a look at each.
//!
//! Sorted lists, searched by halves: for the few paths that most gateways have as quick as any table, and for thousands
//! not slower by much.

use super::segments::Segments;
use super::{AiApi, Operation, PathPattern};
use std::sync::Arc;

/// The operations of an AI API by their paths.
#[derive(Debug, Default)]
pub(super) struct PathIndex {
    exact: Vec<Entry>,
    /// Paths with names in braces, those that say most first. They are looked through: there are few.
    segments: Vec<(Segments, Vec<usize>)>,
    /// By their prefixes.
    below: Vec<Entry>,
    /// The length of the longest prefix.
    longest: usize,
}

/// A path, and which operations it has, as places in their list.
#[derive(Debug)]
struct Entry {
    path: Box<str>,
    places: Vec<usize>,
}

impl PathIndex {
    pub(super) fn new(operations: &[Arc<Operation>]) -> Self {
        let mut index = Self::default();
        for (place, operation) in operations.iter().enumerate() {
            let (entries, path) = match operation.path() {
                PathPattern::Exact(path) => (&mut index.exact, path),
                PathPattern::Segments(segments) => {
                    index.add_segments(segments, place);
                    continue;
                }
                PathPattern::Below(prefix) => {
                    index.longest = index.longest.max(prefix.len());
                    (&mut index.below, prefix)
                }
            };
            entries.push(Entry { path: path.as_str().into(), places: vec![place] });
        }
        for entries in [&mut index.exact, &mut index.below] {
            // Stable, so that the operations of one path stay in the order listed.
            entries.sort_by(|one, other| one.path.cmp(&other.path));
            entries.dedup_by(|later, kept| {
                let same = later.path == kept.path;
                if same {
                    kept.places.append(&mut later.places);
                }
                same
            });
        }
        index.segments.sort_by(|(one, _), (other, _)| {
            other.literal().cmp(&one.literal()).then_with(|| one.as_str().cmp(other.as_str()))
        });
        index
    }

    fn add_segments(&mut self, segments: &Segments, place: usize) {
        match self.segments.iter_mut().find(|(known, _)| known == segments) {
            Some((_, places)) => places.push(place),
            None => self.segments.push((segments.clone(), vec![place])),
        }
    }

    /// The places of the operations at `path`, the most specific first: those of the exact path, then those of paths with
    /// names in braces, then those of each prefix, the longest first. Those of one path are together, in the order listed.
    pub(super) fn at<'a, 'p>(&'a self, path: &'p str) -> impl Iterator<Item = &'a [usize]> + use<'a, 'p> {
        let below = slashes(path, self.longest).filter_map(move |slash| {
            // A prefix ends with its slash, and something comes after it.
            let prefix = path.get(..=slash).filter(|prefix| prefix.len() < path.len())?;
            find(&self.below, prefix)
        });
        let segments = self.segments.iter().filter(move |(segments, _)| segments.fits(path));
        let segments = segments.map(|(_, places)| places.as_slice());
        find(&self.exact, path).into_iter().chain(segments).chain(below)
    }
}

/// The AI APIs of a gateway by their contexts.
#[derive(Debug)]
pub(super) struct ContextIndex {
    /// Sorted by the context, with the AI API's place.
    contexts: Vec<(Box<str>, usize)>,
    /// The length of the longest context.
    longest: usize,
}

impl ContextIndex {
    pub(super) fn new(apis: &[Arc<AiApi>]) -> Self {
        let contexts = apis.iter().map(|api| api.context().as_str());
        let mut contexts: Vec<(Box<str>, usize)> = contexts.map(Box::from).zip(0..).collect();
        contexts.sort();
        let longest = contexts.iter().map(|(context, _)| context.len()).max().unwrap_or(0);
        Self { contexts, longest }
    }

    /// The place of the AI API with the longest context that `path` is at or below.
    pub(super) fn at(&self, path: &str) -> Option<usize> {
        let whole = Some(path.len()).filter(|length| *length <= self.longest);
        let mut ends = whole.into_iter().chain(slashes(path, self.longest));
        ends.find_map(|end| {
            let context = path.get(..end)?;
            let at = self.contexts.binary_search_by(|(known, _)| known.as_ref().cmp(context)).ok()?;
            self.contexts.get(at).map(|(_, place)| *place)
        })
    }
}

fn find<'a>(entries: &'a [Entry], path: &str) -> Option<&'a [usize]> {
    let at = entries.binary_search_by(|entry| entry.path.as_ref().cmp(path)).ok()?;
    entries.get(at).map(|entry| entry.places.as_slice())
}

/// The places of the slashes in the first bytes of `path`, the last first. No more bytes than the longest known path
/// has are looked at: a path of nothing but slashes is searched for no oftener than that.
fn slashes(path: &str, longest: usize) -> impl Iterator<Item = usize> {
    let bytes = path.as_bytes();
    let start = bytes.get(..=longest).unwrap_or(bytes);
    memchr::memrchr_iter(b'/', start)
}
