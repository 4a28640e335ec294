//! What the gateway tells of its work: a line for each request, numbers, and traces.

pub mod access_log;
pub mod metrics;
pub mod trace;
