//! Which names can be shown where a secret may stand: a colon that was forgotten makes a key of it, and braces in the wrong
//! place the name of a variable.

/// What to do about a key that may be a value.
pub(super) const KEY_AND_VALUE: &str =
    "a key and its value are written `key: value`, with a blank after the colon";

/// The longest name that is taken for one, whatever it is made of.
const SHORT: usize = 30;

/// The longest that is taken for one if it is made of words.
const LONG: usize = 64;

/// A word from this length on that has letters and digits is none.
const WORD: usize = 16;

/// How keys of vendors and tokens begin.
const BEGINNINGS: [&str; 17] = [
    "sk-", "sk_", "ek_", "ek-", "pk-", "pk_", "rk_", "AIza", "ya29", "eyJ", "gsk_", "hf_", "xai-", "ghp_",
    "nvapi-", "pplx-", "csk-",
];

/// How those of AWS begin, in which letters and digits follow.
const OF_AWS: [&str; 3] = ["AKIA", "ASIA", "ABSK"];

/// Whether `name` looks like a key of a mapping or the name of a header: letters, digits, `_` and `-`, not too long, and not
/// beginning like a vendor's key.
pub(super) fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let is_mixed = |word: &str| {
        word.len() >= WORD
            && word.contains(|c: char| c.is_ascii_digit())
            && word.contains(|c: char| c.is_ascii_alphabetic())
    };
    let is_of_words = || name.len() <= LONG && !name.contains(|c: char| c.is_ascii_digit());
    !name.is_empty()
        && name.chars().all(fits)
        && !begins_like_a_key(name)
        && !name.split(['-', '_']).any(is_mixed)
        && (name.len() <= SHORT || is_of_words())
}

/// Whether what stands between `${` and `}` looks like a reference: the name of a variable, or a file.
pub(super) fn is_expression(expression: &str) -> bool {
    let Some(path) = expression.strip_prefix("file:") else {
        let is_constant = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let is_long_constant =
            || expression.contains('_') && expression.len() <= LONG && expression.chars().all(is_constant);
        return !expression.contains('-') && is_name(expression)
            || is_long_constant() && !begins_like_a_key(expression);
    };
    let is_part = |part: &str| !begins_like_a_key(part);
    path.split('/').all(is_part) && (path.contains(['/', '.']) || is_name(path))
}

/// Whether `text` is made of such names and references, with blanks between them.
pub(super) fn is_text_of_names(text: &str) -> bool {
    let is_reference = |word: &str| {
        let expression = word.strip_prefix("${").and_then(|word| word.strip_suffix('}'));
        expression.is_some_and(is_expression)
    };
    text.split_whitespace().all(|word| is_name(word) || is_reference(word))
}

/// The byte at which a word begins in `text` that looks like a vendor's key, wherever it stands.
pub(super) fn key_in(text: &str) -> Option<usize> {
    let is_of_a_word = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let is_key = |word: &str| word.len() >= WORD && begins_like_a_key(word);
    let word = text.split(|c: char| !is_of_a_word(c)).find(|word| is_key(word))?;
    text.find(word)
}

fn begins_like_a_key(text: &str) -> bool {
    let begins = |beginnings: &[&str]| beginnings.iter().any(|beginning| text.starts_with(beginning));
    begins(&BEGINNINGS) || begins(&OF_AWS) && text.chars().all(|c| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_secrets() {
        for name in [
            "bearrer",
            "secret_acess_key",
            "X-Api-Key",
            "OpenAI-Organization",
            "anthropic-dangerous-direct-browser-access",
            "x-amz-content-sha256",
        ] {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "",
            "Open AI",
            "bearer:x",
            "Authorization: Bearer x",
            "sk-proj",
            "ek_1",
            "AKIAIOSFODNN7EXAMPLE",
            "0f3a9c1b2d4e5f60718293a4b5c6d7e8",
            "0f3a9c1b2d4e5f607",
            "0f3a9c1b-2d4e-5f60-7182-93a4b5c6d7e8",
            "wJalrXUtnFEMI/K7MDENG",
            "schlüssel",
        ] {
            assert!(!is_name(name), "{name}");
        }
        assert!(!is_name(&"a".repeat(65)));
    }

    #[test]
    fn keys_are_found_wherever_they_stand() {
        assert_eq!(key_in("key: \"sk-proj-0123456789\""), Some(6));
        assert_eq!(key_in("AKIAIOSFODNN7EXAMPLE"), Some(0));
        for text in ["name: task-sk-runner-0123456789", "model: sk-1", "url: https://a/v1", ""] {
            assert_eq!(key_in(text), None, "{text}");
        }
    }

    #[test]
    fn references_are_told_from_secrets() {
        for expression in [
            "KEY",
            "HF_TOKEN",
            "ASIA_KEY",
            "openai_key",
            "AZURE_OPENAI_PRODUCTION_API_KEY_2",
            "file:/run/credentials/openai",
            "file:key.txt",
            "file:key",
            "file:",
        ] {
            assert_eq!(is_expression(expression), expression != "file:", "{expression}");
        }
        for expression in
            ["", "sk-1", "sk_1", "AKIAIOSFODNN7EXAMPLE", "KEY:-x", "file:sk-1", "file:/run/sk-1", "a b"]
        {
            assert!(!is_expression(expression), "{expression}");
        }
        assert!(is_text_of_names("x ${KEY} api-key"));
        assert!(!is_text_of_names("Bearer sk-1"));
        assert!(!is_text_of_names("${sk-1}"));
    }
}
