//! The vendors that a file can refer to.

mod answers;
mod catalog;
mod draft;
mod requests;
mod scheme;

use super::super::document::Document;
use super::super::file::File;
use super::super::findings::Spot;
use super::super::located::Located;
use super::super::nearest::did_you_mean;
use super::super::tree::{NodeId, ROOT};
use super::super::vendor_entry::VendorEntry;
use super::showable;
use crate::vendor::Vendor;
use draft::Draft;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a vendor that is not built in extends where a file does not say.
const DEFAULT_BASE: &str = "openai";

/// The vendors that a file can refer to: the built-in ones, and those that it adds or changes.
pub(super) struct Vendors<'f> {
    pub(super) document: &'f Document,
    /// Those that the file has an entry for, and the built-in ones that were referred to so far: each is read once.
    known: RefCell<BTreeMap<String, Known<'f>>>,
}

/// Models, each with the node it is listed at.
type Listed<'f> = Vec<(&'f str, NodeId)>;

/// A vendor, and which models it is known to have.
#[derive(Clone)]
pub(super) struct Known<'f> {
    pub(super) vendor: Arc<Vendor>,
    models: Models<'f>,
    /// What the file says of it, if it says something.
    entry: Option<&'f Located<VendorEntry>>,
}

#[derive(Clone)]
enum Models<'f> {
    /// These and no others: the file says so.
    Declared(Listed<'f>),
    /// Those of the vendor, when this version was made.
    BuiltIn,
    /// Nothing is known.
    Any,
}

impl<'f> Vendors<'f> {
    /// The vendors of `file`.
    pub(super) fn new(document: &'f Document, file: &'f File) -> Self {
        let mut known = BTreeMap::new();
        for (name, entry) in file.vendors.as_ref().and_then(Located::value).into_iter().flatten() {
            if name.trim().is_empty() || name.chars().any(char::is_control) {
                let message = "the name of a vendor is not empty and has no control characters";
                document.findings.error(Spot::Key(entry.node()), message);
            }
            known.insert(name.clone(), declared(document, name, entry));
        }
        Self { document, known: RefCell::new(known) }
    }

    /// The vendor that `name` refers to.
    pub(super) fn find(&self, name: &Located<String>) -> Option<Known<'f>> {
        let text = name.value()?.as_str();
        if let Some(known) = self.known.borrow().get(text) {
            return Some(known.clone());
        }
        let Some(draft) = catalog::draft(text) else {
            self.report_unknown(name, text);
            return None;
        };
        let known = Known::built_in(draft.finish(text));
        self.known.borrow_mut().insert(text.to_owned(), known.clone());
        Some(known)
    }

    fn report_unknown(&self, name: &Located<String>, text: &str) {
        let declared = self.known.borrow();
        let declared = declared.keys().map(String::as_str);
        let known: BTreeSet<&str> = catalog::names().map(|name| -> &str { name }).chain(declared).collect();
        let known = Vec::from_iter(known);
        let shown = self.document.shown(name.node());
        let message = format!("unknown vendor `{shown}`, expected one of {}", known.join(", "));
        let add = "a vendor that is not built in is added under `vendors`";
        let help = did_you_mean(text, known).unwrap_or_else(|| add.to_owned());
        self.document.findings.error_with_help(Spot::Value(name.node()), message, help);
    }
}

impl Known<'_> {
    /// A built-in vendor, as it is or with something else than its models replaced.
    fn built_in(vendor: Arc<Vendor>) -> Self {
        let models = if vendor.models.is_empty() { Models::Any } else { Models::BuiltIn };
        Self { vendor, models, entry: None }
    }

    /// Its format, as the file writes it.
    pub(super) fn format(&self, document: &Document) -> String {
        let given = self.entry.and_then(|entry| entry.value()?.format.as_ref());
        given.map_or_else(|| self.vendor.format.to_string(), |given| document.shown(given.node()))
    }

    /// Whether something of where it has the model comes from outside the file.
    pub(super) fn has_places_from_outside(&self, document: &Document) -> bool {
        let given = self.entry.and_then(|entry| entry.value()?.requests.as_ref());
        given.is_some_and(|given| document.refers_outside(given.node()))
    }

    /// Reports a model with a `/` in its name where requests could not name it.
    pub(super) fn check_slash(&self, document: &Document, model: &Located<String>) {
        let Some(name) = model.value().filter(|name| name.contains('/') && self.vendor.refuses_slash())
        else {
            return;
        };
        let shown = document.shown(model.node());
        let message = format!(
            "the model `{shown}` has a `/`, and the paths of requests to `{}` have no place for one",
            self.vendor.name
        );
        let last = name
            .rsplit('/')
            .next()
            .filter(|last| !last.is_empty() && !document.is_interpolated(model.node()));
        let help = last.map(|last| format!("did you mean `{last}`?"));
        document.findings.error_with(Spot::Value(model.node()), message, help);
    }

    /// Reports a model that the vendor is not known to have.
    pub(super) fn check(&self, document: &Document, model: &Located<String>) {
        let Some(name) = model.value() else { return };
        let (shown, vendor) = (document.shown(model.node()), &self.vendor.name);
        let spot = Spot::Value(model.node());
        match &self.models {
            Models::Any => {}
            Models::Declared(models) if models.iter().any(|(listed, _)| listed == name) => {}
            Models::Declared(models) => {
                let message = format!("the model `{shown}` is not among those listed for `{vendor}`");
                let nearest = did_you_mean(name, showable(document, models.iter().copied()));
                let help = nearest.unwrap_or_else(|| format!("the list is `vendors.{vendor}.models`"));
                document.findings.error_with_help(spot, message, help);
            }
            Models::BuiltIn if knows(&self.vendor.models, name) => {}
            Models::BuiltIn => {
                let message =
                    format!("`{vendor}` was not known to have a model `{shown}` when this version was made");
                let nearest = did_you_mean(name, self.vendor.models.iter().map(String::as_str));
                let help = nearest.unwrap_or_else(|| {
                    format!("if it is right, list the models you use under `vendors.{vendor}.models`")
                });
                document.findings.warning(spot, message, help);
            }
        }
    }
}

/// Whether `name` is one of `models`. At Amazon it may have the geography of an inference profile before it, or be an ARN,
/// which names one of an account's own.
fn knows(models: &[String], name: &str) -> bool {
    let listed = |name: &str| models.iter().any(|model| model == name);
    let plain = || name.split_once('.').is_some_and(|(_, plain)| listed(plain));
    listed(name) || name.starts_with("arn:") || plain()
}

/// The vendor `name` with what `entry` says of it.
fn declared<'f>(document: &'f Document, name: &str, entry: &'f Located<VendorEntry>) -> Known<'f> {
    let given = entry.value();
    let extends = given.and_then(|entry| entry.extends.as_ref());
    let base = match extends {
        Some(given) => base(document, given),
        None => catalog::draft(name),
    };
    let is_built_in = extends.is_none() && base.is_some();
    let mut draft = base.or_else(added).unwrap_or_else(Draft::new);
    draft.apply(document, entry);
    let list = given.and_then(|entry| entry.models.as_ref());
    let list = list.and_then(|list| Some((list.node(), list.value()?)));
    if let Some((node, [])) = list.map(|(node, models)| (node, models.as_slice())) {
        let help = "leave `models` out if they are not known";
        let message = "the list of models is empty: no policy could name one";
        document.findings.error_with_help(Spot::Value(node), message, help);
    }
    let vendor = draft.finish(name);
    let named = |model: &'f Located<String>| Some((model.value()?.as_str(), model.node()));
    let known = match list {
        Some((_, models)) => {
            let models = Models::Declared(models.iter().filter_map(named).collect());
            Known { vendor, models, entry: None }
        }
        None if is_built_in => Known::built_in(vendor),
        None => Known { vendor, models: Models::Any, entry: None },
    };
    Known { entry: Some(entry), ..known }
}

/// The built-in vendor of this name.
pub(in crate::config) fn built_in_vendor(name: &str) -> Option<Arc<Vendor>> {
    catalog::draft(name).map(|draft| draft.finish(name))
}

/// What a vendor that is not built in begins with. Its models are its own.
fn added() -> Option<Draft> {
    let mut draft = catalog::draft(DEFAULT_BASE)?;
    draft.models.clear();
    Some(draft)
}

/// The built-in vendor that `given` names.
fn base(document: &Document, given: &Located<String>) -> Option<Draft> {
    let name = given.value()?;
    if let Some(mut draft) = catalog::draft(name) {
        draft.models.clear();
        return Some(draft);
    }
    let shown = document.shown(given.node());
    let names: Vec<_> = catalog::names().collect();
    let vendors = document.tree.child(ROOT, "vendors");
    if vendors.and_then(|vendors| document.tree.child(vendors, name)).is_some() {
        let message = format!("`{shown}` is a vendor of this file: only built-in ones can be extended");
        let help = format!("the built-in ones are {}", names.join(", "));
        document.findings.error_with_help(Spot::Value(given.node()), message, help);
        return None;
    }
    let message = format!("unknown vendor `{shown}`, expected one of {}", names.join(", "));
    document.findings.error_with(Spot::Value(given.node()), message, did_you_mean(name, names));
    None
}
