//! The `traceparent` header of W3C Trace Context, levels 1 and 2 (<https://www.w3.org/TR/trace-context-2/>).

use http::header::{HeaderMap, HeaderName, HeaderValue};
use serde::{Serialize, Serializer};
use std::fmt;

/// The header that says which trace a request belongs to, and what in it caused the request.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// The header that holds what tracing systems add to that. It means nothing without a valid [`TRACEPARENT`].
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The length of a value in version 00, in bytes.
const LENGTH: usize = 55;

/// The bit of the flags that says that the caller may have recorded the trace.
const SAMPLED: u8 = 1;
/// The bit of the flags that says that the trace's id is random (level 2).
const RANDOM: u8 = 2;

/// The id of a trace, never 0. Shown as 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceId(u128);

impl TraceId {
    /// The id as a number.
    pub fn number(self) -> u128 {
        self.0
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&digits::<32>(self.0)).unwrap_or_default())
    }
}

impl Serialize for TraceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&digits::<32>(self.0)).unwrap_or_default())
    }
}

/// A request's place in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    trace: TraceId,
    parent: u64,
    flags: u8,
}

impl TraceParent {
    /// The place with these numbers; `None` if one of the ids is 0, which is no id.
    pub fn new(trace: u128, parent: u64, sampled: bool, random: bool) -> Option<Self> {
        let flags = u8::from(sampled) * SAMPLED + u8::from(random) * RANDOM;
        (trace != 0 && parent != 0).then_some(Self { trace: TraceId(trace), parent, flags })
    }

    /// The beginning of a trace of its own, which nothing records.
    pub fn begin() -> Self {
        Self { trace: TraceId(fastrand::u128(1..)), parent: fastrand::u64(1..), flags: 0 }
    }

    /// The place that a request's headers tell; `None` if they tell none, more than one, or none that is valid.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(TRACEPARENT).into_iter();
        let parsed = Self::parse(values.next()?.as_bytes())?;
        values.next().is_none().then_some(parsed)
    }

    /// Reads the value of a header. Of a version to come, that is read which this one has, too.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let (version, rest) = hexadecimal(value, 2)?;
        let (trace, rest) = hexadecimal(rest.strip_prefix(b"-")?, 32)?;
        let (parent, rest) = hexadecimal(rest.strip_prefix(b"-")?, 16)?;
        let (flags, rest) = hexadecimal(rest.strip_prefix(b"-")?, 2)?;
        let ends = match version {
            0 => rest.is_empty(),
            0xff => false,
            _ => rest.is_empty() || rest.starts_with(b"-"),
        };
        let (parent, flags) = (u64::try_from(parent).ok()?, u8::try_from(flags).ok()?);
        Self::new(trace, parent, flags & SAMPLED != 0, flags & RANDOM != 0).filter(|_| ends)
    }

    /// The id of the trace.
    pub fn trace(&self) -> TraceId {
        self.trace
    }

    /// The id of what caused the request, never 0.
    pub fn parent(&self) -> u64 {
        self.parent
    }

    /// Whether the caller may have recorded the trace.
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// Whether the trace's id is said to be random.
    pub fn is_random(&self) -> bool {
        self.flags & RANDOM != 0
    }

    /// The header's value, in version 00.
    pub fn header(&self) -> HeaderValue {
        let mut text = Vec::with_capacity(LENGTH);
        text.extend_from_slice(b"00-");
        text.extend_from_slice(&digits::<32>(self.trace.0));
        text.push(b'-');
        text.extend_from_slice(&digits::<16>(self.parent.into()));
        text.push(b'-');
        text.extend_from_slice(&digits::<2>(self.flags.into()));
        // Hexadecimal digits and dashes are a legal header value.
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("-"))
    }
}

/// The last `N` lower-case hexadecimal digits of a number. Rust's own formatting takes several times as long, which is
/// seen where every request has two such numbers.
pub fn digits<const N: usize>(number: u128) -> [u8; N] {
    let mut rest = number;
    let mut digits = [b'0'; N];
    for digit in digits.iter_mut().rev() {
        let [lowest, ..] = rest.to_le_bytes();
        *digit = match lowest & 0xf {
            low @ 0..=9 => b'0' + low,
            high => b'a' + high - 10,
        };
        rest >>= 4;
    }
    digits
}

/// The number that the first `digits` bytes are in lower-case hexadecimal, and what comes after them.
fn hexadecimal(bytes: &[u8], digits: usize) -> Option<(u128, &[u8])> {
    let (field, rest) = bytes.split_at_checked(digits)?;
    let number = field.iter().try_fold(0, |number: u128, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(digit))
    })?;
    Some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_the_number() {
        for number in [0, 1, 0xf, 0x10, 0x0123_4567_89ab_cdef, u128::MAX] {
            assert_eq!(digits::<32>(number)[..], *format!("{number:032x}").as_bytes());
        }
        assert_eq!(digits::<2>(0xabcd), *b"cd");
    }

    const TRACE: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;
    const PARENT: u64 = 0x00f0_67aa_0ba9_02b7;

    fn valid(sampled: bool, random: bool) -> Option<TraceParent> {
        let parsed = TraceParent::new(TRACE, PARENT, sampled, random);
        assert!(parsed.is_some());
        parsed
    }

    #[test]
    fn values_are_read() {
        let table = [
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", valid(true, false)),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", valid(false, false)),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03", valid(true, true)),
            // Flags that are not known are not read.
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-f8", valid(false, false)),
            // Versions to come.
            ("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", valid(true, false)),
            ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes", valid(true, false)),
            ("fe-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-", valid(true, false)),
        ];
        for (text, expected) in table {
            assert_eq!(TraceParent::parse(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_valid_is_none() {
        for text in [
            "",
            "00",
            "00-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            // All zero.
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            // Not lower-case hexadecimal.
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0A",
            "+0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            // Fields of other lengths, other separators.
            "0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e47360-0f067aa0ba902b7-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            // Version 00 has an end, version ff does not exist.
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            // A version to come whose flags have no end.
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-011",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.x",
        ] {
            assert_eq!(TraceParent::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn one_header_is_read_and_no_more() {
        let one = HeaderValue::from_static("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        let mut headers = HeaderMap::new();
        assert_eq!(TraceParent::of(&headers), None);
        headers.append(TRACEPARENT, one.clone());
        assert_eq!(TraceParent::of(&headers), valid(true, false));
        headers.append(TRACEPARENT, one);
        assert_eq!(TraceParent::of(&headers), None, "twice the same is still twice");
    }

    #[test]
    fn a_value_is_written_as_it_is_read() {
        for (sampled, random) in [(false, false), (true, false), (false, true), (true, true)] {
            let parent = TraceParent::new(1, 2, sampled, random).unwrap();
            let header = parent.header();
            assert_eq!((TraceParent::parse(header.as_bytes()), header.len()), (Some(parent), LENGTH));
            assert_eq!((parent.is_sampled(), parent.is_random()), (sampled, random));
        }
        let parent = TraceParent::new(0xab, 0xc, true, false).unwrap();
        assert_eq!(parent.header(), "00-000000000000000000000000000000ab-000000000000000c-01");
        assert_eq!(serde_json::to_string(&parent.trace()).unwrap(), "\"000000000000000000000000000000ab\"");
    }

    #[test]
    fn a_trace_begins_with_ids_of_its_own_and_is_not_recorded() {
        let (one, other) = (TraceParent::begin(), TraceParent::begin());
        assert_eq!(TraceParent::parse(one.header().as_bytes()), Some(one));
        assert!(!one.is_sampled());
        assert_ne!(one.trace(), other.trace());
        assert_ne!(one.parent(), other.parent());
    }
}
