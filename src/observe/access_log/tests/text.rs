//! Both formats, byte for byte.

use super::super::*;
use super::entry;
use proptest::prelude::*;

/// With every field, and with all that must not break a line.
fn full_entry() -> Entry<'static> {
    Entry {
        time: SystemTime::UNIX_EPOCH + Duration::from_micros(1_790_000_000_000_001),
        request_id: "",
        path: "/a=b/\\c/\u{7f}",
        key: Some("größe-\u{2028}-模型"),
        asked_model: Some("a\nb\r\t\u{8}\u{c}\u{0}\u{1b}[31m/\"\\ status=200"),
        error: Some("no_active_endpoints"),
        attempts: Some("m@e=429, m%20n@e=200"),
        suspended: true,
        vendor_request_id: Some("ü"),
        first_byte_seconds: Some(1e-7),
        duration_seconds: 3.0,
        completion_tokens: Some(0),
        cached_tokens: Some(u32::MAX),
        total_tokens: Some(7),
        bytes_received: u64::MAX,
        ..entry()
    }
}

fn line(entry: &Entry<'_>, format: Format) -> String {
    String::from_utf8(Line::new().of(entry, format).to_vec()).unwrap()
}

/// What a line of logfmt is, told by the values of the JSON object: slow, and easy to read.
fn logfmt(entry: &Entry<'_>) -> String {
    let value = serde_json::to_value(entry).unwrap();
    let pair = |(name, value): (&String, &serde_json::Value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let is_special = |c| c <= ' ' || c == '"' || c == '=' || c == '\\' || c == '\u{7f}';
        let needs_quotes = text.is_empty() || text.chars().any(is_special);
        let shown = if needs_quotes { serde_json::to_string(&text).unwrap() } else { text };
        format!("{name}={shown}")
    };
    value.as_object().unwrap().iter().map(pair).collect::<Vec<_>>().join(" ") + "\n"
}

#[test]
fn json_lines() {
    assert_eq!(
        line(&entry(), Format::Json),
        concat!(
            r#"{"time":"1970-01-01T00:00:00.000000Z","request_id":"r1","#,
            r#""trace_id":"000000000000000000000000000000ab","method":"POST","path":"/smartchat/chat/completions","#,
            r#""api":"SmartChat","environment":"production","asked_model":"o3 \"mini\"","model":"gpt-4o","#,
            r#""endpoint":"Default Production Endpoint","status":200,"first_byte_seconds":0.0015,"#,
            r#""duration_seconds":0.25,"prompt_tokens":3,"bytes_received":10,"bytes_sent":20}"#,
            "\n"
        )
    );
    assert_eq!(
        line(&full_entry(), Format::Json),
        concat!(
            r#"{"time":"2026-09-21T14:13:20.000001Z","request_id":"","#,
            r#""trace_id":"000000000000000000000000000000ab","method":"POST","path":"/a=b/\\c/"#,
            "\u{7f}",
            r#"","api":"SmartChat","environment":"production","key":"größe-"#,
            "\u{2028}",
            r#"-模型","asked_model":"a\nb\r\t\b\f\u0000\u001b[31m/\"\\ status=200","model":"gpt-4o","#,
            r#""endpoint":"Default Production Endpoint","status":200,"error":"no_active_endpoints","#,
            r#""attempts":"m@e=429, m%20n@e=200","suspended":true,"vendor_request_id":"ü","#,
            r#""first_byte_seconds":1e-7,"duration_seconds":3.0,"prompt_tokens":3,"completion_tokens":0,"#,
            r#""cached_tokens":4294967295,"total_tokens":7,"bytes_received":18446744073709551615,"bytes_sent":20}"#,
            "\n"
        )
    );
}

#[test]
fn logfmt_lines() {
    assert_eq!(
        line(&entry(), Format::Logfmt),
        concat!(
            "time=1970-01-01T00:00:00.000000Z request_id=r1 trace_id=000000000000000000000000000000ab ",
            r#"method=POST path=/smartchat/chat/completions api=SmartChat environment=production "#,
            r#"asked_model="o3 \"mini\"" model=gpt-4o endpoint="Default Production Endpoint" status=200 "#,
            "first_byte_seconds=0.0015 duration_seconds=0.25 prompt_tokens=3 bytes_received=10 bytes_sent=20\n"
        )
    );
    assert_eq!(
        line(&full_entry(), Format::Logfmt),
        concat!(
            r#"time=2026-09-21T14:13:20.000001Z request_id="" trace_id=000000000000000000000000000000ab "#,
            r#"method=POST path="/a=b/\\c/"#,
            "\u{7f}",
            r#"" api=SmartChat environment=production key=größe-"#,
            "\u{2028}",
            r#"-模型 asked_model="a\nb\r\t\b\f\u0000\u001b[31m/\"\\ status=200" model=gpt-4o "#,
            r#"endpoint="Default Production Endpoint" status=200 error=no_active_endpoints "#,
            r#"attempts="m@e=429, m%20n@e=200" suspended=true vendor_request_id=ü first_byte_seconds=1e-7 "#,
            "duration_seconds=3.0 prompt_tokens=3 completion_tokens=0 cached_tokens=4294967295 total_tokens=7 ",
            "bytes_received=18446744073709551615 bytes_sent=20\n"
        )
    );
}

proptest! {
    #[test]
    fn the_two_formats_tell_the_same(
        texts in prop::array::uniform4(prop_oneof![any::<String>(), "[ -~\u{0}-\u{1f}\u{7f}]{0,8}"]),
        some in any::<bool>(),
        number in any::<f64>(),
        micros in any::<u32>(),
    ) {
        let [request_id, path, key, asked_model] = &texts;
        let entry = Entry {
            time: SystemTime::UNIX_EPOCH + Duration::from_micros(u64::from(micros)),
            request_id,
            path,
            key: Some(key),
            asked_model: some.then_some(asked_model),
            first_byte_seconds: Some(seconds(Duration::from_micros(u64::from(micros)))),
            duration_seconds: number,
            ..entry()
        };
        let json = line(&entry, Format::Json);
        prop_assert_eq!(&json, &(serde_json::to_string(&entry).unwrap() + "\n"));
        prop_assert_eq!(line(&entry, Format::Logfmt), logfmt(&entry));
        for text in [json, logfmt(&entry)] {
            prop_assert!(text.bytes().filter(|byte| *byte < b' ').eq([b'\n']), "{:?}", text);
        }
    }
}

#[test]
fn a_time_before_1970_is_shown_as_its_beginning() {
    let time = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
    let line = line(&Entry { time, ..entry() }, Format::Logfmt);
    assert!(line.starts_with("time=1970-01-01T00:00:00.000000Z "), "{line}");
}

#[test]
fn off_makes_no_line() {
    assert_eq!(line(&entry(), Format::Off), "");
}

#[test]
fn a_place_for_lines_does_not_stay_big() {
    let (mut place, long) = (Line::new(), "x ".repeat(1 << 20));
    for format in [Format::Json, Format::Logfmt] {
        assert!(place.of(&Entry { path: &long, ..entry() }, format).len() > long.len());
        assert_eq!(place.of(&entry(), format), line(&entry(), format).as_bytes());
    }
    assert!(format!("{place:?}").len() < 1 << 20);
}
