//! What vendors say of their limits in the headers of a response: how long to stay away, and whether anything is left.
//!
//! Facts: `Retry-After` is RFC 9110, 10.2.3; `retry-after-ms` and `x-ratelimit-*` are OpenAI's and Azure's, whose resets
//! are written as Go writes durations (`6m0s`, `20ms`) or as a moment; `anthropic-ratelimit-*-reset` is RFC 3339. Which of
//! them a vendor has is in its file in `conf/vendors/`.
//! What cannot be read is passed over: a vendor's odd header is no reason to fail a request.

use http::{HeaderMap, HeaderName, HeaderValue};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

static RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");

/// Beyond this, a bare number is a moment: seconds since 1970, not seconds to wait.
const EARLIEST_MOMENT: f64 = 1_000_000_000.0;

/// The headers in which a vendor tells of its limits, beside `Retry-After` and `retry-after-ms`, which are looked at always.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// Those that tell how many tokens are left.
    pub remaining_tokens: Vec<HeaderName>,
    /// Those that tell when a limit is reset, by a duration or a moment.
    pub resets: Vec<HeaderName>,
}

impl Limits {
    /// How long the vendor asks to be left alone, counted from `now`: the longest that it says.
    pub fn delay(&self, headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
        let retry_after =
            texts(headers, &http::header::RETRY_AFTER).filter_map(|text| retry_after(text, now));
        let milliseconds = texts(headers, &RETRY_AFTER_MS)
            .filter_map(|text| text.parse().ok())
            .filter_map(|milliseconds: f64| Duration::try_from_secs_f64(milliseconds / 1000.0).ok());
        let resets =
            self.resets.iter().flat_map(|name| texts(headers, name)).filter_map(|text| reset(text, now));
        retry_after.chain(milliseconds).chain(resets).max()
    }

    /// Whether the vendor says that no tokens are left.
    pub fn is_exhausted(&self, headers: &HeaderMap) -> bool {
        // Every good response comes here. Those headers that are there are looked at, as to look for each that might be
        // there takes longer.
        let remaining = headers.iter().filter(|(name, _)| self.remaining_tokens.contains(name));
        remaining.filter_map(|(_, value)| number(value)).any(|left| left <= 0.0)
    }
}

fn number(value: &HeaderValue) -> Option<f64> {
    value.to_str().ok()?.trim().parse().ok()
}

fn texts<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).into_iter();
    values.filter_map(|value| value.to_str().ok()).map(str::trim)
}

/// Seconds, or an HTTP date.
fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => Some(until(httpdate::parse_http_date(text).ok()?, now)),
    }
}

/// A duration such as `6m0s`, seconds, a moment in seconds or milliseconds since 1970, or one of RFC 3339.
fn reset(text: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(number) = text.parse::<f64>() {
        return number_of_seconds(number, now);
    }
    if let Some(duration) = go_duration(text) {
        return Some(duration);
    }
    Some(until(humantime::parse_rfc3339_weak(text).ok()?, now))
}

fn number_of_seconds(number: f64, now: SystemTime) -> Option<Duration> {
    if number < EARLIEST_MOMENT {
        return Duration::try_from_secs_f64(number).ok();
    }
    let in_milliseconds = number >= 1000.0 * EARLIEST_MOMENT;
    let seconds = if in_milliseconds { number / 1000.0 } else { number };
    let moment = UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
    Some(until(moment, now))
}

/// A duration as Go writes it: numbers, each with a unit, without spaces.
fn go_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at_checked(unit_at)?;
        let next = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(next)?;
        let unit = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * unit).ok()?;
        total = total.checked_add(part)?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

fn until(moment: SystemTime, now: SystemTime) -> Duration {
    moment.duration_since(now).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-01T00:00:00Z
    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_767_225_600)
    }

    fn limits() -> Limits {
        let names = |names: &[&'static str]| names.iter().map(|name| HeaderName::from_static(name)).collect();
        Limits {
            remaining_tokens: names(&[
                "x-ratelimit-remaining-tokens",
                "anthropic-ratelimit-tokens-remaining",
            ]),
            resets: names(&[
                "x-ratelimit-reset-requests",
                "x-ratelimit-reset-tokens",
                "anthropic-ratelimit-tokens-reset",
                "anthropic-ratelimit-input-tokens-reset",
            ]),
        }
    }

    fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
        let pair =
            |&(name, value): &(&'static str, &str)| (HeaderName::from_static(name), value.parse().unwrap());
        list.iter().map(pair).collect()
    }

    #[test]
    fn every_form_of_a_delay() {
        let table = [
            ("retry-after", "30", Some(30_000)),
            ("retry-after", "1.5", Some(1_500)),
            ("retry-after", "Thu, 01 Jan 2026 00:01:00 GMT", Some(60_000)),
            ("retry-after", "Wed, 31 Dec 2025 00:00:00 GMT", Some(0)),
            ("retry-after", "soon", None),
            ("retry-after", "-5", None),
            ("retry-after", "NaN", None),
            ("retry-after", "1e300", None),
            ("retry-after-ms", "250", Some(250)),
            ("retry-after-ms", "x", None),
            ("x-ratelimit-reset-requests", "6m0s", Some(360_000)),
            ("x-ratelimit-reset-tokens", "20ms", Some(20)),
            ("x-ratelimit-reset-tokens", "1h2m3.5s", Some(3_723_500)),
            ("x-ratelimit-reset-tokens", "45", Some(45_000)),
            ("x-ratelimit-reset-tokens", "1767225660", Some(60_000)),
            ("x-ratelimit-reset-tokens", "1767225660000", Some(60_000)),
            ("x-ratelimit-reset-tokens", "2026-01-01T00:00:10Z", Some(10_000)),
            ("x-ratelimit-reset-tokens", "6 minutes", None),
            ("x-ratelimit-reset-tokens", "", None),
            ("anthropic-ratelimit-tokens-reset", "2026-01-01T00:02:00Z", Some(120_000)),
            ("anthropic-ratelimit-input-tokens-reset", "2025-01-01T00:02:00Z", Some(0)),
            ("x-other", "30", None),
        ];
        for (name, value, milliseconds) in table {
            let expected = milliseconds.map(Duration::from_millis);
            assert_eq!(limits().delay(&headers(&[(name, value)]), now()), expected, "{name}: {value}");
        }
    }

    #[test]
    fn the_longest_of_several_counts() {
        let several = [("retry-after", "3"), ("x-ratelimit-reset-tokens", "5s"), ("retry-after-ms", "1")];
        assert_eq!(limits().delay(&headers(&several), now()), Some(Duration::from_secs(5)));
        assert_eq!(limits().delay(&HeaderMap::new(), now()), None);
    }

    #[test]
    fn nothing_left_is_told_by_a_number() {
        for (value, expected) in [("0", true), ("-3", true), ("1", false), ("none", false), ("", false)] {
            assert_eq!(
                limits().is_exhausted(&headers(&[("x-ratelimit-remaining-tokens", value)])),
                expected,
                "{value}"
            );
            let anthropic = headers(&[("anthropic-ratelimit-tokens-remaining", value)]);
            assert_eq!(limits().is_exhausted(&anthropic), expected, "{value}");
        }
        // Requests that are left are no tokens.
        assert!(!limits().is_exhausted(&headers(&[("x-ratelimit-remaining-requests", "0")])));
    }
}
