//! Numbers and strings of JSON, as far as they have come.

use memchr::memchr2;
use wide::u8x16;

/// The longest number that is a count, in bytes: ten digits and `.0`.
pub(super) const MAX_NUMBER: usize = 12;

/// Strings are looked through so far without a call: most keys and values end sooner.
const SHORT: usize = 32;

const QUOTE: u8x16 = u8x16::new([b'"'; 16]);
const BACKSLASH: u8x16 = u8x16::new([b'\\'; 16]);

/// The number that these digits are, if they are a JSON number of 32 bits. Cohere's counts are of floating point, so that a
/// whole one may end with `.0`.
pub(super) fn count(digits: &[u8]) -> Option<u32> {
    let digits = digits.strip_suffix(b".0").unwrap_or(digits);
    if digits.is_empty() || digits.first() == Some(&b'0') && digits.len() > 1 {
        return None;
    }
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    digits.iter().try_fold(0u32, |value, byte| value.checked_mul(10)?.checked_add(digit(byte)?))
}

/// Where the quote stands that ends a string, of which `bytes` is what comes; `is_escaped` says of the first.
#[inline]
pub(super) fn string_end(is_escaped: bool, bytes: &[u8]) -> Option<usize> {
    let mut at = usize::from(is_escaped);
    at += first_mark(bytes.get(at..)?)?;
    while bytes.get(at) == Some(&b'\\') {
        at += 2;
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
    }
    (at < bytes.len()).then_some(at)
}

/// Where the first quote or backslash stands.
#[inline]
fn first_mark(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < SHORT {
        let Some(part) = bytes.get(at..).and_then(<[u8]>::first_chunk::<16>) else {
            let rest = bytes.get(at..)?;
            return rest.iter().position(|byte| matches!(byte, b'"' | b'\\')).map(|near| at + near);
        };
        let part = u8x16::new(*part);
        let marks = (part.simd_eq(QUOTE) | part.simd_eq(BACKSLASH)).to_bitmask();
        if marks != 0 {
            return Some(at + marks.trailing_zeros() as usize);
        }
        at += 16;
    }
    memchr2(b'"', b'\\', bytes.get(at..)?).map(|far| at + far)
}

/// Whether the byte after a part of a string that has no end in it is escaped.
#[inline]
pub(super) fn ends_escaped(is_escaped: bool, part: &[u8]) -> bool {
    let run = part.iter().rev().take_while(|byte| **byte == b'\\').count();
    // Of a run that is all there is, the first may be escaped itself.
    let escaping = if run == part.len() { run + usize::from(is_escaped) } else { run };
    escaping % 2 == 1
}

#[inline]
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether a byte can be part of a number, or of a word.
#[inline]
pub(super) fn is_scalar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_whole_and_not_negative() {
        for (text, expected) in [
            ("0", Some(0)),
            ("21", Some(21)),
            ("21.0", Some(21)),
            ("0.0", Some(0)),
            ("4294967295.0", Some(u32::MAX)),
            ("4294967296", None),
            ("99999999999", None),
            ("", None),
            (".0", None),
            ("00", None),
            ("01.0", None),
            ("21.5", None),
            ("21.0.0", None),
            ("-1", None),
            ("2e1", None),
        ] {
            assert_eq!(count(text.as_bytes()), expected, "{text}");
        }
    }
}
