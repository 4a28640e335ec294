//! What is found wrong while a file is read, all of it.

use super::report::Severity;
use super::tree::NodeId;
use std::cell::{Cell, RefCell};

/// The most findings that are kept. Nobody reads more, and each costs a pass over the text when it is located.
const MAX_FINDINGS: usize = 100;

/// The findings so far, in the order in which they were made.
#[derive(Default)]
pub(super) struct Findings {
    kept: RefCell<Vec<Finding>>,
    /// The keys that were misspelt in a mapping, as they were meant.
    meant: RefCell<Vec<(NodeId, &'static str)>>,
    failed: Cell<bool>,
    omitted: Cell<usize>,
}

/// Something wrong, or worth a warning, somewhere in the tree.
pub(super) struct Finding {
    pub(super) severity: Severity,
    pub(super) spot: Spot,
    pub(super) message: String,
    pub(super) help: Option<String>,
    /// The part of a text that is meant, as it stands in the file.
    pub(super) focus: Option<String>,
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    /// The key of a node.
    Key(NodeId),
    /// The node itself.
    Value(NodeId),
}

impl Findings {
    pub(super) fn add(&self, finding: Finding) {
        if finding.severity == Severity::Error {
            self.failed.set(true);
        }
        let mut kept = self.kept.borrow_mut();
        if kept.len() < MAX_FINDINGS {
            kept.push(finding);
        } else {
            self.omitted.set(self.omitted.get() + 1);
        }
    }

    pub(super) fn error(&self, spot: Spot, message: impl Into<String>) {
        self.add(Finding::new(Severity::Error, spot, message));
    }

    pub(super) fn error_with_help(&self, spot: Spot, message: impl Into<String>, help: impl Into<String>) {
        self.add(Finding::new(Severity::Error, spot, message).help(help));
    }

    pub(super) fn error_with(&self, spot: Spot, message: impl Into<String>, help: Option<String>) {
        self.add(Finding { help, ..Finding::new(Severity::Error, spot, message) });
    }

    pub(super) fn warning(&self, spot: Spot, message: impl Into<String>, help: impl Into<String>) {
        self.add(Finding::new(Severity::Warning, spot, message).help(help));
    }

    /// Notes that a key in `mapping` that has been reported was meant to be `key`.
    pub(super) fn meant(&self, mapping: NodeId, key: &'static str) {
        self.meant.borrow_mut().push((mapping, key));
    }

    /// Reports that `mapping` has no `key`, unless it is there in a misspelling that has been reported.
    pub(super) fn missing(&self, mapping: NodeId, key: &'static str, finding: Finding) {
        if !self.meant.borrow().contains(&(mapping, key)) {
            self.add(finding);
        }
    }

    /// Whether there is an error among them.
    pub(super) fn failed(&self) -> bool {
        self.failed.get()
    }

    /// All that were kept, and how many were not.
    pub(super) fn into_parts(self) -> (Vec<Finding>, usize) {
        (self.kept.into_inner(), self.omitted.get())
    }
}

impl Finding {
    pub(super) fn new(severity: Severity, spot: Spot, message: impl Into<String>) -> Self {
        Self { severity, spot, message: message.into(), help: None, focus: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn focus(mut self, focus: impl Into<String>) -> Self {
        self.focus = Some(focus.into());
        self
    }
}
