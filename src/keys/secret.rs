//! The text of a key: `ek_prod_` or `ek_sbx_`, random characters, a checksum.
//!
//! The fixed prefix lets secret scanners find a leaked key; the checksum tells a mistyped key from
//! an unknown one without a look at any list, as GitHub's token format does.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::KeyError;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// What every key begins with.
const FAMILY: &str = "ek_";
/// 37 × log2(62) = 220 random bits. A record shows the last four characters of its key, which tell
/// at most 24 bits of them: more than 192 stay secret.
const RANDOM_LENGTH: usize = 37;
/// 62^6 > 2^32: room for a CRC-32.
const CHECKSUM_LENGTH: usize = 6;

/// Which endpoints a key opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Environment {
    /// The endpoints for real traffic.
    Production,
    /// The endpoints for trying things out.
    Sandbox,
}

impl Environment {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Production, Self::Sandbox];

    /// `production` or `sandbox`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Sandbox => "sandbox",
        }
    }

    /// What the keys of this environment begin with.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Production => "ek_prod_",
            Self::Sandbox => "ek_sbx_",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Environment {
    type Err = UnknownEnvironment;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "production" => Ok(Self::Production),
            "sandbox" => Ok(Self::Sandbox),
            _ => Err(UnknownEnvironment(text.to_owned())),
        }
    }
}

/// A text that names no environment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no environment: it is `production` or `sandbox`")]
pub struct UnknownEnvironment(String);

/// The text of a new key, to be shown once. Its `Debug` shows nothing of it.
pub struct Secret(String);

impl Secret {
    /// The text itself. Show it to the person who asked for the key, and nowhere else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Makes a new key from the operating system's random bytes.
///
/// # Errors
/// [`KeyError::Random`] when there are none.
pub fn generate(environment: Environment) -> Result<Secret, KeyError> {
    let mut text = environment.prefix().to_owned();
    text.push_str(&random_base62(RANDOM_LENGTH)?);
    let checksum = checksum(&text);
    text.extend(checksum.map(char::from));
    Ok(Secret(text))
}

/// What a text is, seen by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A key of ours as it was made. Whether it is known is another question.
    WellFormed(Environment),
    /// It begins like a key of ours, and its prefix, length, characters or checksum are not right.
    Mistyped,
    /// No key of ours.
    Foreign,
}

/// Tells what `text` is, without any list of keys.
///
/// Not in constant time: the form of a key is no secret, and the checksum follows from the text itself.
pub fn inspect(text: &str) -> Form {
    if !text.starts_with(FAMILY) {
        return Form::Foreign;
    }
    let environment = Environment::ALL.into_iter().find(|environment| text.starts_with(environment.prefix()));
    let Some(environment) = environment else {
        return Form::Mistyped;
    };
    if text.len() != environment.prefix().len() + RANDOM_LENGTH + CHECKSUM_LENGTH {
        return Form::Mistyped;
    }
    // `None` where a character of several bytes lies across the boundary: not of ours either.
    match text.split_at_checked(text.len() - CHECKSUM_LENGTH) {
        Some((covered, presented)) if is_base62_after_prefix(covered, environment) => {
            if presented.as_bytes() == checksum(covered) {
                Form::WellFormed(environment)
            } else {
                Form::Mistyped
            }
        }
        _ => Form::Mistyped,
    }
}

fn is_base62_after_prefix(covered: &str, environment: Environment) -> bool {
    covered.bytes().skip(environment.prefix().len()).all(|byte| byte.is_ascii_alphanumeric())
}

/// Characters each of which is any of the 62 with the same chance: bytes cut to six bits, of which
/// the two values too many are thrown away.
fn random_base62(length: usize) -> Result<String, KeyError> {
    let mut text = String::with_capacity(length);
    let mut bytes = [0; 2 * RANDOM_LENGTH];
    while text.len() < length {
        getrandom::fill(&mut bytes).map_err(KeyError::Random)?;
        let characters = bytes
            .iter()
            .filter_map(|byte| BASE62.get(usize::from(byte & 0b11_1111)))
            .map(|character| char::from(*character));
        text.extend(characters.take(length - text.len()));
    }
    Ok(text)
}

/// The CRC-32 of everything before it, most significant digit first. It covers the prefix, so a
/// key cannot be moved to another environment.
fn checksum(covered: &str) -> [u8; CHECKSUM_LENGTH] {
    let mut rest = crc32fast::hash(covered.as_bytes());
    let mut digits = [b'0'; CHECKSUM_LENGTH];
    for digit in digits.iter_mut().rev() {
        let value = rest % 62;
        rest /= 62;
        // The remainder is below 62, so there is always a character for it.
        if let Some(character) = BASE62.get(value as usize) {
            *digit = *character;
        }
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::Index;
    use std::collections::HashSet;

    fn environments() -> impl Strategy<Value = Environment> {
        prop_oneof![Just(Environment::Production), Just(Environment::Sandbox)]
    }

    #[test]
    fn environments_are_written_as_read() {
        for environment in Environment::ALL {
            assert_eq!(environment.to_string().parse(), Ok(environment));
        }
        let error = "prod".parse::<Environment>().unwrap_err();
        assert_eq!(error.to_string(), "`prod` is no environment: it is `production` or `sandbox`");
    }

    #[test]
    fn checksums_are_those_of_known_texts() {
        // CRC-32 of "123456789" is 0xCBF43926 = 3421780262 by its definition (check value of CRC-32/ISO-HDLC).
        assert_eq!(&checksum("123456789"), b"3jZRME");
        assert_eq!(&checksum(""), b"000000");
    }

    #[test]
    fn a_fixed_key_stays_well_formed() {
        // Keys outlive versions of the program: the format must not change unnoticed.
        for (text, environment) in [
            ("ek_prod_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZa2OHwMD", Environment::Production),
            ("ek_sbx_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZa1kCavM", Environment::Sandbox),
        ] {
            assert_eq!(inspect(text), Form::WellFormed(environment), "{text}");
        }
    }

    #[test]
    fn what_is_ours_and_what_is_not() {
        for (text, form) in [
            ("", Form::Foreign),
            ("sk-proj-abc", Form::Foreign),
            ("EK_prod_0000", Form::Foreign),
            ("ek", Form::Foreign),
            ("ek_", Form::Mistyped),
            ("ek_prd_0000", Form::Mistyped),
            ("ek_prod_", Form::Mistyped),
            ("ek_sbx_äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüä", Form::Mistyped),
        ] {
            assert_eq!(inspect(text), form, "{text}");
        }
    }

    #[test]
    fn new_keys_are_all_different() {
        let made: HashSet<String> =
            (0..1000).map(|_| generate(Environment::Sandbox).unwrap().reveal().to_owned()).collect();
        assert_eq!(made.len(), 1000);
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        let secret = generate(Environment::Production).unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    proptest! {
        #[test]
        fn a_made_key_is_well_formed(environment in environments()) {
            let secret = generate(environment).unwrap();
            prop_assert_eq!(inspect(secret.reveal()), Form::WellFormed(environment));
            prop_assert_eq!(secret.reveal().len(), environment.prefix().len() + 43);
        }

        #[test]
        fn any_other_character_anywhere_is_noticed(environment in environments(), at in any::<Index>(), to in any::<char>()) {
            let mut characters: Vec<char> = generate(environment).unwrap().reveal().chars().collect();
            let at = at.index(characters.len());
            prop_assume!(characters[at] != to);
            characters[at] = to;
            let changed = String::from_iter(characters);
            let expected = if at < FAMILY.len() { Form::Foreign } else { Form::Mistyped };
            prop_assert_eq!(inspect(&changed), expected, "{}", changed);
        }

        #[test]
        fn two_neighbours_swapped_are_noticed(environment in environments(), at in any::<Index>()) {
            let mut characters: Vec<char> = generate(environment).unwrap().reveal().chars().collect();
            let at = environment.prefix().len() + at.index(42);
            prop_assume!(characters[at] != characters[at + 1]);
            characters.swap(at, at + 1);
            prop_assert_eq!(inspect(&String::from_iter(characters)), Form::Mistyped);
        }

        #[test]
        fn a_part_or_more_than_a_key_is_noticed(environment in environments(), at in any::<Index>(), more in "[ -~]{1,8}") {
            let secret = generate(environment).unwrap();
            let part = &secret.reveal()[..at.index(secret.reveal().len())];
            prop_assert!(!matches!(inspect(part), Form::WellFormed(_)));
            let longer = secret.reveal().to_owned() + &more;
            prop_assert_eq!(inspect(&longer), Form::Mistyped);
        }

        #[test]
        fn a_key_under_the_other_prefix_is_noticed(environment in environments()) {
            let secret = generate(environment).unwrap();
            let rest = secret.reveal().strip_prefix(environment.prefix()).unwrap();
            for other in Environment::ALL.into_iter().filter(|other| *other != environment) {
                let moved = format!("{}{rest}", other.prefix());
                prop_assert_eq!(inspect(&moved), Form::Mistyped);
            }
        }

        #[test]
        fn no_text_is_too_odd(text in any::<String>()) {
            for prefix in ["", "ek_", "ek_prod_", "ek_sbx_"] {
                let text = format!("{prefix}{text}");
                prop_assert!(!matches!(inspect(&text), Form::WellFormed(_)));
            }
        }
    }
}
