//! Durations and sizes as they are written: `30s`, `20MiB`.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// The longest duration: a day. Nothing here takes longer, and no sum of a few of them overflows.
const MAX_DURATION: Duration = Duration::from_secs(24 * 60 * 60);

/// The greatest size: 4 GiB, as a body of it may be held in memory.
const MAX_SIZE: u64 = 4 << 30;

/// A duration above 0, at most a day: `250ms`, `30s`, `5m`, `1h`, or a number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span(pub(super) Duration);

/// A number of bytes above 0, at most 4 GiB: `512KiB`, `20MiB`, `1GiB`, or bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size(pub(super) usize);

impl Span {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(unit_at);
        let unit = match unit.trim_start() {
            "ms" => 0.001,
            "" | "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        Self::of_seconds(number.parse::<f64>().ok()? * unit)
    }

    fn of_seconds(seconds: f64) -> Option<Self> {
        let duration = Duration::try_from_secs_f64(seconds).ok()?;
        // Finer than anything here can be measured, and 0 in most of what it would be compared with.
        let duration = Duration::from_millis(u64::try_from(duration.as_millis()).ok()?);
        (!duration.is_zero() && duration <= MAX_DURATION).then_some(Self(duration))
    }
}

impl Size {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(unit_at);
        let unit = match unit.trim_start() {
            "" | "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return None,
        };
        Self::of_bytes(number.parse::<u64>().ok()?.checked_mul(unit)?)
    }

    fn of_bytes(bytes: u64) -> Option<Self> {
        let size = usize::try_from(bytes).ok()?;
        (1..=MAX_SIZE).contains(&bytes).then_some(Self(size))
    }
}

/// A text is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a duration above 0 and up to `24h`, such as `250ms`, `30s`, `5m`, `1h` or a number of seconds"
)]
pub struct DurationError;

/// Reads a duration as a configuration has it: `250ms`, `30s`, `5m`, `1h`, or a number of seconds.
///
/// # Errors
/// If it is none, or not above 0 and at most a day.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    Span::parse(text).map(|span| span.0).ok_or(DurationError)
}

/// How `text` may have been meant, in another spelling of its unit: `5 sec`, `20MB`.
pub(super) fn suggestion(text: &str, expected: &str) -> Option<String> {
    let text = text.trim();
    let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(unit_at);
    let unit = match unit.trim().to_lowercase().as_str() {
        "ms" | "msec" | "millis" | "milliseconds" => "ms",
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "min" | "mins" | "minute" | "minutes" => "m",
        "hr" | "hrs" | "hour" | "hours" => "h",
        "k" | "kb" | "kib" => "KiB",
        "m" | "mb" | "mib" => "MiB",
        "g" | "gb" | "gib" => "GiB",
        _ => return None,
    };
    let suggestion = format!("{number}{unit}");
    let fits = match expected.split(' ').nth(1)? {
        "duration" => Span::parse(&suggestion).is_some(),
        "size" => Size::parse(&suggestion).is_some(),
        _ => false,
    };
    (fits && suggestion != text).then_some(suggestion)
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SpanVisitor)
    }
}

struct SpanVisitor;

impl Visitor<'_> for SpanVisitor {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = DurationError.to_string();
        f.write_str(message.strip_prefix("expected ").unwrap_or(&message))
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Span, E> {
        self.visit_f64(seconds as f64)
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<Span, E> {
        Span::of_seconds(seconds).ok_or_else(|| E::invalid_value(Unexpected::Float(seconds), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Span, E> {
        Span::parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SizeVisitor)
    }
}

struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = Size;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size above 0 and up to `4GiB`, such as `512KiB`, `20MiB`, `1GiB` or a number of bytes")
    }

    fn visit_u64<E: Error>(self, bytes: u64) -> Result<Size, E> {
        Size::of_bytes(bytes).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(bytes), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
        Size::parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

impl JsonSchema for Span {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pattern = r"^[0-9]+(\.[0-9]+)?\s*(ms|s|m|h)?$|\$\{";
        json_schema!({ "type": ["number", "string"], "exclusiveMinimum": 0, "maximum": 86400, "pattern": pattern })
    }
}

impl JsonSchema for Size {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pattern = r"^[0-9]+\s*(B|KiB|MiB|GiB)?$|\$\{";
        json_schema!({ "type": ["integer", "string"], "minimum": 1, "maximum": MAX_SIZE, "pattern": pattern })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let table = [
            ("250ms", Some(250)),
            ("30s", Some(30_000)),
            ("30", Some(30_000)),
            (" 5 m ", Some(300_000)),
            ("1h", Some(3_600_000)),
            ("24h", Some(86_400_000)),
            ("1.5s", Some(1_500)),
            ("0.5", Some(500)),
            ("0", None),
            ("0.1ms", None),
            ("25h", None),
            ("-1s", None),
            ("1d", None),
            ("1S", None),
            ("s", None),
            ("", None),
            (".", None),
            ("1.2.3s", None),
            ("1e3", None),
            ("inf", None),
            ("99999999999999999999999h", None),
        ];
        for (text, millis) in table {
            let expected = millis.map(|millis| Span(Duration::from_millis(millis)));
            assert_eq!(Span::parse(text), expected, "{text}");
        }
        for seconds in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300, 86_401.0] {
            assert_eq!(Span::of_seconds(seconds), None, "{seconds}");
        }
    }

    #[test]
    fn other_spellings() {
        let table = [
            ("5 sec", "a duration", Some("5s")),
            ("30Minutes", "a duration", Some("30m")),
            ("90 hours", "a duration", None),
            ("20MB", "a size", Some("20MiB")),
            ("20m", "a size", Some("20MiB")),
            ("20mb", "a duration", None),
            ("many", "a size", None),
            ("", "a size", None),
        ];
        for (text, expected, meant) in table {
            assert_eq!(suggestion(text, expected).as_deref(), meant, "{text}");
        }
    }

    #[test]
    fn sizes() {
        let table = [
            ("1", Some(1)),
            ("512KiB", Some(524_288)),
            ("20 MiB", Some(20_971_520)),
            ("4GiB", Some(4 << 30)),
            ("5GiB", None),
            ("0", None),
            ("20MB", None),
            ("1.5MiB", None),
            ("-1", None),
            ("", None),
            ("18446744073709551615GiB", None),
        ];
        for (text, bytes) in table {
            assert_eq!(Size::parse(text), bytes.map(Size), "{text}");
        }
    }
}
