//! Reading the values at some paths of JSON documents, at whatever places they are cut into chunks.
//!
//! Only what leads to a wanted value is followed; everything else is passed over, brackets counted and strings skipped. The
//! grammar is that of the client to judge: what is refused here is what leaves no sense in going on. Keys are compared byte
//! by byte, so that one that is written with escapes is not found. Documents may follow each other, and a top-level array
//! is a sequence of them.

use super::fields::{MAX_DEPTH, MAX_KEY};
use super::nested::Nested;
use super::section::{Node, NodeId, ROOT, Section};
use super::token::{MAX_NUMBER, count, ends_escaped, is_scalar, is_space, string_end};
use super::told::Values;

/// The longest text that is kept, in bytes.
const MAX_TEXT: usize = 256;

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
                State::Value => self.value(byte, section, values),
                State::Text { is_escaped } => self.text(is_escaped, rest, section, values),
                State::Scalar => self.scalar(rest, section, values),
                State::Nested => match self.nested.skip(rest) {
                    Ok(end) => {
                        self.state = if end.is_some() { State::After } else { State::Nested };
                        end.unwrap_or(rest.len())
                    }
                    Err(()) => self.fail(),
                },
                State::After => self.after(byte, values),
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
            b']' if self.in_array => self.in_array = false,
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

    #[inline]
    fn value(&mut self, byte: u8, section: &Section, values: &mut Values) -> usize {
        let node = self.target.and_then(|target| section.node(target));
        if is_space(byte) {
            return 1;
        }
        if node.is_some_and(|node| node.is_error) && byte != b'n' {
            values.may_be_error = true;
        }
        match byte {
            b'"' => self.state = State::Text { is_escaped: false },
            b'{' => match self.target.filter(|_| node.is_some_and(Node::has_children)) {
                Some(target) => self.open(target),
                None => return self.begin_nested(),
            },
            b'[' => return self.begin_nested(),
            _ if is_scalar(byte) => {
                self.state = State::Scalar;
                return 0;
            }
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
    fn text(&mut self, is_escaped: bool, rest: &[u8], section: &Section, values: &mut Values) -> usize {
        let end = string_end(is_escaped, rest);
        let wanted = self.target.and_then(|target| section.node(target)).filter(|node| node.wants_text());
        let Some(node) = wanted else {
            match end {
                Some(_) => self.end_value(),
                None => self.state = State::Text { is_escaped: ends_escaped(is_escaped, rest) },
            }
            return end.map_or(rest.len(), |end| end + 1);
        };
        self.keep(rest.get(..end.unwrap_or(rest.len())).unwrap_or_default(), MAX_TEXT);
        let Some(end) = end else {
            self.state = State::Text { is_escaped: ends_escaped(is_escaped, rest) };
            return rest.len();
        };
        if self.cut.len() <= MAX_TEXT {
            take_text(node, &self.cut, section, values);
        }
        self.cut.clear();
        self.end_value();
        end + 1
    }

    #[inline]
    fn scalar(&mut self, rest: &[u8], section: &Section, values: &mut Values) -> usize {
        let end = rest.iter().position(|byte| !is_scalar(*byte));
        let part = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let number = self.target.and_then(|target| section.node(target)).and_then(|node| node.count);
        if number.is_some() && (end.is_none() || !self.cut.is_empty()) {
            self.keep(part, MAX_NUMBER);
        }
        if end.is_none() {
            return rest.len();
        }
        if let Some(number) = number {
            let digits = if self.cut.is_empty() { part } else { &self.cut };
            if let Some(value) = count(digits) {
                values.set_count(number, value);
            }
            self.cut.clear();
        }
        self.end_value();
        part.len()
    }

    #[inline]
    fn after(&mut self, byte: u8, values: &mut Values) -> usize {
        match (byte, self.depth) {
            (b',', 0) => self.state = State::Start,
            (b']', 0) => {
                self.in_array = false;
                self.state = State::Start;
            }
            (b',', _) => self.state = State::Member,
            (b'}', 1..) => self.close(values),
            _ if is_space(byte) => {}
            _ => return self.fail(),
        }
        1
    }
}

/// Takes in a text that is wanted, as it stands between its quotes.
fn take_text(node: &Node, text: &[u8], section: &Section, values: &mut Values) {
    if text.contains(&b'\\') {
        let spelt = serde_json::from_slice::<String>(&[b"\"", text, b"\""].concat());
        return spelt.into_iter().for_each(|text| take_spelt(node, text.as_bytes(), section, values));
    }
    take_spelt(node, text, section, values);
}

/// Takes in a text as it is meant.
fn take_spelt(node: &Node, text: &[u8], section: &Section, values: &mut Values) {
    if let Some(rank) = node.model {
        values.offer_model(rank, text);
    }
    if node.is_type && section.is_error_type(text) {
        values.may_be_error = true;
    }
}
