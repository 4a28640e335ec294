//! Nested values: only where they end.

use memchr::memchr2;

use super::error::{Expected, Found, LocateError};
use super::text;
use crate::blocks::{BLOCK, LONG, Marks, Strings, first_block, is_mark, plain_strides};

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
    let mut strings = Strings::default();
    let mut plain = 0;
    let mut at = start;
    while let Some(rest @ [_, ..]) = body.get(at..) {
        let block = first_block(rest);
        let marks = Marks::of(&block);
        let Some(inside) = strings.next(&marks) else {
            return skip_carefully(body, start, brackets);
        };
        if let Some(end) = close_in_block(&block, at, marks.brackets & !inside, brackets)? {
            return Ok(end);
        }
        at += BLOCK;
        let is_plain = marks.are_none_of_strings() && (strings.is_inside() || marks.brackets == 0);
        plain = if is_plain { plain + 1 } else { 0 };
        if plain == LONG {
            // What has been plain so far may be an image, or numbers: marks that are far apart are found faster still.
            let rest = body.get(at..).unwrap_or_default();
            at += if strings.is_inside() {
                memchr2(b'"', b'\\', rest).unwrap_or(rest.len())
            } else {
                plain_strides(rest)
            };
            plain = 0;
        }
    }
    // Who is told where it went wrong can wait for it.
    skip_carefully(body, start, brackets)
}

/// Opens and closes the brackets at `places` of the block that begins at `at`; the offset after the one that closes the
/// outermost.
#[inline]
fn close_in_block(
    block: &[u8; BLOCK],
    at: usize,
    mut places: u64,
    brackets: &mut Brackets,
) -> Result<Option<usize>, LocateError> {
    while places != 0 {
        let place = places.trailing_zeros() as usize;
        places &= places - 1;
        let at = at + place;
        match block.get(place) {
            Some(&bracket @ (b'{' | b'[')) => brackets.open(bracket),
            Some(&bracket) => {
                brackets.close(bracket).map_err(|expected| LocateError::Unexpected { expected, at })?;
            }
            None => {}
        }
        if brackets.depth == 0 {
            return Ok(Some(at + 1));
        }
    }
    Ok(None)
}

/// As [`skip`] answers, from one mark to the next: for what is wrong, and for backslashes outside of strings.
#[cold]
fn skip_carefully(body: &[u8], start: usize, brackets: &mut Brackets) -> Result<usize, LocateError> {
    brackets.clear();
    let mut at = start;
    loop {
        let rest = body.get(at..).unwrap_or_default();
        let Some((skipped, found)) = first_mark(rest) else {
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

#[inline]
fn first_mark(bytes: &[u8]) -> Option<(usize, u8)> {
    bytes.iter().copied().enumerate().find(|(_, byte)| is_mark(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn end(body: &str) -> Result<usize, LocateError> {
        skip(body.as_bytes(), 0, &mut Brackets::default())
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

    proptest! {
        /// Whatever the bytes, and wherever in a block they begin.
        #[test]
        fn blocks_and_single_marks_say_the_same(
            before in 0..BLOCK,
            text in "([\\[{]{1,3}|[\\]}]{1,3}|\\[\\]|\\{\\}|\"|\"(a|\\\\.){0,40}\"|\"b{60,400}\"|\\\\{1,9}|[ -~]{1,9}|1234,|[0-9]{100,300}){0,60}",
        ) {
            let body = " ".repeat(before) + "[" + &text;
            let by_block = skip(body.as_bytes(), before, &mut Brackets::default());
            let by_mark = skip_carefully(body.as_bytes(), before, &mut Brackets::default());
            prop_assert_eq!(by_block, by_mark, "{}", body);
        }
    }
}
