//! Looking names up again while the server runs.

use super::Upstreams;
use super::addresses::Addresses;
use log::{info, warn};
use std::collections::HashSet;

/// The names that could not be resolved when they were last looked up.
#[derive(Debug, Default)]
pub struct Unresolved(HashSet<String>);

impl Upstreams {
    /// Looks every name up, and tells of a failure once until it has passed.
    pub async fn refresh(&self, unresolved: &mut Unresolved) {
        let failing = &mut unresolved.0;
        for known in self.known.values() {
            let Addresses::Named(named) = known.addresses.as_ref() else {
                continue;
            };
            match named.refresh().await {
                Ok(()) if failing.remove(named.name()) => {
                    info!("`{}` can be resolved again", named.name());
                }
                Ok(()) => {}
                Err(error) if failing.insert(named.name().to_owned()) => {
                    warn!("{error}; its last known addresses stay in use");
                }
                Err(_) => {}
            }
        }
    }
}
