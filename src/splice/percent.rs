//! Names as they stand in URLs.

use memchr::memchr_iter;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::borrow::Cow;

/// All but the unreserved characters of RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const RESERVED_BUT_SLASH: &AsciiSet = &RESERVED.remove(b'/');

/// Why a text of a URL cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undecodable {
    /// The `%` at this offset has no two hexadecimal digits after it.
    Percent(usize),
    /// The bytes are no text.
    Utf8,
}

/// What `raw` says, percent-decoded.
pub(super) fn decode(raw: &str) -> Result<Cow<'_, str>, Undecodable> {
    let is_digit = |at: usize| raw.as_bytes().get(at).is_some_and(u8::is_ascii_hexdigit);
    if let Some(at) = memchr_iter(b'%', raw.as_bytes()).find(|at| !is_digit(at + 1) || !is_digit(at + 2)) {
        return Err(Undecodable::Percent(at));
    }
    percent_decode_str(raw).decode_utf8().map_err(|_| Undecodable::Utf8)
}

/// Writes `name` into a URL, every character encoded but the unreserved ones.
pub(super) fn encode(name: &str) -> Cow<'_, str> {
    utf8_percent_encode(name, RESERVED).into()
}

/// As [`encode`], the `/` as it is.
pub(super) fn encode_but_slash(name: &str) -> Cow<'_, str> {
    utf8_percent_encode(name, RESERVED_BUT_SLASH).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_stand_for_themselves() {
        for byte in 0..128_u8 {
            let name = char::from(byte).to_string();
            let stays = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            assert_eq!(encode(&name) == name, stays, "{name:?}");
            assert_eq!(encode_but_slash(&name) == name, stays || byte == b'/', "{name:?}");
        }
        assert_eq!(encode("a:0/é"), "a%3A0%2F%C3%A9");
    }

    #[test]
    fn what_is_not_encoded_right_is_no_text() {
        assert_eq!(decode("a%3a0%2F%c3%A9+"), Ok("a:0/é+".into()));
        for (raw, at) in [("%", 0), ("a%", 1), ("a%4", 1), ("%41%4g", 3), ("%%41", 0), ("%+1", 0), ("%é", 0)]
        {
            assert_eq!(decode(raw), Err(Undecodable::Percent(at)), "{raw}");
        }
        for raw in ["%ff", "%c3", "%ed%a0%80"] {
            assert_eq!(decode(raw), Err(Undecodable::Utf8), "{raw}");
        }
    }
}
