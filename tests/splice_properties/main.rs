//! What holds of the splice for every body, path and query: of generated ones, and of bytes that are none.

mod disposition;
mod documents;
mod each;
mod form;
mod json;
#[path = "../oracle/mod.rs"]
mod oracle;
mod path;
mod query;
