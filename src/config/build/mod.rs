//! What the values of a file mean together: the settings of the process and the gateway.
//!
//! The constructors of [`crate::gateway`] and [`crate::balance`] say what is valid; here their errors get a place in
//! the file, and what they cannot see is checked: names that refer to each other. Each function reports what is wrong
//! and returns nothing for it, so that the others go on.

mod api;
mod credential;
mod endpoint;
mod header;
mod policy;
mod resilience;
mod routes;
mod settings;
mod vendors;

pub use settings::{AdminSettings, Listener, Settings, TlsFiles};
pub(super) use settings::{DEFAULT_ADMIN, socket_address};
pub(super) use vendors::built_in_vendor;

use super::document::Document;
use super::file::File;
use super::findings::Spot;
use super::located::Located;
use super::outside::Outside;
use super::tree::NodeId;
use crate::gateway::Gateway;

/// The request body that is accepted where a file does not say: 20 MiB.
const DEFAULT_REQUEST_BODY: usize = 20 << 20;

/// The longest name of an AI API, endpoint or vendor, in bytes.
const MAX_NAME: usize = 256;

/// The settings and the gateway that `file` describes, unless something is wrong with it.
pub(super) fn build(document: &Document, file: File, outside: &dyn Outside) -> Option<(Settings, Gateway)> {
    let limits = file.limits.as_ref().and_then(Located::value);
    let request_body = limits.and_then(|limits| limits.request_body.as_ref()?.value());
    let request_body = request_body.map_or(DEFAULT_REQUEST_BODY, |size| size.0);
    let apis = api::build(document, &file);
    let settings = settings::build(document, file, outside);
    let gateway = Gateway::new(apis?, request_body);
    // Contexts that stand twice have been reported with their places.
    Some((settings?, gateway.ok()?))
}

/// A name that is fit to be shown and referred to.
fn name<'f>(document: &Document, name: &'f Located<String>) -> Option<&'f str> {
    let text = name.value()?;
    let problem = if text.trim().is_empty() {
        "a name is not empty"
    } else if text.len() > MAX_NAME {
        "a name has at most 256 bytes"
    } else if text.chars().any(char::is_control) {
        "a name has no control characters"
    } else {
        return Some(text);
    };
    document.findings.error(Spot::Value(name.node()), problem);
    None
}

/// The names that may be shown, of those that were given at some node.
fn showable<'n>(
    document: &Document,
    names: impl IntoIterator<Item = (&'n str, NodeId)>,
) -> impl Iterator<Item = &'n str> {
    names.into_iter().filter(|&(_, node)| !document.is_interpolated(node)).map(|(name, _)| name)
}
