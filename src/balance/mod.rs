//! Choosing a pair, and remembering which pairs are out.
//!
//! A *pair* is a model on an endpoint. This room knows pairs by their place in a list only: it has no names, no
//! sockets, no clock and no randomness. Time comes in as a [`Tick`], what happened comes in as an [`Outcome`], and
//! decisions go out, so that the server and the tests run the same code.
//!
//! - [`turn`]: whose turn it is, round robin or smooth weighted round robin, over any set of eligible pairs;
//! - [`health`]: whether one pair is in or out, and until when;
//! - [`pool`]: the two together, shared between threads;
//!   `turns` is what a pool shares of it with the one that replaces it;
//! - [`trail`]: the pairs that one request has tried, and whether it may try another;
//! - [`verdict`]: which outcomes count as failures.

pub mod health;
pub mod pool;
pub mod trail;
pub mod turn;
pub mod verdict;

mod set;
mod tick;
mod turns;

pub use health::{Failure, Health, Locked, Phase, Reason, Role, Rules, Shared};
pub use pool::{Choice, Finding, Member, NoChoice, Pool, Suspension, WhenAllSuspended};
pub use set::{MAX_PAIRS, PairSet};
pub use tick::Tick;
pub use trail::{RetryRules, Trail};
pub use turn::{Turn, WeightError};
pub use turns::{Turns, TurnsRecord};
pub use verdict::{Cause, CauseSet, Outcome, StatusClass};
