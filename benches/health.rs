//! The steps of a pair's state machine.
//!
//! `cargo bench --bench health`.

#![allow(clippy::expect_used, reason = "a benchmark that cannot begin says where")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use evenkeel::balance::{Failure, Health, Outcome, Role, Rules, Tick};

const PATIENCE: Duration = Duration::from_secs(10);
const RULES: Rules = Rules {
    duration: Duration::from_secs(30),
    max_duration: Some(Duration::from_secs(300)),
    threshold: 1,
    window: Duration::from_secs(60),
    ramp: None,
};
const FAILURE: Failure = Failure { reason: Outcome::Status(429), vendor_delay: None, jitter: 0.5 };

fn at(seconds: u64) -> Tick {
    Tick::at(Duration::from_secs(seconds))
}

/// Out at second 10, until second 40.
fn suspended() -> Health {
    let mut health = Health::default();
    assert!(health.fail(Role::Regular, at(10), at(10), &FAILURE, &RULES));
    health
}

fn steps(c: &mut Criterion) {
    let mut group = c.benchmark_group("health");
    let mut active = Health::default();
    group.bench_function("active: begin, report success", |b| {
        b.iter(|| {
            let role = black_box(&mut active).begin(black_box(at(50)), PATIENCE);
            active.succeed(role.expect("it is active"), at(50), black_box(at(51)))
        });
    });
    let mut out = suspended();
    group.bench_function("suspended: begin is refused", |b| {
        b.iter(|| black_box(&mut out).begin(black_box(at(20)), PATIENCE));
    });
    let mut out = suspended();
    group.bench_function("suspended: a late failure", |b| {
        b.iter(|| black_box(&mut out).fail(Role::Regular, at(9), black_box(at(20)), &FAILURE, &RULES));
    });
    let rules = Rules { threshold: 1_000_000, window: Duration::ZERO, ..RULES };
    let mut active = Health::default();
    group.bench_function("active: report failure below the threshold", |b| {
        b.iter(|| black_box(&mut active).fail(Role::Regular, at(9), black_box(at(20)), &FAILURE, &rules));
    });
    let mut pair = Health::default();
    let mut now = at(0);
    group.bench_function("round: failure, suspended, due, probe, success", |b| {
        b.iter(|| {
            let pair = black_box(&mut pair);
            pair.fail(Role::Regular, now, now, &FAILURE, &RULES);
            now = now.after(RULES.duration);
            let role = pair.begin(now, PATIENCE).expect("it is due");
            pair.succeed(role, now, now)
        });
    });
    let mut pair = suspended();
    let mut now = at(40);
    group.bench_function("round: due, probe, failure, suspended", |b| {
        b.iter(|| {
            let pair = black_box(&mut pair);
            let role = pair.begin(now, PATIENCE).expect("it is due");
            let suspended = pair.fail(role, now, now, &FAILURE, &RULES);
            now = now.after(Duration::from_secs(300));
            suspended
        });
    });
    group.finish();
}

fn config() -> Criterion {
    Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2))
}

criterion_group! { name = benches; config = config(); targets = steps }
criterion_main!(benches);
