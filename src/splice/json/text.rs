//! Strings: where they end, and whether one beside the model is sound.

use memchr::{memchr, memchr2};

use super::error::{Found, LocateError};

/// The offset after the closing quote of the top-level string whose opening quote is at `open`; every escape
/// in it follows the grammar of RFC 8259, section 7.
///
/// # Errors
/// The string does not end, or a backslash begins no escape.
pub(super) fn close(body: &[u8], open: usize) -> Result<usize, LocateError> {
    let unclosed = || LocateError::Unclosed { what: Found::String, at: open };
    let mut at = open + 1;
    loop {
        let rest = body.get(at..).unwrap_or_default();
        let Some((skipped, found)) = quote_or_backslash(rest) else {
            return Err(unclosed());
        };
        at += skipped;
        if found == b'"' {
            return Ok(at + 1);
        }
        at += match rest.get(skipped + 1..) {
            Some([b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..]) => 2,
            Some([b'u', a, b, c, d, ..]) if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()) => 6,
            Some([]) | None => return Err(unclosed()),
            Some(_) => return Err(LocateError::InvalidEscape { at }),
        };
    }
}

/// The offset after the closing quote of the nested string whose opening quote is at `open`. Its escapes are
/// not judged: a backslash only keeps the byte after it from ending the string.
///
/// # Errors
/// The string does not end.
pub(super) fn close_nested(body: &[u8], open: usize) -> Result<usize, LocateError> {
    let mut at = open + 1;
    loop {
        let rest = body.get(at..).unwrap_or_default();
        match quote_or_backslash(rest) {
            Some((skipped, b'"')) => return Ok(at + skipped + 1),
            Some((skipped, _)) => at += skipped + 2,
            None => return Err(LocateError::Unclosed { what: Found::String, at: open }),
        }
    }
}

/// How many bytes stand before the first quote or backslash, and which of the two it is.
#[inline]
fn quote_or_backslash(bytes: &[u8]) -> Option<(usize, u8)> {
    let skipped = memchr2(b'"', b'\\', bytes)?;
    Some((skipped, *bytes.get(skipped)?))
}

/// Judges the bytes between the quotes of a top-level string, of which the first is at offset `at` of the
/// body: UTF-8, and no control character.
///
/// # Errors
/// The first control character, or else the first byte that is not UTF-8.
pub(super) fn judge(content: &[u8], at: usize) -> Result<(), LocateError> {
    // One pass without an early end, which the compiler turns into vector code, answers for all of ASCII.
    let (low, high) = content.iter().fold((u8::MAX, 0), |(low, high), &byte| (byte.min(low), byte | high));
    if low < 0x20 {
        let offset = content.iter().position(|byte| *byte < 0x20).unwrap_or_default();
        return Err(LocateError::ControlCharacter { at: at + offset });
    }
    if high < 0x80 || simdutf8::basic::from_utf8(content).is_ok() {
        return Ok(());
    }
    let valid = std::str::from_utf8(content).map_or_else(|error| error.valid_up_to(), str::len);
    Err(LocateError::InvalidUtf8 { at: at + valid })
}

/// Judges as [`judge`] does, and that every escape stands for a character: what a key and a model need.
/// The escapes follow the grammar, as [`close`] saw.
///
/// # Errors
/// As of [`judge`], or the first escape that is half a surrogate pair.
pub(super) fn judge_decodable(content: &[u8], at: usize) -> Result<(), LocateError> {
    judge(content, at)?;
    let mut from = 0;
    while let Some(skipped) = content.get(from..).and_then(|rest| memchr(b'\\', rest)) {
        let backslash = from + skipped;
        from = match code_unit(content, backslash) {
            None => backslash + 2,
            Some(0xD800..=0xDBFF) if matches!(code_unit(content, backslash + 6), Some(0xDC00..=0xDFFF)) => {
                backslash + 12
            }
            Some(0xD800..=0xDFFF) => return Err(LocateError::LoneSurrogate { at: at + backslash }),
            Some(_) => backslash + 6,
        };
    }
    Ok(())
}

/// The bytes between the quotes of a key spell the ASCII `word`, each letter as itself or as its `\u` escape.
pub(super) fn spells(content: &[u8], word: &str) -> bool {
    begins(content, word).is_some_and(<[u8]>::is_empty)
}

/// What follows the ASCII `word` in the bytes between the quotes of a string, if it begins with it: each letter as itself
/// or as its escape.
pub(super) fn begins<'content>(mut content: &'content [u8], word: &str) -> Option<&'content [u8]> {
    for letter in word.bytes() {
        content = match content {
            [first, rest @ ..] if *first == letter => rest,
            [b'\\', b'/', rest @ ..] if letter == b'/' => rest,
            _ if code_unit(content, 0) == Some(u16::from(letter)) => content.get(6..).unwrap_or_default(),
            _ => return None,
        };
    }
    Some(content)
}

/// The UTF-16 code unit that the escape at `at` writes, if a `\u` escape begins there.
fn code_unit(content: &[u8], at: usize) -> Option<u16> {
    let digits = content.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_ends_at_the_first_quote_that_is_not_escaped() {
        let table = [
            (r#""""#, 2),
            (r#""a",""#, 3),
            (r#""\"""#, 4),
            (r#""\\"""#, 4),
            (r#""\\\"a" "#, 7),
            (r#""\u005C""#, 8),
        ];
        for (body, end) in table {
            assert_eq!(close(body.as_bytes(), 0), Ok(end), "{body}");
            assert_eq!(close_nested(body.as_bytes(), 0), Ok(end), "{body}");
        }
        for body in [r#"""#, r#""a"#, r#""a\""#, r#""a\"#, r#""\\\""#] {
            let unclosed = Err(LocateError::Unclosed { what: Found::String, at: 0 });
            assert_eq!(close(body.as_bytes(), 0), unclosed, "{body}");
            assert_eq!(close_nested(body.as_bytes(), 0), unclosed, "{body}");
        }
    }

    #[test]
    fn escapes_follow_the_grammar() {
        for good in [r#"\b\f\n\r\t\/\\\""#, r"\uabCD", r"\ud800", r"\udc00x"] {
            assert!(close(format!("\"{good}\"").as_bytes(), 0).is_ok(), "{good}");
        }
        for bad in [r"\a", r"\x41", r"\u12", r"\u12g4", r"\u+123", r"\U0041", r"\ "] {
            let refused = Some(LocateError::InvalidEscape { at: 1 });
            assert_eq!(close(format!("\"{bad}\"").as_bytes(), 0).err(), refused, "{bad}");
        }
    }

    #[test]
    fn text_is_utf8_without_control_characters() {
        let long = "x".repeat(5000) + "é漢😀\u{7f}\u{80}";
        for good in ["", "a", "é", &long] {
            assert_eq!(judge(good.as_bytes(), 9), Ok(()));
        }
        let table: [(&[u8], LocateError); 7] = [
            (b"a\nb", LocateError::ControlCharacter { at: 10 }),
            (b"\xff\x00", LocateError::ControlCharacter { at: 10 }),
            (b"ab\xff", LocateError::InvalidUtf8 { at: 11 }),
            (b"\xc0\x80", LocateError::InvalidUtf8 { at: 9 }),
            (b"\xed\xa0\x80", LocateError::InvalidUtf8 { at: 9 }),
            (b"a\xf0\x9f\x98", LocateError::InvalidUtf8 { at: 10 }),
            (b"\xf4\x90\x80\x80", LocateError::InvalidUtf8 { at: 9 }),
        ];
        for (bad, error) in table {
            assert_eq!(judge(bad, 9), Err(error), "{bad:?}");
        }
    }

    #[test]
    fn half_a_surrogate_pair_decodes_to_nothing() {
        for good in [r"\ud83d\ude00", r"a\\ud800", r"\u0041\ud83d\ude00\n", r"\ue000\ud7ff"] {
            assert_eq!(judge_decodable(good.as_bytes(), 1), Ok(()), "{good}");
        }
        for (bad, at) in [
            (r"\ud83d", 1),
            (r"a\ude00", 2),
            (r"\ud83d\n", 1),
            (r"\ud83d\ud83d\ude00", 1),
            (r"\ud83d\ude00\udfff", 13),
        ] {
            assert_eq!(judge_decodable(bad.as_bytes(), 1), Err(LocateError::LoneSurrogate { at }), "{bad}");
        }
    }
    #[test]
    fn a_word_is_spelt_in_letters_and_escapes() {
        for key in ["model", r"\u006dodel", r"mod\u0065l", r"\u006D\u006f\u0064\u0065\u006c"] {
            assert!(spells(key.as_bytes(), "model"), "{key}");
        }
        for key in [
            "",
            "mode",
            "models",
            "Model",
            r"\u004dodel",
            r"model\u0000",
            r"\u016dodel",
            r"\model",
            r"mode\u006",
        ] {
            assert!(!spells(key.as_bytes(), "model"), "{key}");
        }
    }
}
