//! The skeleton: what of a body the JSON parser is given to decide.
//!
//! simd-json parses in place, wants a tape as long as the document, and refuses deep inside what vendors
//! accept. So it is given a copy of the keys alone, each with a stand-in for its value, but for a value whose
//! key spells `model`. It decides what the keys spell, which of them is `model`, and what the model is.
//!
//! Members are parsed in batches of bounded size, so that memory does not grow with their number.

use std::ops::Range;

use simd_json::{Buffers, INPUT_PADDING, Node, Tape, fill_tape_padded};

use super::error::{Found, LocateError};
use super::text;

const MODEL: &str = "model";
/// Members of one batch.
const BATCH_MEMBERS: usize = 256;
/// Bytes after which a batch is parsed, though it has fewer members.
const BATCH_BYTES: usize = 16 * 1024;
/// Keys longer than this are judged where they stand, not copied.
const KEY_LONGEST: usize = 1024;
/// A skeleton that grew over this, for a very long model, is not kept.
const KEPT_BYTES: usize = 64 * 1024;

/// A top-level member, in offsets of the body.
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
    fn is_copied(&self, body: &[u8]) -> bool {
        self.found == Found::String && text::spells(inside(body, &self.key), MODEL)
    }
}

/// A model that was found.
pub(super) struct Model {
    /// The first byte of its key.
    key_at: usize,
    /// Its value.
    pub(super) span: Range<usize>,
    /// Its value, decoded.
    pub(super) asked: Box<str>,
}

/// A batch of members on its way to the parser, with the parser's memory.
pub(super) struct Skeleton {
    text: Vec<u8>,
    members: Vec<Member>,
    buffers: Buffers,
    /// Empty between parses; `'static` because it then borrows nothing.
    tape: Tape<'static>,
    /// The model of the batches parsed so far.
    model: Option<Model>,
}

impl Default for Skeleton {
    fn default() -> Self {
        Self {
            text: Vec::new(),
            members: Vec::new(),
            buffers: Buffers::new(0),
            tape: Tape(Vec::new()),
            model: None,
        }
    }
}

impl Skeleton {
    /// Forgets the last body, which may have been refused half-way.
    pub(super) fn begin(&mut self) {
        self.text.clear();
        self.members.clear();
        self.model = None;
    }

    /// Adds a member of `body`, and parses the batch when that fills it.
    ///
    /// # Errors
    /// A member of the batch is refused, or its model is the second one or no string.
    pub(super) fn add(&mut self, body: &[u8], member: Member) -> Result<(), LocateError> {
        let key = body.get(member.key.clone()).unwrap_or_default();
        self.text.push(if self.members.is_empty() { b'{' } else { b',' });
        if key.len() > KEY_LONGEST {
            text::judge_decodable(inside(body, &member.key), member.key.start + 1)?;
            self.text.extend_from_slice(b"\"\"");
        } else {
            self.text.extend_from_slice(key);
        }
        self.text.push(b':');
        if member.is_copied(body) {
            self.text.extend_from_slice(body.get(member.value.clone()).unwrap_or_default());
        } else {
            self.text.push(b'0');
        }
        self.members.push(member);
        if self.members.len() >= BATCH_MEMBERS || self.text.len() >= BATCH_BYTES {
            self.parse(body)?;
        }
        Ok(())
    }

    /// Parses what is left of the body's members and gives up its model.
    ///
    /// # Errors
    /// As of [`Skeleton::add`].
    pub(super) fn finish(&mut self, body: &[u8]) -> Result<Option<Model>, LocateError> {
        if !self.members.is_empty() {
            self.parse(body)?;
        }
        Ok(self.model.take())
    }

    /// The memory kept may be more than the next body needs.
    pub(super) fn is_oversized(&self) -> bool {
        self.text.capacity() > KEPT_BYTES
    }

    fn parse(&mut self, body: &[u8]) -> Result<(), LocateError> {
        self.text.push(b'}');
        let len = self.text.len();
        self.text.resize(len + INPUT_PADDING, b' ');
        let mut tape = std::mem::replace(&mut self.tape, Tape(Vec::new())).reset();
        let parsed = match fill_tape_padded(&mut self.text, len, &mut self.buffers, &mut tape) {
            Ok(()) => find_model(&tape.0, &self.members, &mut self.model),
            Err(_) => Err(refusal(body, &self.members)),
        };
        self.tape = tape.reset();
        self.text.clear();
        self.members.clear();
        parsed
    }
}

/// Looks for the model among the members that `nodes` is the tape of.
fn find_model(nodes: &[Node<'_>], members: &[Member], model: &mut Option<Model>) -> Result<(), LocateError> {
    // The first node is the object's; then come a key and a value for each member, every value being a single
    // node.
    let pairs = nodes.get(1..).unwrap_or_default().chunks_exact(2);
    for (pair, member) in pairs.zip(members) {
        let [Node::String(MODEL), value] = pair else { continue };
        if let Some(first) = model {
            return Err(LocateError::ModelTwice { first: first.key_at, second: member.key.start });
        }
        let Node::String(asked) = value else {
            return Err(LocateError::ModelNotString { found: member.found, at: member.value.start });
        };
        *model =
            Some(Model { key_at: member.key.start, span: member.value.clone(), asked: Box::from(*asked) });
    }
    Ok(())
}

/// Why the parser refused a batch: it does not say where, so the members are judged again one by one.
fn refusal(body: &[u8], members: &[Member]) -> LocateError {
    for member in members {
        let mut copied = vec![&member.key];
        if member.is_copied(body) {
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
