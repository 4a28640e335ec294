//! A file while it is read: its text, its tree, and what was found wrong so far.

use super::findings::{Findings, Spot};
use super::locate::{Location, Part, locate};
use super::outside::Outside;
use super::parse::parse;
use super::plain;
use super::report::{Diagnostic, Report};
use super::secret;
use super::snippet::{Marked, Source};
use super::tree::{Kind, NodeId, Text, Tree};
use super::{interpolate, syntax};

/// How much of a text a message shows.
const SHOWN: usize = 60;

/// How many unknown keys are looked for besides those that are told of: each costs a pass over the text.
const VEILED: usize = 100;

/// A file while it is read.
pub(super) struct Document {
    pub(super) tree: Tree,
    pub(super) findings: Findings,
}

impl Document {
    /// Reads the tree of `text` and fills in what is `outside` of it.
    ///
    /// # Errors
    /// A report with what is wrong with `text` if it is not YAML.
    pub(super) fn parse(name: &str, text: &str, outside: &dyn Outside) -> Result<Self, Report> {
        let findings = Findings::default();
        let mut tree = parse(text, &findings).map_err(|error| syntax::report(name, text, &error))?;
        interpolate::interpolate(&mut tree, outside, &findings);
        Ok(Self { tree, findings })
    }

    /// The text at `node` for a message: as it stands in the file, so that nothing from outside is shown.
    pub(super) fn shown(&self, node: NodeId) -> String {
        if is_secret(&self.tree, node) {
            return "…".to_owned();
        }
        match self.tree.kind(node) {
            Kind::Text(Text { value, written }) => {
                let text = written.as_deref().unwrap_or(value);
                let is_hidden = secret::hidden_in_url(text).is_some() || plain::key_in(text).is_some();
                if is_hidden { "…".to_owned() } else { shorten(text) }
            }
            Kind::Bool(value) => value.to_string(),
            Kind::Integer(value) => value.to_string(),
            Kind::Float(value) => format!("{value:?}"),
            Kind::Null | Kind::List(_) | Kind::Mapping(_) | Kind::Broken => String::new(),
        }
    }

    /// The key of `node` for a message, unless it may be a secret.
    pub(super) fn shown_key(&self, node: NodeId) -> Option<String> {
        let key = self.tree.key(node).unwrap_or_default();
        secret::is_key_shown(&self.tree.steps(node)).then(|| key.escape_debug().to_string())
    }

    /// What stands at `node`, for a message that expected something else.
    pub(super) fn found(&self, node: NodeId) -> String {
        let secret = is_secret(&self.tree, node);
        match self.tree.kind(node) {
            Kind::Null => "nothing".to_owned(),
            Kind::Text(Text { value, written: None }) if value.is_empty() => "an empty text".to_owned(),
            Kind::Text(_) if secret => "a text (not shown)".to_owned(),
            Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) if secret => "a value (not shown)".to_owned(),
            Kind::Text(_) | Kind::Bool(_) => format!("`{}`", self.shown(node)),
            Kind::Integer(_) | Kind::Float(_) => format!("the number {}", self.shown(node)),
            Kind::List(_) => "a list".to_owned(),
            Kind::Mapping(_) => "a mapping".to_owned(),
            Kind::Broken => "something unreadable".to_owned(),
        }
    }

    /// Whether the text at `node` came from outside the file, in whole or in part.
    pub(super) fn is_interpolated(&self, node: NodeId) -> bool {
        matches!(self.tree.kind(node), Kind::Text(Text { written: Some(_), .. }))
    }

    /// Whether something at `node` or below it came from outside the file.
    pub(super) fn refers_outside(&self, node: NodeId) -> bool {
        match self.tree.kind(node) {
            Kind::List(children) | Kind::Mapping(children) => {
                children.iter().any(|&child| self.refers_outside(child))
            }
            _ => self.is_interpolated(node),
        }
    }

    /// The findings as people read them.
    pub(super) fn into_report(self, name: &str, text: &str) -> Report {
        let Self { tree, findings } = self;
        let (findings, omitted) = findings.into_parts();
        let mut source = Source::new(text);
        // Whatever a message is about, it may show the line of such a key.
        let unknown = tree.ids().filter(|&node| secret::is_unknown_key(&tree.steps(node)));
        for node in unknown.take(VEILED) {
            if let Some(at) = locate(text, &tree.steps(node), Part::Key) {
                source.veil(source.clamp(at));
            }
        }
        let located = findings.into_iter().map(|finding| {
            let (node, part) = match finding.spot {
                Spot::Key(node) => (node, Part::Key),
                Spot::Value(node) => (node, Part::Value),
            };
            let location = locate(text, &tree.steps(node), part).map(|location| source.clamp(location));
            let marked = marked(&tree, node, part);
            if let (Some(at), Marked::Key) = (location, marked)
                && is_secret(&tree, node)
            {
                source.veil(at);
            }
            (finding, node, location, marked)
        });
        let located: Vec<_> = located.collect();
        let diagnostics = located.into_iter().map(|(finding, node, location, marked)| {
            let snippet =
                location.and_then(|at: Location| source.snippet(at, marked, finding.focus.as_deref()));
            Diagnostic {
                severity: finding.severity,
                path: tree.path(node),
                location: location.map(|at| (at.line, at.column)),
                message: finding.message,
                help: finding.help,
                snippet,
            }
        });
        Report::new(name, diagnostics.collect(), omitted)
    }

    /// Whether an error was found.
    pub(super) fn failed(&self) -> bool {
        self.findings.failed()
    }
}

/// What is to be marked of `node`, and how much of its line can be shown.
fn marked(tree: &Tree, node: NodeId, part: Part) -> Marked {
    match (part, tree.kind(node)) {
        (Part::Key, _) if !secret::is_key_shown(&tree.steps(node)) => Marked::Secret,
        (Part::Key, _) => Marked::Key,
        (Part::Value, _) if is_secret(tree, node) => Marked::Secret,
        (Part::Value, Kind::List(_) | Kind::Mapping(_)) => Marked::Start,
        (Part::Value, _) => Marked::Value,
    }
}

/// Whether what stands at `node` may be a secret.
fn is_secret(tree: &Tree, node: NodeId) -> bool {
    let steps = tree.steps(node);
    let is_strange = || match tree.kind(node) {
        Kind::Text(Text { value, written }) => !plain::is_text_of_names(written.as_deref().unwrap_or(value)),
        _ => false,
    };
    secret::is_secret_at(&steps) || secret::is_header_name_at(&steps) && is_strange()
}

fn shorten(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}
