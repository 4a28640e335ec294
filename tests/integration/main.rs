//! The real binary on a real file, between real sockets: a client and a mock vendor with a switch for every fault.
//!
//! One file a behaviour. All of them are one program, so that the libraries are linked once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that goes wrong panics where it goes wrong"
)]

mod access_log;
mod admin;
mod admin_commands;
mod admin_doors;
mod admin_told;
mod array_streams;
mod background;
mod bad_places;
mod balancing;
mod bodies;
mod commands;
mod compressed;
mod credentials;
mod draining;
mod early_answers;
mod faults;
mod faults_rows;
mod faults_sites;
mod followers;
mod forwarding;
mod framing;
mod keys;
mod lifecycle;
mod metrics;
mod metrics_served;
mod mixed_vendors;
mod models_answer;
mod places;
mod predecessor;
mod protocols;
mod recovering;
mod refusals;
mod reloading;
mod retried_requests;
mod retrying;
mod simulate;
mod streaming;
mod support;
mod suspending;
mod tracing;
mod unavailable;
mod upgrading;
mod vendors;
mod vendors_document;
mod vendors_play;
mod vendors_rows;
mod vendors_signature;
