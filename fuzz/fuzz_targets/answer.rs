//! A response read in chunks against the same read at once, on any bytes at all, in every framing.
#![no_main]

use evenkeel::answer::{ErrorEvents, Fields, Kind, Lists, Reading, Seen, Usage};
use evenkeel::coding::{Coding, Decoder};
use libfuzzer_sys::fuzz_target;
use std::ops::ControlFlow;
use std::sync::{Arc, LazyLock};

static FIELDS: LazyLock<Arc<Fields>> = LazyLock::new(|| {
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let lists = Lists {
        model: texts(&["model", "response.model", "modelVersion"]),
        prompt_tokens: texts(&["usage.prompt_tokens", "usage.a + usage.b", "usage.inputTokens"]),
        completion_tokens: texts(&["usage.completion_tokens", "response.usage.a.b.c.d"]),
        cached_tokens: texts(&["usage.prompt_tokens_details.cached_tokens", "n"]),
        total_tokens: texts(&["usage.total_tokens", "usage"]),
    };
    let errors = ErrorEvents {
        events: texts(&["error", "*"]),
        members: texts(&["error"]),
        types: texts(&["error", "response.failed"]),
    };
    Arc::new(Fields::new(&lists, &lists, &errors).unwrap())
});

const CODINGS: [Option<Coding>; 8] = [
    None,
    None,
    None,
    None,
    Some(Coding::Gzip),
    Some(Coding::Deflate),
    Some(Coding::Brotli),
    Some(Coding::Zstd),
];

/// What is seen and told, read in chunks of `sizes`, again and again.
fn read(
    kind: Kind,
    coding: Option<Coding>,
    body: &[u8],
    sizes: &[usize],
) -> (Seen, Option<String>, Usage, bool) {
    let mut reading = Reading::new(&FIELDS, kind, coding);
    let mut seen = reading.feed(b"");
    let mut rest = body;
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, after) = rest.split_at((*size).min(rest.len()));
        let next = reading.feed(chunk);
        assert!(next >= seen);
        seen = next;
        rest = after;
    }
    reading.end();
    let told = reading.told();
    (seen, told.model.map(str::to_owned), told.usage, reading.is_unreadable())
}

/// Whether nothing is wrong with a body as far as it goes. How much comes of one before something is depends on its chunks.
fn can_be_decoded(coding: Coding, body: &[u8]) -> bool {
    Decoder::new(coding).feed(body, &mut |_| ControlFlow::<()>::Continue(())).is_ok()
}

// The first byte tells framing and coding, the next two the sizes of chunks.
fuzz_target!(|input: &[u8]| {
    let [how, first, second, body @ ..] = input else {
        return;
    };
    let kind = [Kind::Json, Kind::Events, Kind::Frames][usize::from(how % 3)];
    let coding = CODINGS[usize::from(how / 3) % CODINGS.len()];
    let whole = read(kind, coding, body, &[usize::MAX]);
    let sizes = [usize::from(*first) + 1, usize::from(*second) % 16 + 1];
    let cut = [read(kind, coding, body, &sizes), read(kind, coding, body, &[1])];
    if coding.is_none_or(|coding| can_be_decoded(coding, body)) {
        assert_eq!(cut[0], whole);
        assert_eq!(cut[1], whole);
    }
    if kind == Kind::Json && coding.is_none() {
        assert!(serde_json::from_slice::<serde_json::Value>(body).is_err() || !whole.3);
    }
});
