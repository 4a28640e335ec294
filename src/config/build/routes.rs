//! Whether the vendors of an operation's pairs have its path.

use super::super::document::Document;
use super::super::findings::Spot;
use super::super::located::Located;
use crate::gateway::{Pairs, PathPattern};
use crate::vendor::{AddressError, Asked, Vendor};

/// Warns of the path `given` of an operation with `pairs` in an AI API of the vendor `api`, if one of their vendors is known to
/// have no such path: requests to it are refused. Of a path that stands for many nothing is said.
pub(super) fn check(
    document: &Document,
    given: &Located<String>,
    path: &PathPattern,
    api: &Vendor,
    pairs: &Pairs,
) {
    let PathPattern::Exact(path) = path else { return };
    let mut vendors = pairs.ways().iter().map(|endpoint| (endpoint.vendor(), endpoint.url().path()));
    let missing = vendors.find(|(vendor, base)| lacks(vendor, base, path, api));
    let Some((vendor, _)) = missing else { return };
    let (name, paths) = (&vendor.name, vendor.paths());
    let message = format!(
        "`{name}` has no path `{}`: each request to it will be refused",
        document.shown(given.node())
    );
    let help = if *name == api.name {
        format!("its paths are {paths}; without a policy any path goes to the primary endpoint")
    } else {
        format!("its paths are {paths}; leave the pairs on its endpoints out of this policy")
    };
    document.findings.warning(Spot::Value(given.node()), message, help);
}

fn lacks(vendor: &Vendor, base: &str, path: &str, api: &Vendor) -> bool {
    let address = vendor.address(api, base, Asked { path, query: None }, "model");
    matches!(address, Err(AddressError::NoRoute))
}
