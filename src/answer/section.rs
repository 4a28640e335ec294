//! One section's paths, as a tree of keys that a reader goes down.

use super::fields::{ErrorEvents, Lists, MAX_COUNTS, MAX_DEPTH, MAX_KEY, PathError, Reason};
use super::needles::Needles;
use super::told::{Usage, Values, bit};

/// An index into a tree's nodes.
pub(super) type NodeId = u16;

/// The node at which every document begins.
pub(super) const ROOT: NodeId = 0;

/// The paths of one section.
#[derive(Debug, Clone, Default)]
pub(super) struct Section {
    nodes: Vec<Node>,
    /// Values of `type` that say that the stream has failed.
    types: Vec<Box<[u8]>>,
    prompt: Vec<Sum>,
    completion: Vec<Sum>,
    cached: Vec<Sum>,
    total: Vec<Sum>,
    /// What must stand in text that has one of the values.
    pub(super) needles: Needles,
}

/// Counts that are added up.
#[derive(Debug, Clone, Default)]
struct Sum {
    numbers: Vec<usize>,
    /// The same, a bit each: which alternative is there is asked several times a response.
    bits: u32,
}

/// What is wanted of the value that some keys lead to.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    /// The keys that go on from here.
    keys: Vec<(Box<[u8]>, NodeId)>,
    /// It is a count, of this number.
    pub(super) count: Option<usize>,
    /// It is the model, if no one of a lower rank is there.
    pub(super) model: Option<usize>,
    /// The stream has failed if it is not null.
    pub(super) is_error: bool,
    /// The stream has failed if it is one of the section's types.
    pub(super) is_type: bool,
}

impl Node {
    /// The node that `key` leads to.
    #[inline]
    pub(super) fn child(&self, key: &[u8]) -> Option<NodeId> {
        self.keys.iter().find(|(known, _)| **known == *key).map(|(_, node)| *node)
    }

    pub(super) fn has_children(&self) -> bool {
        !self.keys.is_empty()
    }

    pub(super) fn wants_text(&self) -> bool {
        self.model.is_some() || self.is_type
    }
}

/// Builds a section, whose name errors tell.
struct Builder {
    name: &'static str,
    section: Section,
    counts: Vec<NodeId>,
}

impl Section {
    pub(super) fn new(name: &'static str, lists: &Lists, errors: &ErrorEvents) -> Result<Self, PathError> {
        let section = Self { nodes: vec![Node::default()], ..Self::default() };
        let mut builder = Builder { name, section, counts: Vec::new() };
        for (rank, path) in lists.model.iter().enumerate() {
            builder.model(rank, path)?;
        }
        let prompt = builder.sums("prompt_tokens", &lists.prompt_tokens)?;
        let completion = builder.sums("completion_tokens", &lists.completion_tokens)?;
        let cached = builder.sums("cached_tokens", &lists.cached_tokens)?;
        let total = builder.sums("total_tokens", &lists.total_tokens)?;
        for member in &errors.members {
            let node = builder.follow("errors.members", member, [member.as_str()])?;
            builder.with(node, |node| node.is_error = true);
        }
        if !errors.types.is_empty() {
            let node = builder.follow("errors.types", "type", ["type"])?;
            builder.with(node, |node| node.is_type = true);
        }
        let types = errors.types.iter().map(|name| name.as_bytes().into()).collect();
        let needles = Needles::new(lists, errors);
        Ok(Self { types, prompt, completion, cached, total, needles, ..builder.section })
    }

    pub(super) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(usize::from(id))
    }

    pub(super) fn is_error_type(&self, text: &[u8]) -> bool {
        self.types.iter().any(|known| **known == *text)
    }

    /// What `values` come to.
    pub(super) fn usage(&self, values: &Values) -> Usage {
        let prompt = first(&self.prompt, values);
        let completion = first(&self.completion, values);
        let both = || prompt.zip(completion).and_then(|(prompt, completion)| prompt.checked_add(completion));
        let total = first(&self.total, values).or_else(both);
        Usage { prompt, completion, cached: first(&self.cached, values), total }
    }
}

/// The first of `sums` that is there.
fn first(sums: &[Sum], values: &Values) -> Option<u32> {
    let there = sums.iter().find(|sum| values.has_any(sum.bits))?;
    there.numbers.iter().filter_map(|number| values.count(*number)).try_fold(0u32, u32::checked_add)
}

impl Builder {
    fn model(&mut self, rank: usize, path: &str) -> Result<(), PathError> {
        if path.contains('+') {
            return Err(self.error("model", path, Reason::Sum));
        }
        let node = self.follow("model", path, path.split('.'))?;
        self.with(node, |node| {
            node.model.get_or_insert(rank);
        });
        Ok(())
    }

    fn sums(&mut self, field: &'static str, alternatives: &[String]) -> Result<Vec<Sum>, PathError> {
        let mut sum = |text: &String| {
            let numbers: Result<Vec<_>, _> = text.split('+').map(|path| self.count(field, path)).collect();
            let numbers = numbers?;
            let bits = numbers.iter().fold(0, |bits, number| bits | bit(*number));
            Ok(Sum { numbers, bits })
        };
        alternatives.iter().map(&mut sum).collect()
    }

    /// The number of the count at `path`.
    fn count(&mut self, field: &'static str, path: &str) -> Result<usize, PathError> {
        let path = path.trim();
        let id = self.follow(field, path, path.split('.'))?;
        if let Some(number) = self.counts.iter().position(|known| *known == id) {
            return Ok(number);
        }
        let number = self.counts.len();
        if number == MAX_COUNTS {
            return Err(self.error(field, path, Reason::TooMany));
        }
        self.counts.push(id);
        self.with(id, |node| node.count = Some(number));
        Ok(number)
    }

    /// The node at the end of `keys`.
    fn follow<'a>(
        &mut self,
        field: &'static str,
        path: &str,
        keys: impl IntoIterator<Item = &'a str>,
    ) -> Result<NodeId, PathError> {
        let mut at = ROOT;
        for (depth, key) in keys.into_iter().enumerate() {
            let key = key.trim();
            check(key, depth).map_err(|reason| self.error(field, path, reason))?;
            let known = self.section.node(at).and_then(|node| node.child(key.as_bytes()));
            at = match known {
                Some(node) => node,
                None => self.add(at, key).ok_or_else(|| self.error(field, path, Reason::TooMany))?,
            };
        }
        Ok(at)
    }

    fn add(&mut self, parent: NodeId, key: &str) -> Option<NodeId> {
        let node = NodeId::try_from(self.section.nodes.len()).ok()?;
        self.section.nodes.push(Node::default());
        self.with(parent, |parent| parent.keys.push((key.as_bytes().into(), node)));
        Some(node)
    }

    fn with(&mut self, id: NodeId, change: impl FnOnce(&mut Node)) {
        if let Some(node) = self.section.nodes.get_mut(usize::from(id)) {
            change(node);
        }
    }

    fn error(&self, field: &'static str, path: &str, reason: Reason) -> PathError {
        PathError { section: self.name, field, path: path.to_owned(), reason }
    }
}

fn check(key: &str, depth: usize) -> Result<(), Reason> {
    match key {
        _ if depth >= MAX_DEPTH => Err(Reason::TooDeep),
        "" => Err(Reason::EmptyKey),
        _ if key.len() > MAX_KEY => Err(Reason::LongKey),
        _ if key.contains(|c: char| c.is_control() || c == '"' || c == '\\') => Err(Reason::Escaped),
        _ => Ok(()),
    }
}
