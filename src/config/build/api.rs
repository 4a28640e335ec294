//! AI APIs and their operations.

use super::super::document::Document;
use super::super::file::{AnswerName, ApiEntry, Authentication, File, OperationEntry};
use super::super::findings::Spot;
use super::super::located::Located;
use super::super::tree::NodeId;
use super::endpoint::Listed;
use super::policy::Policies;
use super::vendors::{Known, Vendors};
use super::{name, routes};
use crate::gateway::{
    Access, AiApi, Context, Environment, MethodPattern, Operation, OwnAnswer, PathError, PathPattern,
};
use crate::vendor::Vendor;
use std::collections::HashMap;

/// The AI APIs of `file`, unless something is wrong with one of them.
pub(super) fn build(document: &Document, file: &File) -> Option<Vec<AiApi>> {
    let entries = file.apis.value()?;
    if entries.is_empty() {
        let message = "there is no AI API: every request would be answered with 404";
        document.findings.error(Spot::Value(file.apis.node()), message);
    }
    let vendors = Vendors::new(document, file);
    let mut builder =
        Builder { document, vendors, next_endpoint: 0, names: HashMap::new(), contexts: HashMap::new() };
    let apis: Vec<_> = entries.iter().map(|entry| builder.api(entry)).collect();
    apis.into_iter().collect()
}

struct Builder<'f> {
    document: &'f Document,
    vendors: Vendors<'f>,
    next_endpoint: usize,
    /// The names and contexts so far, each with the node it was first given at.
    names: HashMap<String, NodeId>,
    contexts: HashMap<String, NodeId>,
}

impl<'f> Builder<'f> {
    fn api(&mut self, entry: &'f Located<ApiEntry>) -> Option<AiApi> {
        let entry = entry.value()?;
        let document = self.document;
        let name = name(document, &entry.name);
        unique(document, &mut self.names, &entry.name, "an AI API named");
        let context = context(document, &entry.context);
        unique(document, &mut self.contexts, &entry.context, "an AI API at the context");
        let known = self.vendors.find(&entry.vendor);

        let (production, sandbox) = self.endpoints(entry, known.as_ref());
        let authentication = entry.authentication.as_ref().and_then(Located::value);
        let access = match authentication.copied().unwrap_or_default() {
            Authentication::ApiKey => Access::ApiKey,
            Authentication::None => Access::Open,
        };
        if access == Access::Open {
            self.warn_of_unreachable_sandbox(entry, &sandbox);
        }
        let vendor = known.map(|known| known.vendor);
        let policies = Policies::new(document, &production, &sandbox);
        let operations = operations(document, entry, vendor.as_deref(), policies);
        let (production, sandbox) = (production.endpoints(), sandbox.endpoints());
        Some(AiApi::new(name?, context?, vendor?, access, production, sandbox, operations?))
    }

    fn endpoints(&mut self, entry: &'f ApiEntry, known: Option<&Known<'f>>) -> (Listed<'f>, Listed<'f>) {
        let section = entry.endpoints.value();
        let mut listed =
            |environment, list| Listed::new(&self.vendors, environment, list, known, &mut self.next_endpoint);
        let production = section.and_then(|section| section.production.as_ref());
        let production = listed(Environment::Production, production);
        let sandbox = section.and_then(|section| section.sandbox.as_ref());
        let sandbox = listed(Environment::Sandbox, sandbox);
        let given = |list: &Option<_>| {
            list.as_ref().and_then(Located::value).is_some_and(|list: &Vec<_>| !list.is_empty())
        };
        if section.is_some_and(|section| !given(&section.production) && !given(&section.sandbox)) {
            let message = "there is no endpoint, neither for `production` nor for `sandbox`";
            self.document.findings.error(Spot::Value(entry.endpoints.node()), message);
        }
        (production, sandbox)
    }

    fn warn_of_unreachable_sandbox(&self, entry: &ApiEntry, sandbox: &Listed<'_>) {
        let section = entry.endpoints.value().and_then(|section| section.sandbox.as_ref());
        if let (Some(list), false) = (section, sandbox.is_empty()) {
            let message =
                "no request reaches these endpoints: with `authentication: none` every one is `production`";
            let help = "leave them out, or use `authentication: api_key`";
            self.document.findings.warning(Spot::Key(list.node()), message, help);
        }
    }
}

/// Reports a name or context that was given before.
fn unique(document: &Document, seen: &mut HashMap<String, NodeId>, given: &Located<String>, what: &str) {
    let Some(text) = given.value() else { return };
    match seen.get(text) {
        None => {
            seen.insert(text.clone(), given.node());
        }
        Some(&first) => {
            let message = format!("there is {what} `{}` already", document.shown(given.node()));
            let help = format!("the first is {}", document.tree.path(first));
            document.findings.error_with_help(Spot::Value(given.node()), message, help);
        }
    }
}

fn context(document: &Document, given: &Located<String>) -> Option<Context> {
    let text = given.value()?;
    let error = match Context::parse(text) {
        Ok(context) => return Some(context),
        Err(error) => error,
    };
    report_path(document, given, "context", error);
    None
}

fn operations(
    document: &Document,
    entry: &ApiEntry,
    vendor: Option<&Vendor>,
    mut policies: Policies<'_>,
) -> Option<Vec<Operation>> {
    let entries = entry.operations.value()?;
    if entries.is_empty() {
        let message = "there is no operation: every request to this AI API would be answered with 404";
        let help = "for everything below the context: `- { method: \"*\", path: \"/*\" }`";
        document.findings.error_with_help(Spot::Value(entry.operations.node()), message, help);
    }
    let mut seen = HashMap::new();
    let operations: Vec<_> = entries
        .iter()
        .map(|located| {
            let entry = located.value()?;
            let at = method_and_path(document, entry);
            if let Some(at) = &at {
                match seen.get(at) {
                    Some(&first) => report_twice(document, located.node(), entry, first),
                    None => {
                        seen.insert(at.clone(), located.node());
                    }
                }
            }
            let pairs = match &entry.policy {
                Some(policy) => policy.value().and_then(|entry| policies.policy(policy.node(), entry)),
                None => Some((None, None)),
            };
            let answer = answer(document, entry);
            let ((method, path), (production, sandbox)) = (at?, pairs?);
            if let Some(vendor) = vendor {
                let lists = [&production, &sandbox].into_iter().flatten();
                lists.for_each(|pairs| routes::check(document, &entry.path, &path, vendor, pairs));
            }
            Some(Operation::new(method, path, production, sandbox).answering(answer?))
        })
        .collect();
    operations.into_iter().collect()
}

/// What the gateway answers by itself. The outer `None` if something is wrong with it.
fn answer(document: &Document, entry: &OperationEntry) -> Option<Option<OwnAnswer>> {
    let Some(given) = &entry.answer else { return Some(None) };
    if let Some(policy) = &entry.policy {
        let message = "an operation that the gateway answers by itself has no policy: no request is sent on";
        let help = "leave out `policy` or `answer`";
        document.findings.error_with_help(Spot::Key(policy.node()), message, help);
        return None;
    }
    match given.value()? {
        AnswerName::Models => Some(Some(OwnAnswer::Models)),
    }
}

fn report_twice(document: &Document, node: NodeId, entry: &OperationEntry, first: NodeId) {
    let (method, path) = (document.shown(entry.method.node()), document.shown(entry.path.node()));
    let message = format!("there is an operation `{method} {path}` in this AI API already");
    let help = format!("the first is {}", document.tree.path(first));
    document.findings.error_with_help(Spot::Value(node), message, help);
}

fn method_and_path(document: &Document, entry: &OperationEntry) -> Option<(MethodPattern, PathPattern)> {
    let method = method(document, &entry.method);
    let path = entry.path.value().and_then(|text| match PathPattern::parse(text) {
        Ok(path) => Some(path),
        Err(error) => {
            report_path(document, &entry.path, "path", error);
            None
        }
    });
    Some((method?, path?))
}

fn method(document: &Document, given: &Located<String>) -> Option<MethodPattern> {
    let text = given.value()?;
    let method = MethodPattern::parse(text);
    if method.is_none() {
        let found = document.found(given.node());
        let message =
            format!("expected a method in capitals, such as `POST`, or `\"*\"` for any, found {found}");
        let capitals = text.to_ascii_uppercase();
        match MethodPattern::parse(&capitals) {
            Some(_) if !document.is_interpolated(given.node()) => {
                let help = format!("did you mean `{capitals}`?");
                document.findings.error_with_help(Spot::Value(given.node()), message, help);
            }
            _ => document.findings.error(Spot::Value(given.node()), message),
        }
    }
    method
}

fn report_path(document: &Document, given: &Located<String>, what: &str, error: PathError) {
    let found = document.found(given.node());
    let reason = match error {
        // The character may be one of a variable's.
        PathError::Character(_) if document.is_interpolated(given.node()) => {
            "a character of it cannot stand in a path".to_owned()
        }
        error => error.to_string(),
    };
    let message = format!("{found} is no {what}: {reason}");
    let help = match error {
        PathError::NotAbsolute => Some("begin it with `/`"),
        PathError::TrailingSlash => Some("leave out the `/` at the end; a context has at least one segment"),
        PathError::Star if what == "context" => Some("a `/*` belongs to the path of an operation"),
        PathError::Star => Some("for everything below a path write `/path/*`"),
        PathError::Character('{' | '}') if what == "context" => {
            Some("a context has no braces: they belong to the path of an operation")
        }
        PathError::Braces => {
            Some("a name has letters, digits, `_` and `-`; nothing below such a path is matched")
        }
        PathError::Character('?' | '#') => Some("a query is matched by no path: it is passed on as it is"),
        PathError::Character(_) => Some("write the character percent-encoded, as it stands in the URL"),
        PathError::EmptySegment | PathError::DotSegment => None,
    };
    document.findings.error_with(Spot::Value(given.node()), message, help.map(str::to_owned));
}
