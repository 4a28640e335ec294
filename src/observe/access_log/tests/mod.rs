//! The text of lines, and the way they take to a reader.

mod lines;
mod text;

use super::*;
use crate::observe::trace::TraceParent;

fn entry() -> Entry<'static> {
    Entry {
        time: SystemTime::UNIX_EPOCH,
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
        response_model: None,
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
        total_tokens: None,
        bytes_received: 10,
        bytes_sent: 20,
    }
}
