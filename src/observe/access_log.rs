//! The access log: one line per request.
//!
//! A line never holds a body, a key or a credential: [`Entry`] has no place for one.

use super::trace::TraceId;
use once_cell::sync::OnceCell;
use parking_lot::Mutex;
use serde::Serialize;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, SystemTime};
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};

/// How many lines may wait for the log's reader. Beyond it lines are dropped: a reader that hangs must not hang requests.
const WAITING_LINES: usize = 65_536;

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// `key=value` pairs.
    #[default]
    Logfmt,
    /// One JSON object per line.
    Json,
    /// No access log.
    Off,
}

/// What is told of one request. What is not known of it is left out.
#[derive(Debug, Clone, Serialize)]
pub struct Entry<'a> {
    /// When it ended, RFC 3339 in UTC.
    pub time: String,
    /// Its id, the client's own or a new one.
    pub request_id: &'a str,
    /// The id of the trace that it belongs to, the client's or a new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<TraceId>,
    /// Its method.
    pub method: &'a str,
    /// Its path, without the query.
    pub path: &'a str,
    /// The AI API it went to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<&'a str>,
    /// The environment it was served in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<&'a str>,
    /// The name of the key it presented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<&'a str>,
    /// The model that the client asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_model: Option<&'a str>,
    /// The model that was sent to the vendor in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<&'a str>,
    /// The endpoint it was sent to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<&'a str>,
    /// The status that the client got; `None` if it went before it got one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The code of the gateway's own answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'a str>,
    /// The pairs that were tried, in order, as `model@endpoint=outcome`, names percent-encoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<&'a str>,
    /// Whether a pair was suspended for what came of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub suspended: bool,
    /// The vendor's own id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor_request_id: Option<&'a str>,
    /// From its first byte to the first byte of the vendor's answer, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_byte_seconds: Option<f64>,
    /// From its first byte to the last of the answer, in seconds.
    pub duration_seconds: f64,
    /// The tokens of the request, by the vendor's count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<u32>,
    /// The tokens of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_tokens: Option<u32>,
    /// Those of the request's tokens that the vendor had in its cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_tokens: Option<u32>,
    /// The bytes of its body.
    pub bytes_received: u64,
    /// The bytes of the answer's body.
    pub bytes_sent: u64,
}

/// A duration in seconds, to the microsecond.
pub fn seconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1e6
}

/// A time of day as lines have it.
pub fn timestamp(time: SystemTime) -> String {
    humantime::format_rfc3339_micros(time).to_string()
}

impl Entry<'_> {
    /// The line, its end included; `None` if none is to be written.
    pub fn line(&self, format: Format) -> Option<Vec<u8>> {
        let mut line = match format {
            Format::Off => return None,
            Format::Json => serde_json::to_vec(self).ok()?,
            Format::Logfmt => logfmt(self)?.into_bytes(),
        };
        line.push(b'\n');
        Some(line)
    }
}

/// The JSON object's members as `key=value` pairs, so that the two formats cannot drift apart.
fn logfmt(entry: &Entry<'_>) -> Option<String> {
    let serde_json::Value::Object(members) = serde_json::to_value(entry).ok()? else {
        return None;
    };
    let mut line = String::with_capacity(512);
    for (name, value) in members {
        if !line.is_empty() {
            line.push(' ');
        }
        let text = match value {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        if needs_quotes(&text) {
            // JSON's escapes are those of logfmt's readers, too.
            let quoted = serde_json::to_string(&text).ok()?;
            write!(line, "{name}={quoted}").ok()?;
        } else {
            write!(line, "{name}={text}").ok()?;
        }
    }
    Some(line)
}

fn needs_quotes(text: &str) -> bool {
    text.is_empty() || text.chars().any(|c| c <= ' ' || c == '"' || c == '=' || c == '\\' || c == '\u{7f}')
}

/// Where lines go: standard output, written by a thread of its own so that no request waits for it.
#[derive(Debug, Default)]
pub struct AccessLog {
    /// Begun at the first line: a thread that was there before a daemon forks would be lost.
    writer: OnceCell<NonBlocking>,
    /// Writes what waits when it is dropped.
    worker: Mutex<Option<WorkerGuard>>,
}

impl AccessLog {
    /// Writes the line for `entry`, or drops it if too many are waiting already.
    pub fn write(&self, format: Format, entry: &Entry<'_>) {
        let Some(line) = entry.line(format) else {
            return;
        };
        let writer = self.writer.get_or_init(|| {
            let (writer, worker) = NonBlockingBuilder::default()
                .lossy(true)
                .buffered_lines_limit(WAITING_LINES)
                .thread_name("access-log")
                .finish(std::io::stdout());
            *self.worker.lock() = Some(worker);
            writer
        });
        // A lossy writer takes every line, or drops it.
        let _ = writer.clone().write_all(&line);
    }

    /// Writes the lines that wait, and no more after them.
    pub fn close(&self) {
        drop(self.worker.lock().take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::trace::TraceParent;

    fn entry() -> Entry<'static> {
        Entry {
            time: timestamp(SystemTime::UNIX_EPOCH),
            request_id: "r1",
            trace_id: TraceParent::new(0xab, 1, false, false).map(|parent| parent.trace()),
            method: "POST",
            path: "/smartchat/chat/completions",
            api: Some("SmartChat"),
            environment: Some("production"),
            key: None,
            asked_model: Some("o3 \"mini\""),
            model: Some("gpt-4o"),
            endpoint: Some("Default Production Endpoint"),
            status: Some(200),
            error: None,
            attempts: None,
            suspended: false,
            vendor_request_id: None,
            first_byte_seconds: Some(seconds(Duration::from_micros(1_500))),
            duration_seconds: 0.25,
            prompt_tokens: Some(3),
            completion_tokens: None,
            cached_tokens: None,
            bytes_received: 10,
            bytes_sent: 20,
        }
    }

    fn line(format: Format) -> String {
        String::from_utf8(entry().line(format).unwrap()).unwrap()
    }

    #[test]
    fn a_json_line() {
        let line = line(Format::Json);
        assert!(line.ends_with("}\n") && line.matches('\n').count() == 1);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["time"], "1970-01-01T00:00:00.000000Z");
        assert_eq!(value["asked_model"], "o3 \"mini\"");
        assert_eq!(value["trace_id"], "000000000000000000000000000000ab");
        assert_eq!(value["first_byte_seconds"], 0.0015);
        assert!(value.get("key").is_none() && value.get("suspended").is_none());
    }

    #[test]
    fn a_logfmt_line() {
        let line = line(Format::Logfmt);
        assert!(line.contains(r#"asked_model="o3 \"mini\"" "#), "{line}");
        assert!(line.contains(r#"endpoint="Default Production Endpoint" "#));
        assert!(line.contains("status=200 "));
        assert!(line.contains(" trace_id=000000000000000000000000000000ab "));
        assert!(line.ends_with('\n'));
    }

    #[test]
    fn a_line_cannot_be_broken_by_what_a_client_sends() {
        let mut entry = entry();
        entry.asked_model = Some("a\nstatus=200 forged=\u{1b}[31m");
        for format in [Format::Json, Format::Logfmt] {
            let line = String::from_utf8(entry.line(format).unwrap()).unwrap();
            assert_eq!(line.matches('\n').count(), 1);
            assert!(!line.contains('\u{1b}'));
        }
    }

    #[test]
    fn off_writes_nothing() {
        assert!(entry().line(Format::Off).is_none());
    }
}
