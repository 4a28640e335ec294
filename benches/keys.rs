//! Finding a key among ten thousand.
//!
//! `cargo bench --bench keys`; the keys that are looked up are different ones in turn.

#![allow(clippy::expect_used, reason = "a benchmark that cannot begin says where")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use evenkeel::keys::{Environment, KeyHash, KeyRecord, KeyTable, Lookup, generate};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const COUNT: usize = 10_000;

fn texts() -> Vec<String> {
    let text = |number: usize| {
        let environment =
            if number.is_multiple_of(4) { Environment::Sandbox } else { Environment::Production };
        generate(environment).expect("random bytes").reveal().to_owned()
    };
    (0..COUNT).map(text).collect()
}

fn table(texts: &[String]) -> KeyTable {
    KeyTable::new(texts.iter().enumerate().map(|(number, text)| KeyRecord {
        name: format!("key-{number}").parse().expect("a name"),
        environment: Environment::Production,
        apis: None,
        hash: KeyHash::of(text),
        hint: "ek_prod_…0000".to_owned(),
        created_at: "2026-01-01T00:00:00Z".to_owned(),
    }))
}

/// The key with a character changed, as by a hand that copies it.
fn mistyped(text: &str) -> String {
    let mut text = text.to_owned();
    let last = text.pop();
    text.push(if last == Some('0') { '1' } else { '0' });
    text
}

fn look_up(c: &mut Criterion) {
    let known = texts();
    let table = table(&known);
    assert!(known.iter().all(|text| matches!(table.find(text), Lookup::Found(_))));
    let strangers = texts();
    let mistyped: Vec<_> = known.iter().map(|text| mistyped(text)).collect();
    let foreign = ["sk-proj-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP".to_owned()];

    let mut group = c.benchmark_group(format!("keys/among {COUNT}"));
    let cases = [
        ("known", &known[..]),
        ("unknown", &strangers[..]),
        ("mistyped", &mistyped[..]),
        ("another vendor's", &foreign[..]),
    ];
    for (name, presented) in cases {
        let mut presented = presented.iter().cycle();
        group.bench_function(name, |b| {
            b.iter(|| matches!(table.find(black_box(presented.next().expect("a key"))), Lookup::Found(_)));
        });
    }
    let first = known.first().expect("a key");
    group.bench_function("one and the same", |b| {
        b.iter(|| matches!(table.find(black_box(first)), Lookup::Found(_)));
    });
    group.finish();
    c.bench_function("keys/the hash alone", |b| b.iter(|| KeyHash::of(black_box(first))));
}

fn config() -> Criterion {
    Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2))
}

criterion_group! { name = benches; config = config(); targets = look_up }
criterion_main!(benches);
