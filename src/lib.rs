//! Evenkeel: a load balancer for AI APIs.
//!
//! A client asks for any model; Evenkeel picks a model-endpoint *pair* by round robin or weighted round robin, from the
//! production or the sandbox list according to the client's key, puts the pair's model in the place of the asked one,
//! forwards the request with the endpoint's own credential, streams the answer back, and suspends a pair that fails.
//!
//! # The rooms
//! Pure, importing nothing of ours:
//! - [`answer`]: what a response tells as it passes: its model, its tokens, whether it has failed;
//! - [`balance`]: whose turn it is, who is out, what counts as a failure;
//! - [`blocks`]: where strings and brackets of JSON stand, 64 bytes at a time;
//! - [`coding`]: decoding a body that is compressed, as it passes;
//! - [`splice`]: finding the model of a body, a path or a query, and putting another in its place;
//! - [`keys`]: making, hashing, storing and finding clients' keys.
//!
//! What is known and what runs:
//! - [`vendor`]: what is known of each vendor;
//! - [`gateway`]: AI APIs, endpoints, operations, pairs, and the way to them;
//! - [`config`]: the file as written, and what is wrong with it, turned into a gateway;
//! - [`simulate`]: a policy played on a virtual clock.
//!
//! What touches the world:
//! - [`credential`]: credentials that are made for each request or that change: AWS's signatures, Google's access tokens;
//! - [`upstream`]: endpoints as Pingora connects to them;
//! - [`live`]: what is served now, and how it changes while requests are served;
//! - [`proxy`]: Pingora's hooks, and what they need;
//! - [`observe`]: the access log, metrics, traces;
//! - [`admin`]: the admin address;
//! - [`server`]: a loaded configuration, running;
//! - [`mock`]: a vendor to try and test against;
//! - [`cli`]: the commands.
//!
//! `docs/architecture.md` has the map of imports and the life of a request.
#![forbid(unsafe_code)]

pub mod admin;
pub mod answer;
pub mod balance;
pub mod blocks;
pub mod cli;
pub mod coding;
pub mod config;
pub mod credential;
pub mod gateway;
pub mod keys;
pub mod live;
pub mod mock;
pub mod observe;
pub mod proxy;
pub mod server;
pub mod simulate;
pub mod splice;
pub mod stamp;
pub mod upstream;
pub mod vendor;
