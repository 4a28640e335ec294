//! Values, and what of them is wanted.

use super::super::section::{Node, Section};
use super::super::token::{MAX_NUMBER, count, ends_escaped, is_scalar, is_space, string_end};
use super::super::told::Values;
use super::{Reader, State};

/// The longest text that is kept, in bytes.
const MAX_TEXT: usize = 256;

impl Reader {
    #[inline]
    pub(super) fn value(&mut self, byte: u8, rest: &[u8], section: &Section, values: &mut Values) -> usize {
        let node = self.target.and_then(|target| section.node(target));
        if is_space(byte) {
            return 1;
        }
        if node.is_some_and(|node| node.is_error) && byte != b'n' {
            values.may_be_error = true;
        }
        match byte {
            b'"' => {
                self.state = State::Text { is_escaped: false };
                return match rest {
                    [_] => 1,
                    _ => 1 + self.text(false, rest.get(1..).unwrap_or_default(), section, values),
                };
            }
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

    #[inline]
    pub(super) fn text(
        &mut self,
        is_escaped: bool,
        rest: &[u8],
        section: &Section,
        values: &mut Values,
    ) -> usize {
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
    pub(super) fn scalar(&mut self, rest: &[u8], section: &Section, values: &mut Values) -> usize {
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
