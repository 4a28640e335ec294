//! Choosing a pair, and reporting what came of it.
//!
//! `cargo bench --bench choose`; with two threads, the time is what each of them waits for a choice of its own.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![allow(clippy::expect_used, reason = "a benchmark that cannot begin says where")]

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use evenkeel::balance::{
    CauseSet, Choice, Finding, Member, Outcome, PairSet, Pool, Rules, Shared, Suspension, Tick, Turn,
    WhenAllSuspended,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const COUNTS: [usize; 3] = [1, 8, 64];
const DURATION: Duration = Duration::from_secs(30);
const RULES: Rules = Rules {
    duration: DURATION,
    max_duration: None,
    threshold: 1,
    window: Duration::from_secs(60),
    ramp: None,
};

#[derive(Clone, Copy)]
enum Policy {
    RoundRobin,
    Weighted,
}

const POLICIES: [(&str, Policy); 2] = [("round robin", Policy::RoundRobin), ("weighted", Policy::Weighted)];

/// What happened before the choices that are measured, and when they are made.
#[derive(Clone, Copy)]
enum Before {
    Nothing,
    /// The first pair is suspended.
    OneOut,
    /// It was, and is back.
    OneBack,
}

fn at(seconds: u64) -> Tick {
    Tick::at(Duration::from_secs(seconds))
}

fn pool(policy: Policy, count: usize, before: Before) -> Pool {
    let turn = match policy {
        Policy::RoundRobin => Turn::round_robin(count),
        Policy::Weighted => {
            let weights: Vec<u32> = [50, 30, 20, 10, 5, 5, 3, 2].into_iter().cycle().take(count).collect();
            Turn::weighted(&weights)
        }
    };
    let member = || Member { health: Shared::default().into(), probe_patience: Duration::from_secs(10) };
    let pairs = (0..count).map(|_| member()).collect();
    let suspension = Some(Suspension { causes: CauseSet::standard(), rules: RULES });
    let pool = Pool::new(turn.expect("a turn"), pairs, suspension, WhenAllSuspended::Reject);
    if !matches!(before, Before::Nothing) {
        let first = pool.choose(at(0), PairSet::EMPTY).expect("a pair");
        assert!(pool.report(first, &finding(500), at(1)), "it is suspended");
    }
    if matches!(before, Before::OneBack) {
        let probe = pool.choose(at(40), PairSet::EMPTY).expect("a pair");
        pool.report(probe, &finding(200), at(40));
    }
    pool
}

fn now(before: Before) -> Tick {
    match before {
        Before::Nothing | Before::OneOut => at(2),
        Before::OneBack => at(41),
    }
}

fn finding(status: u16) -> Finding {
    Finding { outcome: Outcome::Status(status), vendor_delay: None, jitter: 0.0, poisoned: false }
}

fn choose(pool: &Pool, now: Tick) -> Choice {
    pool.choose(black_box(now), black_box(PairSet::EMPTY)).expect("a pair is in")
}

fn one_thread(c: &mut Criterion) {
    for (name, policy) in POLICIES {
        let mut group = c.benchmark_group(format!("choose/{name}"));
        for count in COUNTS {
            let fresh = pool(policy, count, Before::Nothing);
            group.bench_function(format!("{count} pairs"), |b| b.iter(|| choose(&fresh, at(2))));
            for (state, before) in [("one out", Before::OneOut), ("one back", Before::OneBack)] {
                if count == 1 {
                    continue;
                }
                let (pool, now) = (pool(policy, count, before), now(before));
                group.bench_function(format!("{count} pairs, {state}"), |b| b.iter(|| choose(&pool, now)));
            }
        }
        let pool = pool(policy, 8, Before::Nothing);
        group.bench_function("8 pairs, chosen and reported", |b| {
            b.iter(|| {
                let choice = choose(&pool, at(2));
                pool.report(choice, black_box(&finding(200)), at(2))
            });
        });
        group.finish();
    }
}

fn two_threads(c: &mut Criterion) {
    for (name, policy) in POLICIES {
        let mut group = c.benchmark_group(format!("choose/{name}, 2 threads"));
        for (state, before) in [("", Before::Nothing), (", one out", Before::OneOut)] {
            let pool = pool(policy, 8, before);
            let at = now(before);
            group.bench_function(format!("8 pairs{state}"), |b| {
                b.iter_custom(|times| both(times, || choose(&pool, at)));
            });
            group.bench_function(format!("8 pairs{state}, 1 µs apart"), |b| {
                b.iter_custom(|times| {
                    both(times, || {
                        choose(&pool, at);
                        rest();
                    })
                });
            });
        }
        group.finish();
    }
    c.bench_function("choose/1 µs apart alone", |b| b.iter(rest));
}

/// Does something else for about a microsecond, as a request does for thirty.
fn rest() {
    for number in 0..3_000_u32 {
        black_box(number);
    }
}

/// How long two threads take that do `step` so many times each.
fn both<T>(times: u64, step: impl Fn() -> T + Sync) -> Duration {
    let start = Barrier::new(2);
    let run = || {
        start.wait();
        let began = Instant::now();
        for _ in 0..times {
            black_box(step());
        }
        began.elapsed()
    };
    thread::scope(|scope| {
        let other = scope.spawn(run);
        let this = run();
        (this + other.join().expect("the other thread ends")) / 2
    })
}

fn config() -> Criterion {
    Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2))
}

criterion_group! { name = benches; config = config(); targets = one_thread, two_threads }
criterion_main!(benches);
