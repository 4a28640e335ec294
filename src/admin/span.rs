//! How long an operator suspends a pair for: `"90s"`, `"1h"`, or a number of seconds.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// The longest: 30 days.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The units, each with its milliseconds. A number without one is of seconds.
const UNITS: [(&str, u64); 6] =
    [("ms", 1), ("s", 1000), ("", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// From a millisecond to 30 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldSpan(pub Duration);

/// A text is no [`HoldSpan`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a duration above 0 and up to `30d`: a whole number with a unit, such as `90s`, `5m`, `12h` or `2d`, or \
     a number of seconds"
)]
pub struct HoldSpanError;

impl HoldSpan {
    /// Reads a whole number with one of the units `ms`, `s`, `m`, `h`, `d`, or none for seconds.
    ///
    /// # Errors
    /// If it is something else, or out of range.
    pub fn parse(text: &str) -> Result<Self, HoldSpanError> {
        let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(unit_at);
        let unit = UNITS.iter().find(|(name, _)| *name == unit);
        let millis = match (unit, number.parse::<u64>()) {
            (Some((_, unit)), Ok(number)) if !text.starts_with('0') => number.checked_mul(*unit),
            _ => None,
        };
        Self::within(Duration::from_millis(millis.ok_or(HoldSpanError)?))
    }

    fn of_seconds(seconds: f64) -> Result<Self, HoldSpanError> {
        let span = Duration::try_from_secs_f64(seconds).map_err(|_| HoldSpanError)?;
        // A number is rounded, so that the least that is allowed does not depend on its binary form.
        let millis = span.as_micros().saturating_add(500) / 1000;
        Self::within(Duration::from_millis(u64::try_from(millis).map_err(|_| HoldSpanError)?))
    }

    fn within(span: Duration) -> Result<Self, HoldSpanError> {
        if span.is_zero() || span > LONGEST { Err(HoldSpanError) } else { Ok(Self(span)) }
    }
}

impl<'de> Deserialize<'de> for HoldSpan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HoldSpanVisitor)
    }
}

struct HoldSpanVisitor;

impl Visitor<'_> for HoldSpanVisitor {
    type Value = HoldSpan;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = HoldSpanError.to_string();
        f.write_str(message.strip_prefix("expected ").unwrap_or(&message))
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<HoldSpan, E> {
        self.visit_f64(seconds as f64)
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<HoldSpan, E> {
        self.visit_f64(seconds as f64)
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<HoldSpan, E> {
        HoldSpan::of_seconds(seconds).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<HoldSpan, E> {
        HoldSpan::parse(text).map_err(E::custom)
    }
}

/// The schema says exactly what is accepted, so that a program can tell beforehand.
impl JsonSchema for HoldSpan {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "HoldSpan".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let longest = LONGEST.as_secs() * 1000;
        let numbers = UNITS.iter().map(|(name, millis)| format!("(?:{}){name}", up_to(longest / millis)));
        let pattern = format!("^(?:{})$", numbers.collect::<Vec<_>>().join("|"));
        json_schema!({ "anyOf": [
            { "type": "number", "minimum": 0.001, "maximum": LONGEST.as_secs() },
            { "type": "string", "pattern": pattern },
        ] })
    }
}

/// A regular expression for the whole numbers from 1 to `greatest`, without leading zeros.
fn up_to(greatest: u64) -> String {
    let digits = greatest.to_string();
    let mut parts = Vec::new();
    if digits.len() > 1 {
        parts.push(format!("[1-9][0-9]{{0,{}}}", digits.len() - 2));
    }
    for (place, digit) in digits.char_indices() {
        let least = if place == 0 { 1 } else { 0 };
        // As many digits, the first to differ being smaller here.
        let below = digit.to_digit(10).and_then(|digit| digit.checked_sub(1)).filter(|below| *below >= least);
        if let (Some(below), Some(same)) = (below, digits.get(..place)) {
            parts.push(format!("{same}[{least}-{below}][0-9]{{{}}}", digits.len() - place - 1));
        }
    }
    parts.push(digits);
    parts.join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_numbers() {
        let table = [
            ("60", Some(60_000)),
            ("60s", Some(60_000)),
            ("1ms", Some(1)),
            ("5m", Some(300_000)),
            ("30d", Some(2_592_000_000)),
            ("2592000000ms", Some(2_592_000_000)),
            ("31d", None),
            ("2592000001ms", None),
            ("721h", None),
            ("0", None),
            ("0s", None),
            ("060s", None),
            ("1.5h", None),
            ("-1s", None),
            ("1 s", None),
            ("1S", None),
            ("s", None),
            ("", None),
            ("99999999999999999999d", None),
            ("18446744073709551615d", None),
        ];
        for (text, millis) in table {
            let expected = millis.map(Duration::from_millis);
            assert_eq!(HoldSpan::parse(text).ok().map(|span| span.0), expected, "{text}");
            let json = serde_json::to_string(text).unwrap();
            assert_eq!(serde_json::from_str::<HoldSpan>(&json).ok().map(|span| span.0), expected, "{text}");
        }
        for (number, millis) in [
            ("60", Some(60_000)),
            ("0.001", Some(1)),
            ("0.25", Some(250)),
            ("2592000", Some(2_592_000_000)),
            ("2592000.1", None),
            ("0", None),
            ("-1", None),
            ("-0.5", None),
            ("1e300", None),
            ("18446744073709551616", None),
            ("true", None),
            ("[60]", None),
        ] {
            let expected = millis.map(Duration::from_millis);
            assert_eq!(
                serde_json::from_str::<HoldSpan>(number).ok().map(|span| span.0),
                expected,
                "{number}"
            );
        }
    }

    /// The alternatives are plain enough to be read here: fixed digits, then a class, then any digits.
    fn accepts(pattern: &str, number: u64) -> bool {
        let number = number.to_string();
        pattern.split('|').any(|part| {
            let Some((fixed, rest)) = part.split_once('[') else { return part == number };
            let (class, rest) = rest.split_once(']').unwrap();
            let (low, high) = class.split_once('-').unwrap();
            let counts = rest.trim_start_matches("[0-9]{").trim_end_matches('}');
            let (least, most) = counts.split_once(',').unwrap_or((counts, counts));
            let (least, most): (usize, usize) = (least.parse().unwrap(), most.parse().unwrap());
            let Some(tail) = number.strip_prefix(fixed) else { return false };
            let first = tail.get(..1).is_some_and(|digit| (low..=high).contains(&digit));
            first && (least..=most).contains(&(tail.len() - 1))
        })
    }

    #[test]
    fn the_pattern_of_a_range_is_exact() {
        for greatest in [1, 9, 10, 30, 99, 100, 720, 1001, 2592] {
            let pattern = up_to(greatest);
            for number in 0..greatest * 2 + 20 {
                let expected = (1..=greatest).contains(&number);
                assert_eq!(accepts(&pattern, number), expected, "{number} of {greatest}: {pattern}");
            }
        }
    }
}
