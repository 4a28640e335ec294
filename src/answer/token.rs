//! Numbers and strings of JSON, as far as they have come.

use memchr::memchr2;

/// The longest number that is a count, in bytes.
pub(super) const MAX_NUMBER: usize = 10;

/// Strings are looked through so far byte by byte: most keys and values end sooner.
const SHORT: usize = 24;

/// The number that these digits are, if they are a JSON number of 32 bits.
pub(super) fn count(digits: &[u8]) -> Option<u32> {
    if digits.len() > MAX_NUMBER || digits.first() == Some(&b'0') && digits.len() > 1 {
        return None;
    }
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    digits.iter().try_fold(0u32, |value, byte| value.checked_mul(10)?.checked_add(digit(byte)?))
}

/// Where the quote stands that ends a string, of which `bytes` is what comes; `is_escaped` says of the first.
#[inline]
pub(super) fn string_end(is_escaped: bool, bytes: &[u8]) -> Option<usize> {
    let mut at = usize::from(is_escaped);
    if let Some(near) = bytes.get(at..).unwrap_or_default().iter().take(SHORT).position(is_string_mark) {
        at += near;
    } else {
        at += SHORT;
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
    }
    while bytes.get(at) == Some(&b'\\') {
        at += 2;
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
    }
    (at < bytes.len()).then_some(at)
}

#[inline]
fn is_string_mark(byte: &u8) -> bool {
    matches!(byte, b'"' | b'\\')
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
