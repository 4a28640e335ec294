//! The one pass over a text that reads its values.

use super::findings::{Findings, Spot};
use super::secret;
use super::tree::{Kind, NodeId, ROOT, Step, Text, Tree};
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess};
use serde::de::{VariantAccess, Visitor};
use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

/// The most values that a file can have. A few aliases of aliases would otherwise unfold to millions.
const MAX_NODES: usize = 100_000;

/// Reads the one document of `text`. What YAML allows and a configuration does not is reported to `findings`.
///
/// # Errors
/// If `text` is not YAML.
pub(super) fn parse(text: &str, findings: &Findings) -> Result<Tree, serde_yaml::Error> {
    let builder = Builder { tree: RefCell::default(), findings };
    let root = Seed { builder: &builder, parent: ROOT, step: Step::Root };
    root.deserialize(serde_yaml::Deserializer::from_str(text))?;
    Ok(builder.tree.into_inner())
}

struct Builder<'f> {
    tree: RefCell<Tree>,
    findings: &'f Findings,
}

impl Builder<'_> {
    fn add(&self, parent: NodeId, step: Step) -> Option<NodeId> {
        let node = self.tree.borrow_mut().add(parent, step);
        (node.0 < MAX_NODES).then_some(node)
    }
}

/// Reads one value into a node of its own.
struct Seed<'b, 'f> {
    builder: &'b Builder<'f>,
    parent: NodeId,
    step: Step,
}

impl<'de> DeserializeSeed<'de> for Seed<'_, '_> {
    type Value = NodeId;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<NodeId, D::Error> {
        let Some(node) = self.builder.add(self.parent, self.step) else {
            return Err(D::Error::custom(format!("it has more than {MAX_NODES} values")));
        };
        let kind = deserializer.deserialize_any(KindVisitor { builder: self.builder, node })?;
        self.builder.tree.borrow_mut().replace(node, kind);
        Ok(node)
    }
}

struct KindVisitor<'b, 'f> {
    builder: &'b Builder<'f>,
    node: NodeId,
}

impl<'de> Visitor<'de> for KindVisitor<'_, '_> {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_none<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(Kind::Integer(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Integer(value.into()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Kind, E> {
        Ok(i128::try_from(value).map_or(Kind::Float(value as f64), Kind::Integer))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Kind, E> {
        Ok(Kind::Integer(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Kind, E> {
        Ok(Kind::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::Text(Text { value: value.to_owned(), written: None }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Kind, A::Error> {
        let mut nodes = Vec::new();
        loop {
            let step = Step::Item(nodes.len());
            let seed = Seed { builder: self.builder, parent: self.node, step };
            match items.next_element_seed(seed)? {
                Some(node) => nodes.push(node),
                None => return Ok(Kind::List(nodes)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Kind, A::Error> {
        let mut nodes: Vec<NodeId> = Vec::new();
        let mut names = HashSet::new();
        let mut entry = 0;
        while let Some(key) = entries.next_key_seed(KeySeed)? {
            let (name, problem) = match key {
                Ok(name) if names.insert(name.clone()) => (name, None),
                Ok(name) => (name, Some(Problem::Twice)),
                Err(what) => ("?".to_owned(), Some(Problem::NoText(what))),
            };
            let seed = Seed { builder: self.builder, parent: self.node, step: Step::Key { name, entry } };
            let node = entries.next_value_seed(seed)?;
            match problem {
                None => nodes.push(node),
                Some(problem) => self.builder.findings.error(Spot::Key(node), self.told(node, &problem)),
            }
            entry += 1;
        }
        Ok(Kind::Mapping(nodes))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Kind, A::Error> {
        let (IgnoredAny, value) = tagged.variant()?;
        value.newtype_variant::<IgnoredAny>()?;
        let message = "a YAML tag (`!…`) has no meaning in a configuration";
        self.builder.findings.error(Spot::Value(self.node), message);
        Ok(Kind::Broken)
    }
}

/// What is wrong with a key.
enum Problem {
    Twice,
    /// It is this instead.
    NoText(&'static str),
}

impl KindVisitor<'_, '_> {
    fn told(&self, node: NodeId, problem: &Problem) -> String {
        let tree = self.builder.tree.borrow();
        match problem {
            Problem::Twice if secret::is_key_shown(&tree.steps(node)) => {
                let key = tree.key(node).unwrap_or_default().escape_debug();
                format!("the key `{key}` stands twice here")
            }
            Problem::Twice => "a key (not shown) stands twice here".to_owned(),
            Problem::NoText(what) => format!("a key is text, found {what}"),
        }
    }
}

/// Reads a key: its text, or what it is instead.
struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Result<String, &'static str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for KeySeed {
    type Value = Result<String, &'static str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Ok(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Err("nothing"))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Err("a boolean"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Err("a number"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Err("a number"))
    }

    fn visit_u128<E>(self, _: u128) -> Result<Self::Value, E> {
        Ok(Err("a number"))
    }

    fn visit_i128<E>(self, _: i128) -> Result<Self::Value, E> {
        Ok(Err("a number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Err("a number"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Err("a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Err("a mapping"))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Self::Value, A::Error> {
        let (IgnoredAny, value) = tagged.variant()?;
        value.newtype_variant::<IgnoredAny>()?;
        Ok(Err("a tagged value"))
    }
}
