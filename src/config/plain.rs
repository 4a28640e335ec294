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

/// The longest name of several words.
const TITLE: usize = 24;

/// How many digits a year has, and at most the number at the end of a name.
const YEAR: usize = 4;

/// A number from this length on is none that people give.
const NUMBER: usize = 10;

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
    is_made_of_words(name) && !begins_like_a_key(name)
}

/// Whether what stands between `${` and `}` looks like a reference: the name of a variable, or a file. People choose these,
/// so that one may well begin as a key does, such as `hf_token`; a key itself is longer and not made of words.
pub(super) fn is_expression(expression: &str) -> bool {
    let Some(path) = expression.strip_prefix("file:") else {
        let is_constant = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let is_long_constant =
            || expression.contains('_') && expression.len() <= LONG && expression.chars().all(is_constant);
        let is_variable = !expression.contains('-') && is_made_of_words(expression) || is_long_constant();
        return is_variable && !is_key(expression);
    };
    key_in(path).is_none() && (path.contains(['/', '.']) || is_made_of_words(path))
}

/// Whether `text` looks like the name of a header that was written with blanks, such as `Open AI`: a few short words, none of
/// which is followed by a value.
pub(super) fn is_title(text: &str) -> bool {
    const BEFORE_VALUES: [&str; 8] =
        ["bearer", "basic", "token", "key", "secret", "password", "authorization", "credential"];
    let is_word = |word: &str| {
        let rest = word.get(1..).unwrap_or_default();
        let is_of_letters = word.chars().all(|c| c.is_ascii_alphabetic());
        !word.is_empty()
            && is_of_letters
            && (word == word.to_ascii_uppercase() || rest == rest.to_ascii_lowercase())
    };
    let is_before_a_value = |word: &&str| BEFORE_VALUES.iter().any(|it| it.eq_ignore_ascii_case(word));
    let words: Vec<_> = text.split(' ').collect();
    let is_any_before_a_value = words.iter().rev().skip(1).any(is_before_a_value);
    text.len() <= TITLE
        && (2..=3).contains(&words.len())
        && words.into_iter().all(is_word)
        && !is_any_before_a_value
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
    let word = text.split(|c: char| !is_of_a_word(c)).find(|word| is_key(word))?;
    text.find(word)
}

/// Whether `name` has letters, digits, `_` and `-` only, is not too long, and no word in it is one of chance.
fn is_made_of_words(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let has_no_digit = || !name.contains(|c: char| c.is_ascii_digit());
    !name.is_empty()
        && name.chars().all(fits)
        && !name.split(['-', '_']).any(is_mixed)
        && (name.len() <= SHORT || name.len() <= LONG && has_no_digit())
}

/// Whether `word` is long and has letters and digits, more than words with a year or a number have.
fn is_mixed(word: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let is_of_words = digits <= YEAR && word.len() >= 4 * parts(word);
    word.len() >= WORD && digits > 0 && digits < word.len() && !is_of_words
}

/// Whether `word` begins like a vendor's key and goes on as nobody names things.
fn is_key(word: &str) -> bool {
    let rest = |beginnings: &[&str]| beginnings.iter().find_map(|beginning| word.strip_prefix(beginning));
    if word.len() < WORD {
        return false;
    }
    if let Some(rest) = rest(&OF_AWS) {
        return rest.len() >= WORD && rest.chars().all(|c| c.is_ascii_alphanumeric());
    }
    rest(&BEGINNINGS).is_some_and(|rest| {
        let length = rest.chars().filter(char::is_ascii_alphanumeric).count();
        let has_short_parts = length >= 24 && length < 3 * parts(rest);
        has_short_parts || rest.split(['-', '_']).any(is_of_chance)
    })
}

/// Whether `word`, which follows the beginning of a key, is nothing that people make up.
fn is_of_chance(word: &str) -> bool {
    let numbers = word.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty()).count();
    match word.chars().filter(char::is_ascii_digit).count() {
        0 => word.len() >= SHORT,
        digits if digits == word.len() => digits >= NUMBER,
        digits => word.len() >= WORD || word.len() >= NUMBER && (numbers > 1 || digits > YEAR),
    }
}

/// How many words and numbers `text` has, where a capital letter begins a word.
fn parts(text: &str) -> usize {
    let kind = |c: char| match c {
        'a'..='z' => 'a',
        'A'..='Z' => 'A',
        '0'..='9' => '0',
        _ => '-',
    };
    let mut last = '-';
    text.chars()
        .map(kind)
        .filter(|&kind| {
            let begins = kind != last && kind != '-' && (last, kind) != ('A', 'a');
            last = kind;
            begins
        })
        .count()
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
            "AzureOpenAIKeyEast2024",
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
    fn titles_are_told_from_names_with_a_value() {
        for title in ["Open AI", "X Y", "Api Key", "content type"] {
            assert!(is_title(title), "{title}");
        }
        for text in [
            "OpenAI",
            "Bearer hunter",
            "Authorization x",
            "Api Key hunter",
            "org aBcDeF",
            "org sk-x",
            "org hunter2",
            "a  b",
            "a b c d",
            "organization correcthorsebattery",
        ] {
            assert!(!is_title(text), "{text}");
        }
    }

    #[test]
    fn keys_are_found_wherever_they_stand() {
        assert_eq!(key_in("key: \"sk-proj-0123456789\""), Some(6));
        assert_eq!(key_in("AKIAIOSFODNN7EXAMPLE"), Some(0));
        for key in [
            "sk-proj-abc123def456",
            "sk-proj-abcdefghij1234567890",
            "sk-ant-api03-aB3-dE5-fG7_hJ9-kL1_mN2-pQ4",
            "AIzaSyA1bC2dE3fG4hI5jK6lM7nO8pQ9rS0tU",
            "hf_aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH",
            "gsk_0f3a9c1b2d4e5f607182",
        ] {
            assert_eq!(key_in(&format!("a: {key}")), Some(3), "{key}");
        }
        for text in [
            "name: task-sk-runner-0123456789",
            "model: sk-1",
            "url: https://a/v1",
            "hf_inference_router",
            "hf_mistral-7b-instruct-v0",
            "hf_claude-3-5-sonnet-20241022",
            "ek_datacenter_1_frankfurt",
            "ASIA_PRODUCTION_KEY_2",
            "",
        ] {
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
            "hf_token",
            "sk_1",
            "AzureOpenAIKeyEast2024",
            "sk_production_frankfurt_2",
            "file:sk-openai",
            "file:/run/secrets/hf_token",
            "file:/run/secrets/sk-prod/openai",
            "file:",
        ] {
            assert_eq!(is_expression(expression), expression != "file:", "{expression}");
        }
        for expression in [
            "",
            "sk-1",
            "AKIAIOSFODNN7EXAMPLE",
            "KEY:-x",
            "file:sk-proj-abc123def456",
            "file:/run/sk-proj-abc123def456",
            "file:/run/sk-proj-abc123def456/key",
            "sk_0f3a9c1b2d4e5f60",
            "hf_aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH",
            "aB3dE5gH7jK9mN1pQ4",
            "a b",
        ] {
            assert!(!is_expression(expression), "{expression}");
        }
        assert!(is_text_of_names("x ${KEY} api-key"));
        assert!(!is_text_of_names("Bearer sk-1"));
        assert!(!is_text_of_names("${sk-1}"));
    }
}
