//! The access log: one line per request.
//!
//! A line never holds a body, a key or a credential: [`Entry`] has no place for one.

mod line;
mod queue;
#[cfg(test)]
mod tests;
mod writer;

pub use line::Line;

use super::trace::TraceId;
use crate::balance::Tick;
use log::warn;
use once_cell::sync::OnceCell;
use parking_lot::Mutex;
use queue::Queue;
use serde::{Serialize, Serializer};
use std::cell::Cell;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};
use writer::{Stdout, Writer};

/// How many bytes of lines may wait for the log's reader, or be on their way to it. Beyond it lines are dropped: a reader
/// that hangs must not hang requests. It is room for some 65,000 lines of the usual length.
const MAX_WAITING: usize = 32 << 20;

thread_local! {
    /// Where this thread makes its lines, so that none needs memory of its own.
    static LINE: Cell<Line> = const { Cell::new(Line::new()) };
}

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
    /// When it ended; told as RFC 3339 in UTC.
    #[serde(serialize_with = "rfc3339")]
    pub time: SystemTime,
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
    /// The model that answered, as the vendor calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_model: Option<&'a str>,
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
    /// All tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_tokens: Option<u32>,
    /// The bytes of its body.
    pub bytes_received: u64,
    /// The bytes of the answer's body.
    pub bytes_sent: u64,
}

/// A duration in seconds, to the microsecond.
pub fn seconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1e6
}

/// The time of day as lines have it. What is before 1970 has no such text.
fn rfc3339<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_rfc3339_micros((*time).max(SystemTime::UNIX_EPOCH)))
}

/// Where lines go: standard output, written by a thread of its own so that no request waits for it.
pub struct AccessLog {
    queue: Arc<Queue>,
    /// Held by the thread for as long as it is there.
    sink: Arc<Mutex<Box<dyn Write + Send>>>,
    /// Whether the thread is there. It begins at the first line: one that was there before a daemon forks would be lost.
    begun: OnceCell<()>,
    /// Whether it was told that the thread cannot be begun.
    told: AtomicBool,
    now: fn() -> Tick,
}

impl AccessLog {
    /// A log that goes to standard output; `now` is the moment that it is.
    pub fn new(now: fn() -> Tick) -> Self {
        Self::to(Stdout, now)
    }

    /// A log that goes to `sink` in place of standard output.
    pub fn to(sink: impl Write + Send + 'static, now: fn() -> Tick) -> Self {
        Self::limited(sink, now, MAX_WAITING)
    }

    fn limited(sink: impl Write + Send + 'static, now: fn() -> Tick, max_waiting: usize) -> Self {
        Self {
            now,
            queue: Arc::new(Queue::new(max_waiting)),
            sink: Arc::new(Mutex::new(Box::new(sink))),
            begun: OnceCell::new(),
            told: AtomicBool::new(false),
        }
    }

    /// Writes the line for `entry`, or drops it if too much is waiting already.
    pub fn write(&self, format: Format, entry: &Entry<'_>) {
        if format == Format::Off {
            return;
        }
        let mut line = LINE.try_with(Cell::take).unwrap_or_default();
        self.queue.add(line.of(entry, format));
        // A thread that ends has no place for it any more, and needs none.
        let _ = LINE.try_with(|place| place.set(line));
        self.begin();
    }

    /// Writes the lines that wait, and no more after them. A reader that hangs is not waited for.
    pub fn close(&self) {
        if self.queue.close() {
            self.begin();
            self.queue.wait_for_end();
        }
    }

    /// Begins the thread. Where that fails lines wait, and the next one tries again.
    fn begin(&self) {
        let begun = self.begun.get_or_try_init(|| {
            let (queue, sink, now) = (Arc::clone(&self.queue), Arc::clone(&self.sink), self.now);
            let thread = thread::Builder::new().name("access-log".to_owned());
            thread.spawn(move || Writer::new(&queue, &mut *sink.lock(), now).run()).map(drop)
        });
        if let Err(error) = begun
            && !self.told.swap(true, Ordering::Relaxed)
        {
            warn!("the access log waits for a thread, which cannot be begun: {error}");
        }
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.close();
    }
}
