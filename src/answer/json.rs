//! Reading the values at some paths of JSON documents, at whatever places they are cut into chunks.
//!
//! Only what leads to a wanted value is followed; everything else is passed over, brackets counted and strings skipped. The
//! grammar is that of the client to judge: what is refused here is what leaves no sense in going on. Keys are compared byte
//! by byte, so that one that is written with escapes is not found. Documents may follow each other, and a top-level array
//! is a sequence of them.

mod value;

use super::fields::{MAX_DEPTH, MAX_KEY};
use super::nested::Nested;
use super::section::{NodeId, ROOT, Section};
use super::token::{ends_escaped, is_scalar, is_space, string_end};
use super::told::Values;

/// Where a reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a document.
    Start,
    /// Before a key, or an object's end.
    Member,
    /// In a key.
    Key { is_escaped: bool },
    /// After a key.
    Colon,
    /// Before a value.
    Value,
    /// In a string.
    Text { is_escaped: bool },
    /// In a number, or a word.
    Scalar,
    /// In an array or object that is not followed.
    Nested,
    /// After a value.
    After,
    /// It makes no sense any more.
    Broken,
}

/// Reads documents.
#[derive(Debug)]
pub(super) struct Reader {
    state: State,
    /// The objects that are being followed.
    path: [NodeId; MAX_DEPTH],
    depth: usize,
    /// What the value at hand is, if anything is wanted of it.
    target: Option<NodeId>,
    /// Whether the documents are the elements of an array.
    in_array: bool,
    /// Whether a document, or an element of an array, has been whole.
    pub(super) has_passed: bool,
    nested: Nested,
    /// A key, a text or a number that was cut, as far as it has come.
    cut: Vec<u8>,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            state: State::Start,
            path: [ROOT; MAX_DEPTH],
            depth: 0,
            target: None,
            in_array: false,
            has_passed: false,
            nested: Nested::default(),
            cut: Vec::new(),
        }
    }
}

impl Reader {
    /// Goes back to the beginning.
    pub(super) fn restart(&mut self) {
        self.state = State::Start;
        self.depth = 0;
        self.in_array = false;
        self.cut.clear();
    }

    /// Whether no document, and no array of them, has begun and not ended. Only what follows a number ends it.
    pub(super) fn is_between(&self) -> bool {
        let is_at_top = self.depth == 0 && !self.in_array;
        is_at_top && matches!(self.state, State::Start | State::Scalar)
    }

    pub(super) fn is_broken(&self) -> bool {
        self.state == State::Broken
    }

    /// How many bytes are kept.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.cut.capacity()
    }

    /// Reads the next chunk, and puts into `values` what `section` wants of it.
    pub(super) fn feed(&mut self, chunk: &[u8], section: &Section, values: &mut Values) {
        let mut rest = chunk;
        while let Some(&byte) = rest.first() {
            let read = match self.state {
                State::Start => self.start(byte, values),
                State::Member => self.member(byte, values),
                State::Key { is_escaped } => self.key(is_escaped, rest, section),
                State::Colon => self.colon(byte),
                State::Value => self.value(byte, rest, section, values),
                State::Text { is_escaped } => self.text(is_escaped, rest, section, values),
                State::Scalar => self.scalar(rest, section, values),
                State::Nested => match self.nested.skip(rest) {
                    Ok(end) => {
                        self.state = if end.is_some() { State::After } else { State::Nested };
                        end.unwrap_or(rest.len())
                    }
                    Err(()) => self.fail(),
                },
                State::After => self.after(byte, rest, values),
                State::Broken => return,
            };
            rest = rest.get(read..).unwrap_or_default();
        }
    }

    #[cold]
    fn fail(&mut self) -> usize {
        self.state = State::Broken;
        0
    }

    fn start(&mut self, byte: u8, values: &mut Values) -> usize {
        self.target = None;
        match byte {
            b'{' => {
                values.begin_document();
                self.open(ROOT);
            }
            b'[' if !self.in_array => self.in_array = true,
            b']' if self.in_array => {
                self.in_array = false;
                self.has_passed = true;
            }
            b'[' => return self.begin_nested(),
            b'"' => self.state = State::Text { is_escaped: false },
            _ if is_space(byte) => {}
            _ if is_scalar(byte) => {
                self.state = State::Scalar;
                return 0;
            }
            _ => return self.fail(),
        }
        1
    }

    fn open(&mut self, node: NodeId) {
        // Paths are no deeper.
        if let Some(place) = self.path.get_mut(self.depth) {
            *place = node;
            self.depth += 1;
        }
        self.state = State::Member;
    }

    fn close(&mut self, values: &mut Values) {
        self.depth = self.depth.saturating_sub(1);
        self.state = State::After;
        if self.depth == 0 {
            values.end_document();
            self.has_passed = true;
            self.end_value();
        }
    }

    /// After a value at the top comes another document, if it is no element.
    fn end_value(&mut self) {
        self.state = if self.depth == 0 && !self.in_array { State::Start } else { State::After };
    }

    fn member(&mut self, byte: u8, values: &mut Values) -> usize {
        match byte {
            b'"' => self.state = State::Key { is_escaped: false },
            b'}' => self.close(values),
            _ if is_space(byte) => {}
            _ => return self.fail(),
        }
        1
    }

    #[inline]
    fn key(&mut self, is_escaped: bool, rest: &[u8], section: &Section) -> usize {
        let Some(end) = string_end(is_escaped, rest) else {
            self.keep(rest, MAX_KEY);
            self.state = State::Key { is_escaped: ends_escaped(is_escaped, rest) };
            return rest.len();
        };
        let key = rest.get(..end).unwrap_or_default();
        let node = self.path.get(self.depth.wrapping_sub(1)).and_then(|at| section.node(*at));
        self.target = if self.cut.is_empty() {
            node.and_then(|node| node.child(key))
        } else {
            self.keep(key, MAX_KEY);
            let found = node.and_then(|node| node.child(&self.cut));
            self.cut.clear();
            found
        };
        self.state = State::Colon;
        // What nearly always follows.
        match rest.get(end + 1) {
            Some(b':') => {
                self.state = State::Value;
                end + 2
            }
            _ => end + 1,
        }
    }

    /// Keeps what has come, up to one byte more than `limit`: then it is not what is wanted.
    fn keep(&mut self, part: &[u8], limit: usize) {
        let room = (limit + 1).saturating_sub(self.cut.len());
        self.cut.extend_from_slice(part.get(..room).unwrap_or(part));
    }

    fn colon(&mut self, byte: u8) -> usize {
        match byte {
            b':' => self.state = State::Value,
            _ if is_space(byte) => {}
            _ => return self.fail(),
        }
        1
    }

    /// The bracket is read with the rest.
    fn begin_nested(&mut self) -> usize {
        self.nested = Nested::default();
        self.state = State::Nested;
        0
    }

    #[inline]
    fn after(&mut self, byte: u8, rest: &[u8], values: &mut Values) -> usize {
        match (byte, self.depth) {
            (b',' | b']', 0) => {
                self.in_array = byte == b',';
                self.has_passed = true;
                self.state = State::Start;
            }
            (b',', _) => {
                // What nearly always follows.
                if let [_, b'"', ..] = rest {
                    self.state = State::Key { is_escaped: false };
                    return 2;
                }
                self.state = State::Member;
            }
            (b'}', 1..) => self.close(values),
            _ if is_space(byte) => {}
            _ => return self.fail(),
        }
        1
    }
}
