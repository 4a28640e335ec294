//! Strings and brackets of JSON, 64 bytes at a time.
//!
//! Pure, and of use to whoever passes over what is nested, in a request's body or in a response.
//!
//! Where quotes, backslashes and brackets stand in a block is found by comparing its bytes all at once, one bit a byte;
//! which of them are inside strings follows from the bits alone, without a look at each mark. The method is that of
//! Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019, section 3.1.

use wide::u8x16;

/// After so many blocks in which nothing is found, longer steps are taken.
pub const LONG: usize = 2;
/// Bytes looked at together where no string and no bracket stands, as in an array of numbers.
const STRIDE: usize = 32;

/// The bytes of a block.
pub const BLOCK: usize = 64;

const QUOTE: u8x16 = u8x16::new([b'"'; 16]);
const BACKSLASH: u8x16 = u8x16::new([b'\\'; 16]);
/// All that tells `[` from `{` and `]` from `}`.
const BRACE_BIT: u8x16 = u8x16::new([0x20; 16]);
const OPENING: u8x16 = u8x16::new([b'{'; 16]);
const CLOSING: u8x16 = u8x16::new([b'}'; 16]);
/// Every second bit, beginning with the second.
const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;

/// Where in a block these bytes stand: bit n is for byte n.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    /// `"`
    pub quotes: u64,
    /// `\`
    pub backslashes: u64,
    /// All four kinds.
    pub brackets: u64,
}

impl Marks {
    /// Finds them.
    #[inline]
    pub fn of(block: &[u8; BLOCK]) -> Self {
        let mut marks = Self::default();
        let (parts, _) = block.as_chunks::<16>();
        for (number, part) in parts.iter().enumerate() {
            let bytes = u8x16::new(*part);
            let bits = |found: u8x16| u64::from(found.to_bitmask()) << (16 * number);
            let brace = bytes | BRACE_BIT;
            marks.quotes |= bits(bytes.simd_eq(QUOTE));
            marks.backslashes |= bits(bytes.simd_eq(BACKSLASH));
            marks.brackets |= bits(brace.simd_eq(OPENING) | brace.simd_eq(CLOSING));
        }
        marks
    }

    /// Whether there is neither a quote nor a backslash.
    pub fn are_none_of_strings(&self) -> bool {
        self.quotes | self.backslashes == 0
    }
}

/// The first block of `bytes`; what is shorter is filled up with spaces.
#[inline]
pub fn first_block(bytes: &[u8]) -> [u8; BLOCK] {
    if let Some(block) = bytes.first_chunk() {
        return *block;
    }
    let mut block = [b' '; BLOCK];
    block.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    block
}

/// Follows strings from one block to the next.
#[derive(Debug, Clone, Copy, Default)]
pub struct Strings {
    /// All ones if the last block ended inside a string.
    inside: u64,
    /// 1 if the next block's first byte is escaped.
    escaped: u64,
}

impl Strings {
    /// Whether the last block ended inside a string.
    pub fn is_inside(&self) -> bool {
        self.inside != 0
    }

    /// Goes on after a byte that is inside a string or is not, and before one that is escaped or is not.
    pub fn resume(is_inside: bool, is_escaped: bool) -> Self {
        Self { inside: if is_inside { u64::MAX } else { 0 }, escaped: u64::from(is_escaped) }
    }

    /// Whether the next block's first byte is escaped.
    pub fn is_escaped(&self) -> bool {
        self.escaped != 0
    }

    /// Which bytes of the next block are in strings, the opening quotes included and the closing ones not. `None` if a
    /// backslash stands outside of strings, where it escapes nothing: these bits cannot tell then.
    #[inline]
    pub fn next(&mut self, marks: &Marks) -> Option<u64> {
        let quotes = marks.quotes & !self.escaped(marks.backslashes);
        let inside = parity(quotes) ^ self.inside;
        self.inside = if inside >> 63 == 1 { u64::MAX } else { 0 };
        (marks.backslashes & !inside == 0).then_some(inside)
    }

    /// Which bytes have an odd number of backslashes before them.
    #[inline]
    fn escaped(&mut self, backslashes: u64) -> u64 {
        if backslashes == 0 {
            return std::mem::take(&mut self.escaped);
        }
        // A run of backslashes escapes every second byte from its second on. A borrow runs through it from its beginning
        // to the byte after it, which it turns if that stands where an escaped one would.
        let escaping = backslashes & !self.escaped;
        let turned = (escaping << 1 | ODD).wrapping_sub(escaping) ^ ODD;
        let escaped = turned ^ (backslashes | self.escaped);
        self.escaped = (turned & backslashes) >> 63;
        escaped
    }
}

/// How many bytes there are before the stride in which the first quote or bracket stands.
pub fn plain_strides(bytes: &[u8]) -> usize {
    let (strides, _) = bytes.as_chunks::<STRIDE>();
    // No early end inside a stride, so that it becomes vector code.
    let is_plain =
        |stride: &&[u8; STRIDE]| stride.iter().fold(0, |marks, &byte| marks | u8::from(is_mark(byte))) == 0;
    STRIDE * strides.iter().take_while(is_plain).count()
}

/// Whether a byte is a quote or a bracket.
#[inline]
pub fn is_mark(byte: u8) -> bool {
    // The bit 0x20 is all that tells '[' from '{' and ']' from '}'.
    byte == b'"' || byte | 0x20 == b'{' || byte | 0x20 == b'}'
}

/// Of each bit, whether the number of ones up to it is odd.
#[inline]
fn parity(mut bits: u64) -> u64 {
    for distance in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << distance;
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bits(is_set: impl Iterator<Item = bool>) -> u64 {
        is_set.enumerate().fold(0, |bits, (at, is_set)| bits | u64::from(is_set) << at)
    }

    #[test]
    fn the_marks_are_these_five() {
        let marks: Vec<u8> = (0..=255).filter(|byte| is_mark(*byte)).collect();
        assert_eq!(marks, b"\"[]{}");
    }

    proptest! {
        #[test]
        fn marks_are_where_the_bytes_are(bytes in prop::collection::vec(any::<u8>(), BLOCK)) {
            let marks = Marks::of(&first_block(&bytes));
            prop_assert_eq!(marks.quotes, bits(bytes.iter().map(|byte| *byte == b'"')));
            prop_assert_eq!(marks.backslashes, bits(bytes.iter().map(|byte| *byte == b'\\')));
            prop_assert_eq!(marks.brackets, bits(bytes.iter().map(|byte| b"[]{}".contains(byte))));
        }

        #[test]
        fn strings_are_followed_from_block_to_block(text in "([\"\\\\]|\\\\\\\\|a){0,300}") {
            let mut strings = Strings::default();
            let (mut inside, mut escaped) = (false, false);
            for block in text.as_bytes().chunks(BLOCK) {
                let mut outside_backslash = false;
                let expected = bits(block.iter().map(|byte| match (inside, escaped, byte) {
                    (true, true, _) => { escaped = false; true }
                    (true, false, b'\\') => { escaped = true; true }
                    (_, _, b'"') => { inside = !inside; inside }
                    (_, _, byte) => { outside_backslash |= !inside && *byte == b'\\'; inside }
                }));
                let found = strings.next(&Marks::of(&first_block(block)));
                if outside_backslash {
                    prop_assert_eq!(found, None);
                    break;
                }
                let within = u64::MAX >> (BLOCK - block.len());
                prop_assert_eq!(found.map(|bits| bits & within), Some(expected));
            }
        }
    }
}
