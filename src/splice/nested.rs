//! Nested values: only where they end.

use super::error::{Expected, Found, LocateError};
use super::text;

/// Bytes looked at together where no string and no bracket stands, as in an array of numbers.
const STRIDE: usize = 32;

/// The open brackets of a nested value, a bit each: depth is bounded by the body alone, and a million levels
/// are 125 kB.
#[derive(Default)]
pub(super) struct Brackets {
    depth: usize,
    /// The kinds of the innermost brackets, up to 64; the last opened is the lowest bit, 1 for an array.
    inner: u64,
    /// The kinds of all others, in full words.
    outer: Vec<u64>,
}

impl Brackets {
    fn clear(&mut self) {
        self.depth = 0;
        self.outer.clear();
    }

    /// The memory kept, in bytes.
    pub(super) fn capacity(&self) -> usize {
        self.outer.capacity() * size_of::<u64>()
    }

    fn open(&mut self, bracket: u8) {
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.outer.push(self.inner);
        }
        self.inner = self.inner << 1 | u64::from(bracket == b'[');
        self.depth += 1;
    }

    /// Closes the innermost bracket if `bracket` is its mate; says else what would be.
    fn close(&mut self, bracket: u8) -> Result<(), Expected> {
        let is_array = self.inner & 1 == 1;
        if is_array != (bracket == b']') {
            return Err(if is_array { Expected::ArrayEnd } else { Expected::ObjectEnd });
        }
        self.depth -= 1;
        self.inner >>= 1;
        if self.depth.is_multiple_of(64) {
            self.inner = self.outer.pop().unwrap_or_default();
        }
        Ok(())
    }
}

/// The offset after the array or object whose opening bracket is at `start`.
///
/// Strings are passed over whole, brackets are matched by kind, and nothing else is looked at.
///
/// # Errors
/// A string or a bracket that does not close, or a closing bracket of the other kind.
pub(super) fn skip(body: &[u8], start: usize, brackets: &mut Brackets) -> Result<usize, LocateError> {
    brackets.clear();
    let mut at = start;
    loop {
        let rest = body.get(at..).unwrap_or_default();
        let Some((skipped, found)) = quote_or_bracket(rest) else {
            let what = Found::at_start_of(body.get(start..).unwrap_or_default());
            return Err(LocateError::Unclosed { what, at: start });
        };
        at += skipped;
        match found {
            b'"' => {
                at = text::close_nested(body, at)?;
                continue;
            }
            b'{' | b'[' => brackets.open(found),
            _ => brackets.close(found).map_err(|expected| LocateError::Unexpected { expected, at })?,
        }
        at += 1;
        if brackets.depth == 0 {
            return Ok(at);
        }
    }
}

/// How many bytes stand before the first quote or bracket, and which it is.
#[inline]
fn quote_or_bracket(bytes: &[u8]) -> Option<(usize, u8)> {
    // Where marks are near each other the short way finds the next; where they are not, strides do.
    let (near, far) = bytes.split_at_checked(STRIDE / 2).unwrap_or((bytes, &[]));
    if let Some(found) = first_mark(near) {
        return Some(found);
    }
    let (strides, rest) = far.as_chunks::<STRIDE>();
    let mut skipped = near.len();
    for stride in strides {
        // No early end inside a stride, so that it becomes vector code.
        let marks = stride.iter().fold(0, |marks, &byte| marks | u8::from(is_mark(byte)));
        if marks != 0 {
            return first_mark(stride).map(|(offset, found)| (skipped + offset, found));
        }
        skipped += STRIDE;
    }
    first_mark(rest).map(|(offset, found)| (skipped + offset, found))
}

#[inline]
fn first_mark(bytes: &[u8]) -> Option<(usize, u8)> {
    bytes.iter().copied().enumerate().find(|(_, byte)| is_mark(*byte))
}

#[inline]
fn is_mark(byte: u8) -> bool {
    // The bit 0x20 is all that tells '[' from '{' and ']' from '}'.
    byte == b'"' || byte | 0x20 == b'{' || byte | 0x20 == b'}'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(body: &str) -> Result<usize, LocateError> {
        skip(body.as_bytes(), 0, &mut Brackets::default())
    }

    #[test]
    fn the_marks_are_these_five() {
        let marks: Vec<u8> = (0..=255).filter(|byte| is_mark(*byte)).collect();
        assert_eq!(marks, b"\"[]{}");
    }

    #[test]
    fn a_value_ends_with_its_bracket() {
        let numbers = format!("[{}]", "12345,".repeat(1000));
        for body in [
            "[]",
            "{}",
            "[{}]",
            r#"{"a":"}"}"#,
            r#"["\"]"]"#,
            "[tru,01,\u{1},,]",
            "[ { } , [ [ ] ] ]",
            &numbers,
        ] {
            assert_eq!(end(body), Ok(body.len()), "{body}");
            assert_eq!(end(&format!("{body} ]}}\"")), Ok(body.len()), "{body}");
        }
    }

    #[test]
    fn brackets_match_by_kind_at_every_depth() {
        for depth in [1, 2, 63, 64, 65, 127, 128, 129, 1000] {
            // Kinds in a pattern that no word repeats.
            let kinds: Vec<bool> = (0..depth).map(|level| level % 3 == 0 || level % 7 == 2).collect();
            let opened: String = kinds.iter().map(|array| if *array { '[' } else { '{' }).collect();
            let closed: String = kinds.iter().rev().map(|array| if *array { ']' } else { '}' }).collect();
            let body = opened.clone() + &closed;
            assert_eq!(end(&body), Ok(2 * depth), "{depth}");
            for wrong in 0..depth {
                let mut bent: Vec<u8> = body.clone().into_bytes();
                bent[depth + wrong] ^= b'[' ^ b'{';
                let refused = skip(&bent, 0, &mut Brackets::default());
                assert!(
                    matches!(refused, Err(LocateError::Unexpected { at, .. }) if at == depth + wrong),
                    "{depth} {wrong}"
                );
            }
        }
    }

    #[test]
    fn what_does_not_close_is_refused() {
        let unclosed = |what, at| Err(LocateError::Unclosed { what, at });
        assert_eq!(end("["), unclosed(Found::Array, 0));
        assert_eq!(end("[[]"), unclosed(Found::Array, 0));
        assert_eq!(end(&format!("{{{}", " ".repeat(100))), unclosed(Found::Object, 0));
        assert_eq!(end(r#"["a]"#), unclosed(Found::String, 1));
        assert_eq!(end("[}"), Err(LocateError::Unexpected { expected: Expected::ArrayEnd, at: 1 }));
        assert_eq!(end("[{]"), Err(LocateError::Unexpected { expected: Expected::ObjectEnd, at: 2 }));
    }
}
