//! What serde says about a value that does not fit, before it is known where the value stands.

use serde::de::{Error, Expected, Unexpected};
use std::fmt;

/// Why a value does not fit its type.
#[derive(Debug)]
pub(super) enum Flaw {
    /// Something else was expected; what was found, the reader sees for itself.
    Expected(String),
    /// It is none of these names.
    NotOneOf(&'static [&'static str]),
    /// Anything else.
    Other(String),
    /// It has been reported already.
    Reported,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expected(expected) => write!(f, "expected {expected}"),
            Self::NotOneOf(names) => write!(f, "expected {}", one_of(names)),
            Self::Other(message) => f.write_str(message),
            Self::Reported => f.write_str("reported already"),
        }
    }
}

impl std::error::Error for Flaw {}

impl Error for Flaw {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Other(message.to_string())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Expected(plain(&expected.to_string()).to_owned())
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn unknown_variant(_: &str, names: &'static [&'static str]) -> Self {
        Self::NotOneOf(names)
    }
}

/// What serde's own types say they expect, in the words of a configuration.
fn plain(expected: &str) -> &str {
    match expected {
        "a string" | "path string" => "text",
        "a boolean" => "`true` or `false`",
        "usize" | "u8" | "u16" | "u32" | "u64" => "a whole number of 0 or more",
        "a map" => "a mapping",
        "a sequence" => "a list",
        "IPv4 address" => "an IPv4 address",
        "IPv6 address" => "an IPv6 address",
        other if other.starts_with("struct ") => "a mapping",
        other => other,
    }
}

/// `` `a`, `b` or `c` ``.
pub(super) fn one_of(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.join(""),
    }
}
