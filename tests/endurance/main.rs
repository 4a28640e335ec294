//! What takes load or time: pairs that die and come back under load, upgrades and reloads under load, processes killed at
//! any moment, memory under large uploads, clients that go away.
//!
//! A program of its own, so that it runs alone: what it measures would be disturbed by other tests, and disturb theirs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods,
    dead_code,
    unused_imports,
    reason = "tests; and what is shared with the other integration tests is not all used here"
)]

#[path = "../integration/support/mod.rs"]
mod support;

mod dying_pairs;
mod killed;
mod leftovers;
mod load;
mod process;
mod seen;
mod sender;
mod service;
mod upgrading;

/// Held by each test to its end: they would disturb what each other measures. Ended by a failed one, it is free again.
async fn alone() -> tokio::sync::MutexGuard<'static, ()> {
    static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    ALONE.lock().await
}
