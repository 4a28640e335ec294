//! A vendor to try, test and load-test against: it speaks OpenAI's API over HTTP/1.1 and
//! HTTP/2 with prior knowledge, and says the model it was asked for.
//!
//! | request | answer |
//! |---|---|
//! | `POST …/chat/completions`, `POST …/completions` | whole, or streamed for `stream: true` |
//! | `POST …/embeddings` | one embedding an input, as floats or base64 |
//! | `POST …/responses` | whole |
//! | `GET …/models` | a list of models |
//! | `GET /`, `HEAD /` | a greeting |
//!
//! Anything else is 404. Faults are switched in the process, by [`MockVendor::faults`].

mod answer;
mod body;
mod delivery;
mod fail_rate;
mod faults;
mod handler;
mod ledger;
mod pause;
mod request;
mod script;
mod server;
#[cfg(test)]
mod tests;

pub use fail_rate::{FailRate, FailRateError};
pub use faults::{Dialect, Fault, Faults, Gate};
pub use ledger::SeenRequest;
pub use server::{MockVendor, Options};
