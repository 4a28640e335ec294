//! Reading a response as it passes: the model, the tokens it has used, and events that tell of an error.
//!
//! `cargo bench --bench response`; beside it, a copy of the same bytes, in the same chunks.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use evenkeel::answer::{ErrorEvents, Fields, Kind, Lists, Reading, Seen, Usage};
use std::sync::Arc;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = r#"{"prompt_tokens":412,"completion_tokens":2381,"total_tokens":2793,"prompt_tokens_details":{"cached_tokens":128,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}"#;
/// As a model writes: escapes, and text that is not ASCII.
const SENTENCE: &str = "Der Mond ist etwa 384.400 km weit weg, \\\"im Mittel\\\"; usage of the unit is common.\\n\
    The quick brown fox jumps over the lazy dog, and no error was made in packing my box with jugs. ";

/// A whole answer of about `size` bytes.
fn json(size: usize) -> Vec<u8> {
    let content = SENTENCE.repeat(size / SENTENCE.len());
    format!(
        r#"{{"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o","choices":[{{"index":0,"message":{{"role":"assistant","content":"{content}"}},"finish_reason":"stop"}}],"usage":{USAGE}}}"#
    )
    .into_bytes()
}

/// An embeddings answer of about `size` bytes: numbers.
fn numbers(size: usize) -> Vec<u8> {
    let numbers = "-0.006929283495992422,".repeat(size / 22);
    format!(
        r#"{{"object":"list","data":[{{"object":"embedding","embedding":[{numbers}0],"index":0}}],"model":"text-embedding-3-large","usage":{{"prompt_tokens":8,"total_tokens":8}}}}"#
    )
    .into_bytes()
}

/// Events of an answer, one a chunk; the last but one has the usage.
fn events(count: usize) -> Vec<Vec<u8>> {
    let event = |number: usize| {
        let usage = if number + 2 == count { USAGE } else { "null" };
        format!(
            "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"gpt-4o\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\" word{number}\"}},\"finish_reason\":null}}],\"usage\":{usage}}}\n\n"
        )
        .into_bytes()
    };
    let mut events: Vec<_> = (0..count).map(event).collect();
    events.push(b"data: [DONE]\n\n".to_vec());
    events
}

fn copy(chunks: &[Vec<u8>], into: &mut Vec<u8>) {
    for chunk in chunks {
        into.clear();
        into.extend_from_slice(black_box(chunk));
        black_box(&into);
    }
}

fn fields() -> Arc<Fields> {
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let lists = Lists {
        model: texts(&["model", "response.model"]),
        prompt_tokens: texts(&["usage.prompt_tokens", "usage.input_tokens", "response.usage.input_tokens"]),
        completion_tokens: texts(&[
            "usage.completion_tokens",
            "usage.output_tokens",
            "response.usage.output_tokens",
        ]),
        cached_tokens: texts(&["usage.prompt_tokens_details.cached_tokens"]),
        total_tokens: texts(&["usage.total_tokens"]),
    };
    let error = || texts(&["error"]);
    let errors = ErrorEvents { events: error(), members: error(), types: error() };
    Arc::new(Fields::new(&lists, &lists, &errors).unwrap_or_default())
}

fn reading(fields: &Arc<Fields>, kind: Kind, chunks: &[Vec<u8>]) -> (Option<Seen>, Usage) {
    let mut reading = Reading::new(fields, kind, None);
    let seen = chunks.iter().map(|chunk| reading.feed(black_box(chunk))).last();
    (seen, reading.told().usage)
}

fn read(c: &mut Criterion) {
    let fields = fields();
    let large = json(5_000_000);
    let cases = [
        ("JSON, 500 bytes", vec![json(100)]),
        ("JSON, 10 KiB", vec![json(10 * 1024)]),
        ("JSON, 5 MB in chunks of 64 KiB", large.chunks(64 * 1024).map(<[u8]>::to_vec).collect()),
        (
            "numbers, 5 MB in chunks of 64 KiB",
            numbers(5_000_000).chunks(64 * 1024).map(<[u8]>::to_vec).collect(),
        ),
        ("20 events", events(20)),
        ("20 events in one chunk", vec![events(20).concat()]),
        ("an event of 1 MB in chunks of 64 KiB", one_event(&json(1_000_000))),
    ];
    let mut group = c.benchmark_group("response");
    for (name, chunks) in &cases {
        group.throughput(Throughput::Bytes(chunks.iter().map(Vec::len).sum::<usize>() as u64));
        let mut copied = Vec::new();
        group.bench_function(BenchmarkId::new(*name, "memcpy"), |b| b.iter(|| copy(chunks, &mut copied)));
        let kind = if name.contains("event") { Kind::Events } else { Kind::Json };
        let (seen, usage) = reading(&fields, kind, chunks);
        assert!(seen == Some(Seen::Events) && usage.prompt.is_some(), "{name}");
        group.bench_function(BenchmarkId::new(*name, "answer"), |b| {
            b.iter(|| reading(&fields, kind, chunks));
        });
    }
    group.finish();
}

/// The answer as the one event of a stream.
fn one_event(json: &[u8]) -> Vec<Vec<u8>> {
    let event = [b"data: ", json, b"\n\n"].concat();
    event.chunks(64 * 1024).map(<[u8]>::to_vec).collect()
}

fn config() -> Criterion {
    Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2))
}

criterion_group! { name = benches; config = config(); targets = read }
criterion_main!(benches);
