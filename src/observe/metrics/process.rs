//! The figures of the process and of its allocator.

use super::families;
use super::series::Families;
use once_cell::sync::Lazy;
use prometheus::core::Collector as _;
use prometheus::process_collector::ProcessCollector;
use serde::Deserialize;

/// Made at the first scrape: before that the process may still become a daemon, under another id.
static PROCESS: Lazy<ProcessCollector> = Lazy::new(ProcessCollector::for_self);

/// What is of use of mimalloc's statistics.
#[derive(Deserialize)]
struct Allocator {
    committed: Current,
    reserved: Current,
    pages: Current,
}

#[derive(Deserialize)]
struct Current {
    current: i64,
}

/// Adds the figures that the system and the allocator have; one that cannot be had is left out.
pub(super) fn add(families: &mut Families) {
    families.add_all(PROCESS.collect());
    let Some(allocator) = allocator() else {
        return;
    };
    for (family, figure) in [
        (&families::ALLOCATOR_COMMITTED, allocator.committed),
        (&families::ALLOCATOR_RESERVED, allocator.reserved),
        (&families::ALLOCATOR_PAGES, allocator.pages),
    ] {
        families.add_one(family, figure.current.max(0) as f64);
    }
}

fn allocator() -> Option<Allocator> {
    let statistics = mimalloc::MiMalloc::stats_json().ok()?;
    serde_json::from_slice(statistics.to_bytes()).ok()
}
