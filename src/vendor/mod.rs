//! What is known of each vendor: how its API authenticates, where the model stands in its requests, and what its
//! answers tell.
//!
//! A [`Vendor`] is made of what `conf/vendors/` and a configuration say (`crate::config`); nothing here is about one vendor,
//! but for the shapes of lists of models and the names in [`conventions`].

mod address;
pub mod conventions;
mod limits;
mod model_list;
mod mount;
mod request;
mod scheme;

pub use address::{Address, AddressError, Asked, Outset};
pub use limits::Limits;
pub use model_list::ModelList;
pub use mount::Mount;
pub use request::RequestRule;
pub use scheme::{CredentialScheme, KEY_HEADERS, TextScheme, present};

use crate::answer::Fields;
use crate::splice::template::Slash;
use http::header::{HeaderName, HeaderValue};
use std::sync::Arc;

/// Each of `places` once, in the order in which they come.
fn distinct(places: impl Iterator<Item = String>) -> Vec<String> {
    let mut distinct = Vec::new();
    for place in places {
        if !distinct.contains(&place) {
            distinct.push(place);
        }
    }
    distinct
}

/// An AI service provider.
#[derive(Debug)]
pub struct Vendor {
    /// The name that a configuration calls it by.
    pub name: Arc<str>,
    /// The name of the format of its requests. Endpoints of several vendors stand in one AI API if this is the same.
    pub format: Arc<str>,
    /// How its API authenticates.
    pub credential: CredentialScheme,
    /// Headers that requests get which do not have them.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Where the model stands in its requests. The first whose path fits counts.
    pub requests: Vec<RequestRule>,
    /// Where its paths stand, where those of other vendors of the same format have no such beginning.
    pub mount: Option<Mount>,
    /// What its answers tell.
    pub answers: Arc<Fields>,
    /// In which headers it tells of its limits.
    pub limits: Limits,
    /// The shape of its own list of models.
    pub model_list: ModelList,
    /// The models that it is known to have. Vendors add models faster than gateways are released, so one that is not
    /// among those of a built-in vendor is worth a warning, not a refusal.
    pub models: Vec<String>,
}

impl Vendor {
    /// Two places of the model in bodies, one of this vendor's and one of `other`'s, if they differ: a body is sent to
    /// either with the model at one place. Where the path names it, this vendor needs none.
    pub fn other_bodies(&self, other: &Self) -> Option<(String, String)> {
        let places = |vendor: &Self, with_followers: bool| {
            let rules = vendor.requests.iter().filter(|rule| with_followers || !rule.is_by_path());
            let json = rules.clone().filter_map(|rule| rule.json.as_ref());
            let json = json.map(|place| place.to_string());
            let forms = rules.filter_map(|rule| rule.form.as_ref());
            let forms = forms.map(|field| format!("the form field `{field}`"));
            (distinct(json), distinct(forms))
        };
        let ((own_json, own_forms), (other_json, other_forms)) = (places(self, false), places(other, true));
        let differing = |own: &[String], other: &[String]| {
            let one = own.iter().find(|place| !other.is_empty() && !other.contains(place))?;
            Some((one.clone(), other.join(" or ")))
        };
        differing(&own_json, &other_json).or_else(|| differing(&own_forms, &other_forms))
    }

    /// Whether its requests name the model in their bodies and nowhere else, whatever their paths: nearly all vendors'.
    pub fn names_models_in_bodies_only(&self) -> bool {
        let elsewhere =
            |rule: &RequestRule| rule.is_by_path() || rule.header.is_some() || rule.query.is_some();
        self.mount.is_none() && !self.requests.iter().any(elsewhere)
    }

    /// The paths in which the model stands, for people.
    pub fn paths(&self) -> String {
        let paths = self.requests.iter().map(|rule| format!("`{}`", rule.path.as_str()));
        paths.collect::<Vec<_>>().join(", ")
    }

    /// Whether the name of a model holds no `/` wherever the path of a request names it.
    pub fn refuses_slash(&self) -> bool {
        let mut by_path = self.requests.iter().filter(|rule| rule.is_by_path()).peekable();
        by_path.peek().is_some() && by_path.all(|rule| rule.path.slash() == Slash::Refused)
    }
}
