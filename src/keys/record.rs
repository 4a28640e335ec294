//! What is kept of a key.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::error::KeyError;
use super::secret::Environment;

const MAX_NAME_LENGTH: usize = 64;
/// Characters of a key's end that its record shows.
const HINT_LENGTH: usize = 4;

/// The name a person gives to a key: 1 to 64 of `A-Z a-z 0-9 . _ -`. It appears in the access log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct KeyName(String);

impl KeyName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for KeyName {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let is_name = (1..=MAX_NAME_LENGTH).contains(&text.len()) && text.bytes().all(is_allowed);
        if !is_name {
            return Err(KeyError::InvalidName(text));
        }
        Ok(Self(text))
    }
}

impl FromStr for KeyName {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text.to_owned())
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The SHA-256 of a key's text; 64 hexadecimal digits in the file. Compared in constant time.
///
/// A plain hash is enough: a key is 192 bits of chance and more, not a password, so there is
/// nothing to guess that a slow hash would protect.
#[derive(Clone, Copy, Debug)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// Hashes the text of a key.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for KeyHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for KeyHash {}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for KeyHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        from_hex(&text).map(Self).ok_or_else(|| de::Error::custom("a hash is 64 hexadecimal digits"))
    }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut digits = text.chars().map(|digit| digit.to_digit(16));
    let mut bytes = [0; 32];
    for byte in &mut bytes {
        let high = digits.next()??;
        let low = digits.next()??;
        *byte = u8::try_from(high << 4 | low).ok()?;
    }
    digits.next().is_none().then_some(bytes)
}

/// One key as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRecord {
    /// Tells the keys of a file apart.
    pub name: KeyName,
    /// The environment that requests with this key run in.
    pub environment: Environment,
    /// Names of the AI APIs it opens; `None` opens all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apis: Option<Vec<String>>,
    /// The hash of its text.
    pub hash: KeyHash,
    /// Its prefix and last characters, for a person to recognise it: `ek_prod_…x7Qa`.
    pub hint: String,
    /// When it was made, after RFC 3339, in UTC.
    pub created_at: String,
}

impl KeyRecord {
    /// Whether the key is for the AI API called `name`.
    pub fn opens(&self, name: &str) -> bool {
        self.apis.as_ref().is_none_or(|apis| apis.iter().any(|api| api == name))
    }
}

/// `ek_prod_…x7Qa` for the text of a key of `environment`.
pub(super) fn hint(environment: Environment, text: &str) -> String {
    let end: String = text.chars().skip(text.chars().count().saturating_sub(HINT_LENGTH)).collect();
    format!("{}…{end}", environment.prefix())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        for name in ["a", "A.b_c-9", &"x".repeat(64)] {
            assert_eq!(name.parse::<KeyName>().unwrap().as_str(), name);
        }
        for name in ["", " ", "a b", "a\n", "ä", "a/b", &"x".repeat(65)] {
            let error = name.parse::<KeyName>().unwrap_err();
            assert!(matches!(error, KeyError::InvalidName(_)), "{name}");
        }
    }

    #[test]
    fn hashes_are_sha_256_in_hex() {
        // "abc", from FIPS 180-4's examples.
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let hash = KeyHash::of("abc");
        assert_eq!(hash.to_string(), hex);
        assert_eq!(serde_yaml::from_str::<KeyHash>(hex).unwrap(), hash);
        assert_eq!(serde_yaml::from_str::<KeyHash>(&hex.to_uppercase()).unwrap(), hash);
        assert_ne!(KeyHash::of("abd"), hash);
        for wrong in ["\"\"", &hex[1..], &format!("{hex}0"), &hex.replace('b', "g")] {
            assert!(serde_yaml::from_str::<KeyHash>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_opens_the_apis_it_names_or_all() {
        let mut record = KeyRecord {
            name: "n".parse().unwrap(),
            environment: Environment::Sandbox,
            apis: None,
            hash: KeyHash::of(""),
            hint: String::new(),
            created_at: String::new(),
        };
        assert!(record.opens("Chat"));
        record.apis = Some(vec!["Chat".to_owned()]);
        assert!(record.opens("Chat"));
        assert!(!record.opens("chat"));
        record.apis = Some(vec![]);
        assert!(!record.opens("Chat"));
    }

    #[test]
    fn a_hint_shows_the_end() {
        let hint = hint(Environment::Production, "ek_prod_abcdefx7Qa");
        assert_eq!(hint, "ek_prod_…x7Qa");
    }
}
