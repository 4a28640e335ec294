//! A YAML document as a tree of nodes that know where they stand.
//!
//! Nodes live in one list and are named by their place in it, so that everything read from them later can be traced back
//! to the key path, and from there to a line and column.

use super::secret;

/// A YAML document.
#[derive(Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

/// A node's place in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct NodeId(pub(super) usize);

/// The outermost value of a document.
pub(super) const ROOT: NodeId = NodeId(0);

struct Node {
    parent: NodeId,
    step: Step,
    kind: Kind,
}

/// The way from a node to one of its children.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// To the document itself.
    Root,
    /// To the value of a key, the `entry`th of its mapping.
    Key { name: String, entry: usize },
    /// To an item of a list.
    Item(usize),
}

impl Step {
    /// The key that is taken; `None` for an item of a list.
    pub(super) fn key(&self) -> Option<&str> {
        match self {
            Self::Key { name, .. } => Some(name),
            Self::Root | Self::Item(_) => None,
        }
    }
}

/// What a node is.
#[derive(Clone, PartialEq)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(Text),
    List(Vec<NodeId>),
    Mapping(Vec<NodeId>),
    /// Something that cannot be used; why has been reported already.
    Broken,
}

/// A piece of text.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Text {
    /// What it means.
    pub(super) value: String,
    /// How it stands in the file, where that is something else because of a `${…}`.
    pub(super) written: Option<String>,
}

impl Tree {
    /// What the node is.
    pub(super) fn kind(&self, node: NodeId) -> &Kind {
        self.nodes.get(node.0).map_or(&Kind::Broken, |node| &node.kind)
    }

    /// Adds a node that is nothing yet.
    pub(super) fn add(&mut self, parent: NodeId, step: Step) -> NodeId {
        let node = NodeId(self.nodes.len());
        self.nodes.push(Node { parent, step, kind: Kind::Broken });
        node
    }

    /// Makes the node something else.
    pub(super) fn replace(&mut self, node: NodeId, kind: Kind) {
        if let Some(node) = self.nodes.get_mut(node.0) {
            node.kind = kind;
        }
    }

    /// All nodes, parents before their children.
    pub(super) fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len()).map(NodeId)
    }

    /// The key whose value the node is; `None` for an item of a list.
    pub(super) fn key(&self, node: NodeId) -> Option<&str> {
        self.nodes.get(node.0)?.step.key()
    }

    /// The value of the mapping `node` under `key`, if it is a mapping and has it.
    pub(super) fn child(&self, node: NodeId, key: &str) -> Option<NodeId> {
        let Kind::Mapping(children) = self.kind(node) else { return None };
        children.iter().copied().find(|&child| self.key(child) == Some(key))
    }

    /// The steps from the document to the node.
    pub(super) fn steps(&self, node: NodeId) -> Vec<&Step> {
        let mut steps = Vec::new();
        let mut at = node;
        while let Some(Node { parent, step, .. }) = self.nodes.get(at.0) {
            if *step == Step::Root {
                break;
            }
            steps.push(step);
            at = *parent;
        }
        steps.reverse();
        steps
    }

    /// The key path of the node: `apis[0].operations[0].policy`. Empty for the document itself. A key that may be a secret is
    /// `…` in it.
    pub(super) fn path(&self, node: NodeId) -> String {
        let mut path = String::new();
        let steps = self.steps(node);
        for (index, step) in steps.iter().enumerate() {
            match step {
                Step::Root => {}
                Step::Item(index) => path.push_str(&format!("[{index}]")),
                Step::Key { name, .. } => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    if secret::is_key_shown(steps.get(..=index).unwrap_or_default()) {
                        path.extend(name.chars().flat_map(char::escape_debug));
                    } else {
                        path.push('…');
                    }
                }
            }
        }
        path
    }
}
