//! What the tests share: the gateway as a process, the vendor, the client.

mod client;
#[cfg(feature = "otlp")]
mod collector;
mod document;
mod gateway;
mod process;
mod raw;
mod raw_vendor;
mod scrape;
mod scripted;
mod vendor;

pub use client::{Answer, Body, Client, chat, in_chunks, post, read_chunk};
#[cfg(feature = "otlp")]
pub use collector::{Collector, SeenSpan};
pub use document::hold_document;
pub use gateway::{Gateway, Prepared, Running, binary};
pub use process::{Process, signal};
pub use raw::Raw;
pub use raw_vendor::{RawVendor, Step};
pub use scrape::Scrape;
pub use scripted::{Asked, Reply, Scripted};
pub use vendor::{vendor, vendor_on};
