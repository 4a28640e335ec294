//! The skeleton: what of a body the JSON parser is given to decide.
//!
//! simd-json parses in place, wants a tape as long as the document, and refuses deep inside what vendors
//! accept. So it is given a copy of the keys alone, each with a stand-in for its value, but for a value whose
//! key spells the model's name. It decides what the keys spell, which of them is that name, and what the model is.
//!
//! Members are parsed in batches of bounded size, so that memory does not grow with their number.

use std::ops::Range;

use simd_json::{Buffers, INPUT_PADDING, Node, Tape, fill_tape_padded};

use super::error::{Found, LocateError};
use super::path::Level;
use super::text;

/// Members of one batch.
const BATCH_MEMBERS: usize = 256;
/// Bytes after which a batch is parsed, though it has fewer members.
const BATCH_BYTES: usize = 16 * 1024;
/// Keys longer than this are judged where they stand, not copied.
const KEY_LONGEST: usize = 1024;
/// A skeleton that grew over this, for a very long model, is not kept.
const KEPT_BYTES: usize = 64 * 1024;

/// A member, in offsets of the body.
pub(super) struct Member {
    /// The key's string token.
    pub(super) key: Range<usize>,
    /// The value.
    pub(super) value: Range<usize>,
    /// The value's kind.
    pub(super) found: Found,
}

impl Member {
    /// The value goes into the skeleton: it is the model, and a string.
    fn is_copied(&self, body: &[u8], level: Level<'_>) -> bool {
        self.found == Found::String && level.is_model && text::spells(inside(body, &self.key), level.name)
    }
}

/// What was looked for: the model, or the object or array that it stands in.
pub(super) struct Wanted {
    /// The first byte of its key.
    key_at: usize,
    /// Its value.
    pub(super) span: Range<usize>,
    /// The model, decoded; nothing of an object or array.
    pub(super) asked: Box<str>,
}

/// A batch of members on its way to the parser, with the parser's memory.
pub(super) struct Skeleton {
    text: Vec<u8>,
    members: Vec<Member>,
    buffers: Buffers,
    /// Empty between parses; `'static` because it then borrows nothing.
    tape: Tape<'static>,
    /// What was found in the batches parsed so far.
    wanted: Option<Wanted>,
}

impl Default for Skeleton {
    fn default() -> Self {
        Self {
            text: Vec::new(),
            members: Vec::new(),
            buffers: Buffers::new(0),
            tape: Tape(Vec::new()),
            wanted: None,
        }
    }
}

impl Skeleton {
    /// Forgets the last object, which may have been refused half-way.
    pub(super) fn begin(&mut self) {
        self.text.clear();
        self.members.clear();
        self.wanted = None;
    }

    /// Adds a member of `body`, and parses the batch when that fills it.
    ///
    /// # Errors
    /// A member of the batch is refused, or what is looked for is there twice or of another kind.
    pub(super) fn add(&mut self, body: &[u8], member: Member, level: Level<'_>) -> Result<(), LocateError> {
        let key = body.get(member.key.clone()).unwrap_or_default();
        self.text.push(if self.members.is_empty() { b'{' } else { b',' });
        if key.len() > KEY_LONGEST {
            text::judge_decodable(inside(body, &member.key), member.key.start + 1)?;
            self.text.extend_from_slice(b"\"\"");
        } else {
            self.text.extend_from_slice(key);
        }
        self.text.push(b':');
        if member.is_copied(body, level) {
            self.text.extend_from_slice(body.get(member.value.clone()).unwrap_or_default());
        } else {
            self.text.push(b'0');
        }
        self.members.push(member);
        if self.members.len() >= BATCH_MEMBERS || self.text.len() >= BATCH_BYTES {
            self.parse(body, level)?;
        }
        Ok(())
    }

    /// Parses what is left of the object's members and gives up the one looked for.
    ///
    /// # Errors
    /// As of [`Skeleton::add`].
    pub(super) fn finish(&mut self, body: &[u8], level: Level<'_>) -> Result<Option<Wanted>, LocateError> {
        if !self.members.is_empty() {
            self.parse(body, level)?;
        }
        Ok(self.wanted.take())
    }

    /// The memory kept may be more than the next body needs.
    pub(super) fn is_oversized(&self) -> bool {
        self.text.capacity() > KEPT_BYTES
    }

    fn parse(&mut self, body: &[u8], level: Level<'_>) -> Result<(), LocateError> {
        self.text.push(b'}');
        let len = self.text.len();
        self.text.resize(len + INPUT_PADDING, b' ');
        let mut tape = std::mem::replace(&mut self.tape, Tape(Vec::new())).reset();
        let parsed = match fill_tape_padded(&mut self.text, len, &mut self.buffers, &mut tape) {
            Ok(()) => find(&tape.0, &self.members, level, &mut self.wanted),
            Err(_) => Err(refusal(body, &self.members, level)),
        };
        self.tape = tape.reset();
        self.text.clear();
        self.members.clear();
        parsed
    }
}

/// Looks for the member of `level` among those that `nodes` is the tape of.
fn find(
    nodes: &[Node<'_>],
    members: &[Member],
    level: Level<'_>,
    wanted: &mut Option<Wanted>,
) -> Result<(), LocateError> {
    // The first node is the object's; then come a key and a value for each member, every value being a single
    // node.
    let pairs = nodes.get(1..).unwrap_or_default().chunks_exact(2);
    for (pair, member) in pairs.zip(members) {
        let [Node::String(key), value] = pair else { continue };
        if *key != level.name {
            continue;
        }
        if let Some(first) = wanted {
            return Err(level.twice(first.key_at, member.key.start));
        }
        let asked = match value {
            Node::String(asked) => Box::from(*asked),
            _ if level.holds_model(member.found) => Box::default(),
            _ => return Err(level.of_other_kind(member.found, member.value.start)),
        };
        *wanted = Some(Wanted { key_at: member.key.start, span: member.value.clone(), asked });
    }
    Ok(())
}

/// Why the parser refused a batch: it does not say where, so the members are judged again one by one.
fn refusal(body: &[u8], members: &[Member], level: Level<'_>) -> LocateError {
    for member in members {
        let mut copied = vec![&member.key];
        if member.is_copied(body, level) {
            copied.push(&member.value);
        }
        for token in copied {
            if let Err(error) = text::judge_decodable(inside(body, token), token.start + 1) {
                return error;
            }
        }
    }
    LocateError::Malformed { at: members.first().map_or(0, |member| member.key.start) }
}

/// What stands between the quotes of a string token.
fn inside<'body>(body: &'body [u8], token: &Range<usize>) -> &'body [u8] {
    body.get(token.start + 1..token.end.saturating_sub(1)).unwrap_or_default()
}
