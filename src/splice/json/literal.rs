//! The values that are neither strings nor nested: numbers, `true`, `false`, `null`.

use super::error::{Expected, LocateError};

/// The offset after the number that begins at `at`.
///
/// The grammar of RFC 8259, section 6, and nothing of the value: any size and any precision pass.
///
/// # Errors
/// [`LocateError::InvalidNumber`] when a part that must have a digit has none.
pub(super) fn number(body: &[u8], at: usize) -> Result<usize, LocateError> {
    let invalid = || LocateError::InvalidNumber { at };
    let integer = at + usize::from(body.get(at) == Some(&b'-'));
    let mut end = match body.get(integer) {
        Some(b'0') => integer + 1,
        _ => digits(body, integer).ok_or_else(invalid)?,
    };
    if body.get(end) == Some(&b'.') {
        end = digits(body, end + 1).ok_or_else(invalid)?;
    }
    if matches!(body.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(body.get(end + 1), Some(b'+' | b'-')));
        end = digits(body, end + 1 + sign).ok_or_else(invalid)?;
    }
    Ok(end)
}

/// The offset after the digits at `at`, of which there is at least one.
fn digits(body: &[u8], at: usize) -> Option<usize> {
    let rest = body.get(at..)?;
    let count = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    (count > 0).then_some(at + count)
}

/// The offset after the `true`, `false` or `null` that begins at `at`.
///
/// # Errors
/// [`LocateError::Unexpected`] when it is none of them.
pub(super) fn word(body: &[u8], at: usize) -> Result<usize, LocateError> {
    let rest = body.get(at..).unwrap_or_default();
    for word in ["true", "false", "null"] {
        if rest.starts_with(word.as_bytes()) {
            return Ok(at + word.len());
        }
    }
    Err(LocateError::Unexpected { expected: Expected::Value, at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_size_end_where_their_grammar_does() {
        let huge = format!("1{}", "0".repeat(400));
        let whole = [
            "0",
            "-0",
            "7",
            "-12",
            "1.0e2",
            "1E+9",
            "1e-9",
            "0.10",
            "-0.0e-0",
            "9007199254740993",
            "1e400",
            &huge,
        ];
        for text in whole {
            assert_eq!(number(text.as_bytes(), 0), Ok(text.len()), "{text}");
            assert_eq!(number(format!("{text},").as_bytes(), 0), Ok(text.len()), "{text}");
        }
        // The second digit belongs to no number; the caller finds it where a comma should stand.
        for (text, end) in [("01", 1), ("-012", 2), ("1.5.2", 3), ("0x1", 1), ("1a", 1)] {
            assert_eq!(number(text.as_bytes(), 0), Ok(end), "{text}");
        }
        for text in ["-", "-a", "1.", "1.e2", "1e", "1e+", "--1", "-.5"] {
            assert_eq!(number(text.as_bytes(), 0), Err(LocateError::InvalidNumber { at: 0 }), "{text}");
        }
    }

    #[test]
    fn words_are_whole() {
        for text in ["true", "false", "null", "true}"] {
            assert_eq!(word(text.as_bytes(), 0), Ok(text.trim_end_matches('}').len()), "{text}");
        }
        for text in ["tru", "True", "NaN", "Infinity", "nul", "", "+1", "'a'"] {
            let refused = Err(LocateError::Unexpected { expected: Expected::Value, at: 0 });
            assert_eq!(word(text.as_bytes(), 0), refused, "{text}");
        }
    }
}
