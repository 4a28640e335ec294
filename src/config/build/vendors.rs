//! The vendors that a file can refer to.

use super::super::document::Document;
use super::super::file::File;
use super::super::findings::Spot;
use super::super::located::Located;
use super::super::nearest::did_you_mean;
use super::super::tree::NodeId;
use super::showable;
use crate::vendor::{self, Vendor};
use std::collections::{BTreeMap, BTreeSet};

/// The vendors that a file adds, or whose models it lists.
pub(super) struct Vendors<'f> {
    document: &'f Document,
    declared: BTreeMap<&'f str, Option<Listed<'f>>>,
}

/// Models, each with the node it is listed at.
type Listed<'f> = Vec<(&'f str, NodeId)>;

/// A vendor, and which models it is known to have.
pub(super) struct Known<'f> {
    pub(super) vendor: Vendor,
    models: Models<'f>,
}

enum Models<'f> {
    /// These and no others: the file says so.
    Declared(Listed<'f>),
    /// These when this version was made.
    BuiltIn(&'static [&'static str]),
    /// Nothing is known.
    Any,
}

impl<'f> Vendors<'f> {
    /// The vendors of `file`.
    pub(super) fn new(document: &'f Document, file: &'f File) -> Self {
        let mut declared = BTreeMap::new();
        for (name, entry) in file.vendors.as_ref().and_then(Located::value).into_iter().flatten() {
            if name.trim().is_empty() || name.chars().any(char::is_control) {
                let message = "the name of a vendor is not empty and has no control characters";
                document.findings.error(Spot::Key(entry.node()), message);
            }
            let list = entry.value().and_then(|entry| entry.models.as_ref());
            let models = list.and_then(|list| Some((list.node(), list.value()?)));
            if let Some((node, [])) = models.map(|(node, models)| (node, models.as_slice())) {
                let help = "leave `models` out if they are not known";
                let message = "the list of models is empty: no policy could name one";
                document.findings.error_with_help(Spot::Value(node), message, help);
            }
            let named = |model: &'f Located<String>| Some((model.value()?.as_str(), model.node()));
            declared
                .insert(name.as_str(), models.map(|(_, models)| models.iter().filter_map(named).collect()));
        }
        Self { document, declared }
    }

    /// The vendor that `name` refers to.
    pub(super) fn find(&self, name: &Located<String>) -> Option<Known<'f>> {
        let text = name.value()?.as_str();
        let built_in = vendor::built_in(text);
        let declared = self.declared.get(text);
        if built_in.is_none() && declared.is_none() {
            self.report_unknown(name, text);
            return None;
        }
        let models = match (declared, built_in) {
            (Some(Some(models)), _) => Models::Declared(models.clone()),
            (_, Some(built_in)) => Models::BuiltIn(built_in.models),
            _ => Models::Any,
        };
        let vendor = built_in.map_or_else(|| Vendor::openai_style(text), |built_in| built_in.vendor.clone());
        Some(Known { vendor, models })
    }

    fn report_unknown(&self, name: &Located<String>, text: &str) {
        let declared = self.declared.keys().copied();
        let known: BTreeSet<&str> =
            vendor::built_in_names().map(|name| -> &str { name }).chain(declared).collect();
        let known = Vec::from_iter(known);
        let shown = self.document.shown(name.node());
        let message = format!("unknown vendor `{shown}`, expected one of {}", known.join(", "));
        let add = "a vendor that speaks OpenAI's dialect is added under `vendors`";
        let help = did_you_mean(text, known).unwrap_or_else(|| add.to_owned());
        self.document.findings.error_with_help(Spot::Value(name.node()), message, help);
    }
}

impl Known<'_> {
    /// Reports a model that the vendor is not known to have.
    pub(super) fn check(&self, document: &Document, model: &Located<String>) {
        let Some(name) = model.value() else { return };
        let (shown, vendor) = (document.shown(model.node()), self.vendor.name());
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
            Models::BuiltIn(models) if models.contains(&name.as_str()) => {}
            Models::BuiltIn(models) => {
                let message =
                    format!("`{vendor}` was not known to have a model `{shown}` when this version was made");
                let nearest = did_you_mean(name, models.iter().copied());
                let help = nearest.unwrap_or_else(|| {
                    format!("if it is right, list the models you use under `vendors.{vendor}.models`")
                });
                document.findings.warning(spot, message, help);
            }
        }
    }
}
