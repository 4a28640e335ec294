//! What a line of the access log costs: making it, and handing it over to the thread that writes.
//!
//! `cargo bench --bench access_log`. `line` is the time to make one. `busy` is the time of a line where threads do nothing
//! but write lines to `/dev/null`. `paced` is the CPU time of the whole process for a line where there is one every
//! 100 µs, as in a gateway at work: with the thread that writes, and with what waking it costs. `paced/none` is the same
//! without a line, to be taken off.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a bench reads clocks, and may end where it goes wrong"
)]

use std::fs::OpenOptions;
use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use criterion::{Criterion, criterion_group, criterion_main};
use evenkeel::balance::Tick;
use evenkeel::observe::access_log::{AccessLog, Entry, Format, Line};
use evenkeel::observe::trace::TraceParent;
use rustix::time::{ClockId, clock_gettime};

const FORMATS: [(&str, Format); 2] = [("json", Format::Json), ("logfmt", Format::Logfmt)];

/// A line as most are: a chat that went well.
fn entry() -> Entry<'static> {
    Entry {
        time: SystemTime::UNIX_EPOCH + Duration::from_micros(1_790_000_000_123_456),
        request_id: "0d5c1f6e7a8b49c2a1b3c4d5e6f70819",
        trace_id: TraceParent::new(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, 1, false, false)
            .map(|parent| parent.trace()),
        method: "POST",
        path: "/smartchat/chat/completions",
        api: Some("SmartChat"),
        environment: Some("production"),
        key: Some("team-a"),
        asked_model: Some("gpt-4o"),
        model: Some("gpt-4o-mini"),
        response_model: Some("gpt-4o-2024-08-06"),
        endpoint: Some("Default Production Endpoint"),
        status: Some(200),
        error: None,
        attempts: Some("gpt-4o-mini@Default%20Production%20Endpoint=200"),
        suspended: false,
        vendor_request_id: Some("req_01HZX3"),
        first_byte_seconds: Some(0.412_345),
        duration_seconds: 1.034_567,
        prompt_tokens: Some(123),
        completion_tokens: Some(456),
        cached_tokens: Some(0),
        total_tokens: Some(579),
        bytes_received: 312,
        bytes_sent: 1_834,
    }
}

fn to_nothing() -> AccessLog {
    AccessLog::to(OpenOptions::new().write(true).open("/dev/null").unwrap(), || Tick::ORIGIN)
}

fn line(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("line");
    for (name, format) in FORMATS {
        let mut line = Line::new();
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(line.of(black_box(&entry()), format)).len());
        });
    }
}

fn busy(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("busy");
    for threads in [1, 2] {
        for (name, format) in FORMATS {
            let log = to_nothing();
            group.bench_function(format!("{name}, threads: {threads}"), |bencher| {
                bencher.iter_custom(|lines| {
                    let began = Instant::now();
                    thread::scope(|scope| {
                        for _ in 0..threads {
                            scope.spawn(|| (0..lines).for_each(|_| log.write(format, &entry())));
                        }
                    });
                    began.elapsed()
                });
            });
        }
    }
}

fn cpu_time() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap()
}

fn paced(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("paced");
    group.sample_size(20);
    for (name, format) in [("none", Format::Off)].into_iter().chain(FORMATS) {
        let log = to_nothing();
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|lines| {
                let began = cpu_time();
                for _ in 0..lines {
                    log.write(format, &entry());
                    thread::sleep(Duration::from_micros(100));
                }
                cpu_time() - began
            });
        });
    }
}

criterion_group!(benches, line, busy, paced);
criterion_main!(benches);
