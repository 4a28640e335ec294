//! A vendor while it is read: what it extends, and what an entry replaces of it.

use super::super::super::document::Document;
use super::super::super::file::List;
use super::super::super::findings::Spot;
use super::super::super::located::Located;
use super::super::super::tree::NodeId;
use super::super::super::vendor_entry::{LimitsEntry, MountEntry, VendorEntry};
use super::super::header::{self, Purpose};
use super::{answers, requests, scheme};
use crate::answer::{ErrorEvents, Fields, Lists};
use crate::vendor::{CredentialScheme, Limits, ModelList, Mount, RequestRule, TextScheme, Vendor};
use http::header::{HeaderName, HeaderValue};
use std::sync::Arc;

/// What is known of a vendor so far.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    format: String,
    credential: CredentialScheme,
    headers: Vec<(HeaderName, HeaderValue)>,
    requests: Vec<RequestRule>,
    mount: Option<Mount>,
    response: Lists,
    stream: Lists,
    errors: ErrorEvents,
    /// What the three come to.
    answers: Arc<Fields>,
    limits: Limits,
    model_list: ModelList,
    /// The models that it had when this version was made.
    pub(super) models: Vec<String>,
}

impl Draft {
    /// One of which nothing is known but that credentials are presented as most vendors have it.
    pub(super) fn new() -> Self {
        Self {
            format: String::new(),
            credential: CredentialScheme::bearer(),
            headers: Vec::new(),
            requests: Vec::new(),
            mount: None,
            response: Lists::default(),
            stream: Lists::default(),
            errors: ErrorEvents::default(),
            answers: Arc::default(),
            limits: Limits::default(),
            model_list: ModelList::default(),
            models: Vec::new(),
        }
    }

    /// Replaces what `entry` gives. What is wrong with it is reported.
    pub(super) fn apply(&mut self, document: &Document, located: &Located<VendorEntry>) {
        let Some(entry) = located.value() else { return };
        if let Some(format) = entry.format.as_ref().and_then(|given| super::super::name(document, given)) {
            format.clone_into(&mut self.format);
        }
        if let Some(given) = entry.credential.as_ref().and_then(Located::value)
            && let Some(scheme) = scheme::read(document, given)
        {
            self.credential = scheme;
        }
        if let Some(given) = entry.headers.as_ref().and_then(Located::value)
            && let Some(headers) = header::list(document, given, |name| Purpose::Default.objection(name))
        {
            self.headers = headers;
        }
        if let Some(rules) = entry.requests.as_ref().and_then(|given| requests::read(document, given)) {
            self.requests = rules;
        }
        self.check_credential_header(document, located.node(), entry);
        if let Some(given) = entry.mount.as_ref().and_then(Located::value) {
            // One without a prefix is none, where another would be inherited.
            self.mount = mount(document, given);
        }
        if entry.response.is_some() || entry.stream.is_some() {
            answers::apply(entry, &mut self.response, &mut self.stream, &mut self.errors);
            let fields = answers::fields(document, located, &self.response, &self.stream, &self.errors);
            self.answers = fields.map_or_else(|| Arc::clone(&self.answers), Arc::new);
        }
        if let Some(given) = entry.limits.as_ref().and_then(Located::value) {
            self.limits = limits(document, given, &self.limits);
        }
        if let Some(given) = entry.model_list.as_ref().and_then(Located::value) {
            self.model_list = (*given).into();
        }
        if let Some(given) = entry.models.as_ref().and_then(Located::value) {
            self.models = given.iter().filter_map(Located::value).cloned().collect();
        }
    }

    /// Reports a rule that has the model in the header that presents the credential: one would take the other's place.
    fn check_credential_header(&self, document: &Document, node: NodeId, entry: &VendorEntry) {
        let TextScheme::Header { name, .. } = &self.credential.text else { return };
        let Some(place) = self.requests.iter().position(|rule| rule.header.as_ref() == Some(name)) else {
            return;
        };
        let rule = || entry.requests.as_ref()?.value()?.get(place)?.value()?.header.as_ref();
        let scheme = || entry.credential.as_ref()?.value()?.header.as_ref();
        let given = rule().or_else(scheme);
        let shown = given.map_or_else(|| name.to_string(), |given| document.shown(given.node()));
        let node = given.map_or(node, Located::node);
        let message = format!("`{shown}` cannot hold both the model and the credential");
        document.findings.error(Spot::Value(node), message);
    }

    /// The vendor of this name.
    pub(super) fn finish(&self, name: &str) -> Arc<Vendor> {
        Arc::new(Vendor {
            name: name.into(),
            format: self.format.as_str().into(),
            credential: self.credential.clone(),
            headers: self.headers.clone(),
            requests: self.requests.clone(),
            mount: self.mount.clone(),
            answers: Arc::clone(&self.answers),
            limits: self.limits.clone(),
            model_list: self.model_list,
            models: self.models.clone(),
        })
    }
}

fn mount(document: &Document, given: &MountEntry) -> Option<Mount> {
    let listed = given.prefixes.as_ref().and_then(Located::value).map(Vec::as_slice).unwrap_or_default();
    let defaults = given.query.as_ref().and_then(Located::value);
    if listed.is_empty() {
        if let Some(query) = given.query.as_ref().filter(|_| defaults.is_some_and(|query| !query.is_empty()))
        {
            let message = "these come with a prefix, and there is none: list it in `prefixes`";
            document.findings.error(Spot::Key(query.node()), message);
        }
        return None;
    }
    let prefixes: Vec<_> = listed.iter().map(|text| requests::prefix(document, text)).collect();
    let query = defaults.into_iter().flatten().filter_map(|(name, value)| {
        if let Some(message) = requests::no_parameter(name) {
            document.findings.error(Spot::Key(value.node()), message);
        }
        Some((name.as_str().into(), value.value()?.as_str().into()))
    });
    Some(Mount { prefixes: prefixes.into_iter().collect::<Option<_>>()?, query: query.collect() })
}

fn limits(document: &Document, given: &LimitsEntry, earlier: &Limits) -> Limits {
    let names =
        |list: &Option<List<String>>, earlier: &[HeaderName]| match list.as_ref().and_then(Located::value) {
            Some(names) => names.iter().filter_map(|name| header::named(document, name)).collect(),
            None => earlier.to_vec(),
        };
    Limits {
        remaining_tokens: names(&given.remaining_tokens, &earlier.remaining_tokens),
        resets: names(&given.reset, &earlier.resets),
    }
}
