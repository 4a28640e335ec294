//! What the gateway tells of its work.

pub mod access_log;
pub mod trace;
