//! Locating and splicing the model, against a plain copy of the same bytes.
//!
//! `cargo bench --bench splice`; throughput is the body's bytes by the time. `rewrite` is what a request costs: locating,
//! and the copy into a new buffer with the other model in its place.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use evenkeel::splice::{JsonPath, ModelToken, locate, splice};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const KB: usize = 1_000;
const MIB: usize = 1 << 20;
const SIZES: [(&str, usize); 6] = [
    ("300 B", 300),
    ("1 KB", KB),
    ("10 KB", 10 * KB),
    ("100 KB", 100 * KB),
    ("1 MiB", MIB),
    ("5 MiB", 5 * MIB),
];
/// Text as people chat: an escape in every other sentence, some of it not ASCII.
const SENTENCE: &str = "Wie groß ist die \\\"Erde\\\", and how far away is the moon tonight?\\n\
    The quick brown fox jumps over the lazy dog; pack my box with five dozen liquor jugs. ";
/// Program text as it stands in JSON: nearly every other character escaped.
const ESCAPES: &str = r#"\t\"a\\b\"\n\u00e9\/\r\n\t\t\"c\""#;
const BASE64: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg";

/// What fills a body up to its size.
#[derive(Clone, Copy)]
enum Content {
    /// A conversation of messages of one and a half kilobytes.
    Chat,
    /// A conversation of messages of a few words.
    Messages,
    /// A message that is nearly all escapes.
    Escapes,
    /// A message with an image as a data URL.
    Image,
    /// A top-level string, as in an embeddings request.
    Input,
    /// Nested arrays of numbers: tokens in place of text.
    Tokens,
}

const CONTENTS: [(&str, Content); 6] = [
    ("chat", Content::Chat),
    ("messages", Content::Messages),
    ("escapes", Content::Escapes),
    ("image", Content::Image),
    ("input", Content::Input),
    ("tokens", Content::Tokens),
];

fn main_member(content: Content, len: usize) -> String {
    let fill = |unit: &str, len: usize| unit.repeat(len / unit.len());
    match content {
        Content::Chat => {
            let turn = format!(r#"{{"role":"user","content":"{}"}}"#, SENTENCE.repeat(8));
            let turns = len / turn.len();
            let last = format!(r#"{{"role":"user","content":"{}"}}"#, fill(SENTENCE, len % turn.len()));
            format!(r#""messages":[{}{last}]"#, format!("{turn},").repeat(turns))
        }
        Content::Messages => {
            let turn =
                r#"{"role":"user","content":"And then?"},{"role":"assistant","content":"It went on."},"#;
            format!(r#""messages":[{}{{"role":"user","content":"So?"}}]"#, fill(turn, len.saturating_sub(50)))
        }
        Content::Escapes => {
            format!(r#""messages":[{{"role":"user","content":"{}"}}]"#, fill(ESCAPES, len.saturating_sub(50)))
        }
        Content::Image => format!(
            r#""messages":[{{"role":"user","content":[{{"type":"image_url","image_url":{{"url":"{}{}"}}}}]}}]"#,
            "data:image/png;base64,",
            fill(BASE64, len.saturating_sub(100))
        ),
        Content::Input => format!(r#""input":"{}""#, fill(SENTENCE, len)),
        Content::Tokens => format!(r#""input":[[{}0]]"#, fill("15339,1917,0,", len)),
    }
}

fn body(content: Content, model_first: bool, size: usize) -> Vec<u8> {
    let model = r#""model":"gpt-4o-mini""#;
    let options = r#""temperature":0.7,"stream":true"#;
    let fixed = model.len() + options.len() + 60;
    let main = main_member(content, size.saturating_sub(fixed));
    let members = if model_first { [model, options, &main] } else { [&main, options, model] };
    format!("{{{}}}", members.join(",")).into_bytes()
}

fn rewrite(c: &mut Criterion) {
    let (model, path) = (ModelToken::new("mistral-small-latest"), JsonPath::model());
    for (content_name, content) in CONTENTS {
        let mut group = c.benchmark_group(content_name);
        for (size_name, size) in SIZES {
            for (place, model_first) in [("first", true), ("last", false)] {
                let body = body(content, model_first, size);
                group.throughput(Throughput::Bytes(body.len() as u64));
                group.bench_function(format!("{size_name}/{place}/locate"), |b| {
                    b.iter(|| locate(black_box(&body), &path));
                });
                group.bench_function(format!("{size_name}/{place}/rewrite"), |b| {
                    b.iter(|| locate(black_box(&body), &path).map(|place| splice(&body, &place, &model)));
                });
            }
            let body = body(content, true, size);
            group.bench_function(format!("{size_name}/memcpy"), |b| b.iter(|| black_box(&body).clone()));
        }
        group.finish();
    }
}

/// Seventy-two bodies: a second each.
fn config() -> Criterion {
    Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
}

criterion_group! { name = benches; config = config(); targets = rewrite }
criterion_main!(benches);
