//! Where the model stands in the requests of a vendor.

use crate::splice::JsonPlace;
use crate::splice::template::Template;
use http::header::HeaderName;

/// Where the model stands in the requests of some paths.
///
/// Where it stands in the path, the path decides, and wherever else it is named follows: it is rewritten there, and not
/// added. Elsewhere each place that is named gets the model, whether it was there or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRule {
    /// The paths, and where in them the model stands, if it does.
    pub path: Template,
    /// Where in a JSON body.
    pub json: Option<JsonPlace>,
    /// In which field of a multipart form.
    pub form: Option<Box<str>>,
    /// In which header.
    pub header: Option<HeaderName>,
    /// In which query parameter.
    pub query: Option<Box<str>>,
}

impl RequestRule {
    /// Whether the model stands in the path, so that every other place follows it.
    pub fn is_by_path(&self) -> bool {
        self.path.has_model()
    }
}
