//! Evenkeel: a load balancer for AI APIs.
#![forbid(unsafe_code)]

pub mod admin;
pub mod balance;
pub mod config;
pub mod gateway;
pub mod keys;
pub mod mock;
pub mod observe;
pub mod proxy;
pub mod server;
pub mod splice;
pub mod sse;
pub mod upstream;
pub mod vendor;
