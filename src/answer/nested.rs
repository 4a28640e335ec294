//! Passing over an array or an object, to where it ends.

use crate::blocks::{BLOCK, LONG, Marks, Strings, plain_strides};
use memchr::memchr2;

/// An array or object that is being passed over.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Nested {
    depth: usize,
    strings: Strings,
}

impl Nested {
    /// Passes over the next chunk, which begins with the opening bracket at first; the offset after the closing one, if it
    /// is there. Brackets are counted, not matched by kind.
    pub(super) fn skip(&mut self, chunk: &[u8]) -> Result<Option<usize>, ()> {
        let mut at = 0;
        let mut plain = 0;
        while let Some(block) = chunk.get(at..).and_then(<[u8]>::first_chunk::<BLOCK>) {
            let marks = Marks::of(block);
            let before = self.strings;
            let Some(inside) = self.strings.next(&marks) else {
                self.strings = before;
                break;
            };
            if let Some(end) = self.count(block, marks.brackets & !inside) {
                return Ok(Some(at + end));
            }
            at += BLOCK;
            let is_inside = self.strings.is_inside();
            let is_plain = marks.are_none_of_strings() && (is_inside || marks.brackets == 0);
            plain = if is_plain { plain + 1 } else { 0 };
            if plain == LONG {
                // What has been plain so far may be an image, or numbers: marks that are far apart are found faster still.
                let rest = chunk.get(at..).unwrap_or_default();
                at += if is_inside {
                    memchr2(b'"', b'\\', rest).unwrap_or(rest.len())
                } else {
                    plain_strides(rest)
                };
                plain = 0;
            }
        }
        let rest = chunk.get(at..).unwrap_or_default();
        Ok(self.walk(rest)?.map(|end| at + end))
    }

    /// Counts the brackets at `places` of a block; the offset after the last that closes.
    #[inline]
    fn count(&mut self, block: &[u8; BLOCK], mut places: u64) -> Option<usize> {
        while places != 0 {
            let place = places.trailing_zeros() as usize;
            places &= places - 1;
            // All that tells an opening bracket from its mate.
            if block.get(place).is_some_and(|bracket| matches!(bracket, b'{' | b'[')) {
                self.depth += 1;
            } else {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    return Some(place + 1);
                }
            }
        }
        None
    }

    /// Byte by byte: what is no whole block, and what escapes something outside of strings and so makes no sense.
    fn walk(&mut self, rest: &[u8]) -> Result<Option<usize>, ()> {
        let (mut is_inside, mut is_escaped) = (self.strings.is_inside(), self.strings.is_escaped());
        for (at, byte) in rest.iter().enumerate() {
            match (is_inside, byte) {
                (true, _) if is_escaped => is_escaped = false,
                (true, b'\\') => is_escaped = true,
                (_, b'"') => is_inside = !is_inside,
                (true, _) => {}
                (false, b'\\') => return Err(()),
                (false, b'{' | b'[') => self.depth += 1,
                (false, b'}' | b']') => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Ok(Some(at + 1));
                    }
                }
                (false, _) => {}
            }
        }
        self.strings = Strings::resume(is_inside, is_escaped);
        Ok(None)
    }
}
