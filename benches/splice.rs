//! Locating and splicing the model, against a plain copy of the same bytes.
//!
//! `cargo bench --bench splice`; throughput is the body's bytes by the time of a whole rewrite.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use evenkeel::splice::{ModelToken, locate, splice};

const KB: usize = 1_000;
const MIB: usize = 1 << 20;
const SIZES: [(&str, usize); 5] =
    [("300 B", 300), ("10 KB", 10 * KB), ("100 KB", 100 * KB), ("1 MiB", MIB), ("5 MiB", 5 * MIB)];
/// Text as people chat: an escape in every other sentence, some of it not ASCII.
const SENTENCE: &str = "Wie groß ist die \\\"Erde\\\", and how far away is the moon tonight?\\n\
    The quick brown fox jumps over the lazy dog; pack my box with five dozen liquor jugs. ";
const BASE64: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg";

/// What fills a body up to its size.
#[derive(Clone, Copy)]
enum Content {
    /// A conversation of many messages.
    Chat,
    /// A message with an image as a data URL.
    Image,
    /// A top-level string, as in an embeddings request.
    Input,
    /// Nested arrays of numbers: tokens in place of text.
    Tokens,
}

const CONTENTS: [(&str, Content); 4] = [
    ("chat", Content::Chat),
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
    let model = ModelToken::new("mistral-small-latest");
    for (content_name, content) in CONTENTS {
        let mut group = c.benchmark_group(content_name);
        for (size_name, size) in SIZES {
            for (place, model_first) in [("first", true), ("last", false)] {
                let body = body(content, model_first, size);
                group.throughput(Throughput::Bytes(body.len() as u64));
                group.bench_function(format!("{size_name}/{place}/locate"), |b| {
                    b.iter(|| locate(black_box(&body)));
                });
                group.bench_function(format!("{size_name}/{place}/rewrite"), |b| {
                    b.iter(|| locate(black_box(&body)).map(|place| splice(&body, &place, &model)));
                });
            }
            let body = body(content, true, size);
            group.bench_function(format!("{size_name}/memcpy"), |b| b.iter(|| black_box(&body).clone()));
        }
        group.finish();
    }
}

criterion_group!(benches, rewrite);
criterion_main!(benches);
