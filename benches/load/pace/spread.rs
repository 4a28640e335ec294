//! What many measured times come to.

use serde_json::{Value, json};

/// Nanoseconds in, microseconds out.
pub(crate) fn spread(mut times: Vec<u64>) -> Value {
    times.sort_unstable();
    // Per thousand; the value that so many are not above.
    let at = |share: usize| {
        let rank = (times.len() * share).div_ceil(1000).max(1);
        times.get(rank - 1).copied().map(microseconds)
    };
    let count = times.iter().map(|_| 1.0).sum::<f64>();
    let mean = times.iter().copied().map(microseconds).sum::<f64>() / count;
    let squares = times.iter().map(|time| (microseconds(*time) - mean).powi(2)).sum::<f64>();
    json!({
        "count": times.len(),
        "mean": mean,
        "deviation": (squares / count).sqrt(),
        "p50": at(500),
        "p90": at(900),
        "p99": at(990),
        "p99.9": at(999),
        "max": at(1000),
    })
}

fn microseconds(nanoseconds: u64) -> f64 {
    std::time::Duration::from_nanos(nanoseconds).as_secs_f64() * 1e6
}
