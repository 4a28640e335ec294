//! From the tree to the types of the file.
//!
//! A serde deserializer over the [`Tree`](super::tree::Tree) that goes on after an error. It reports each with the
//! node at hand, so that a [`Located`](super::located::Located) around it only has to note that its value is not there.
//! A mapping is asked for all the keys its type has, so that a missing one is met like any other value, and knows which
//! keys are too many.

use super::access::{Entries, Fields, Items, LocatedPart, LocatedParts};
use super::document::Document;
use super::findings::{Finding, Spot};
use super::flaw::{Flaw, one_of};
use super::located::LOCATED;
use super::nearest::{did_you_mean, nearest};
use super::plain::KEY_AND_VALUE;
use super::report::Severity;
use super::tree::{Kind, NodeId, Text};
use super::units;
use serde::de::value::StrDeserializer;
use serde::de::{Deserializer, Error, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

/// How many keys a message lists beside the one that was meant.
const MAX_KEYS_SHOWN: usize = 12;

/// How many it lists where none is near.
const MAX_KEYS_LISTED: usize = 24;

/// Reads the value of one node.
#[derive(Clone, Copy)]
pub(super) struct Reader<'d> {
    pub(super) document: &'d Document,
    pub(super) slot: Slot,
}

/// Where a value would be.
#[derive(Clone, Copy)]
pub(super) enum Slot {
    /// A node that is there.
    Present(NodeId),
    /// A key that the mapping `within` does not have.
    Missing { within: NodeId, key: &'static str },
}

impl<'d> Reader<'d> {
    pub(super) fn new(document: &'d Document, node: NodeId) -> Self {
        Self { document, slot: Slot::Present(node) }
    }

    pub(super) fn at(self, node: NodeId) -> Self {
        Self::new(self.document, node)
    }

    /// What is there.
    pub(super) fn kind(self) -> Result<&'d Kind, Flaw> {
        match self.slot {
            Slot::Present(node) => match self.document.tree.kind(node) {
                Kind::Broken => Err(Flaw::Reported),
                kind => Ok(kind),
            },
            Slot::Missing { within, key } => {
                let message = format!("the key `{key}` is missing here");
                let finding = Finding::new(Severity::Error, Spot::Value(within), message);
                self.document.findings.missing(within, key, finding);
                Err(Flaw::Reported)
            }
        }
    }

    /// Reports what came out of reading the node, if it is an error.
    fn report<T>(self, result: Result<T, Flaw>) -> Result<T, Flaw> {
        let flaw = match result {
            Ok(value) => return Ok(value),
            Err(flaw) => flaw,
        };
        if let Slot::Present(node) = self.slot {
            self.report_flaw(node, flaw);
        }
        Err(Flaw::Reported)
    }

    fn report_flaw(self, node: NodeId, flaw: Flaw) {
        let Document { tree, findings, .. } = self.document;
        let found = self.document.found(node);
        match flaw {
            Flaw::Reported => {}
            Flaw::Other(message) => findings.error(Spot::Value(node), message),
            Flaw::NotOneOf(names) => {
                let message = format!("expected {}, found {found}", one_of(names));
                let help = match tree.kind(node) {
                    Kind::Text(text) => did_you_mean(&text.value, names.iter().copied()),
                    _ => None,
                };
                findings.error_with(Spot::Value(node), message, help);
            }
            Flaw::Expected(expected) => {
                let message = format!("expected {expected}, found {found}");
                findings.error_with(Spot::Value(node), message, help_for(tree.kind(node), &expected));
            }
        }
    }

    fn visit<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Flaw> {
        match self.kind()? {
            Kind::Null => visitor.visit_unit(),
            Kind::Bool(value) => visitor.visit_bool(*value),
            Kind::Integer(value) => visit_integer(*value, visitor),
            Kind::Float(value) => visitor.visit_f64(*value),
            Kind::Text(text) => visitor.visit_borrowed_str(&text.value),
            Kind::List(items) => visitor.visit_seq(Items { reader: self, rest: items }),
            Kind::Mapping(entries) => visitor.visit_map(Entries { reader: self, rest: entries }),
            Kind::Broken => Err(Flaw::Reported),
        }
    }

    /// A number or boolean, which may have come out of a `${…}` as text.
    fn visit_scalar<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Flaw> {
        let Kind::Text(Text { value, written: Some(_) }) = self.kind()? else {
            return self.visit(visitor);
        };
        match value.trim() {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            text => match (text.parse::<i128>(), text.parse::<f64>()) {
                (Ok(integer), _) => visit_integer(integer, visitor),
                (_, Ok(float)) => visitor.visit_f64(float),
                _ => visitor.visit_str(value),
            },
        }
    }

    fn visit_fields<V: Visitor<'d>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Flaw> {
        let Slot::Present(node) = self.slot else {
            return self.visit(visitor);
        };
        match self.kind()? {
            Kind::Null => {}
            Kind::Mapping(entries) => entries.iter().for_each(|&entry| self.know(node, entry, fields)),
            _ => return Err(Flaw::invalid_type(Unexpected::Other("something else"), &visitor)),
        }
        visitor.visit_map(Fields { reader: self, node, rest: fields, key: None })
    }

    /// Reports the key of `entry`, which is one of `mapping`'s, unless it is one of `fields`.
    fn know(self, mapping: NodeId, entry: NodeId, fields: &'static [&'static str]) {
        let Document { tree, findings, .. } = self.document;
        let key = tree.key(entry).unwrap_or_default();
        if fields.contains(&key) {
            return;
        }
        let Some(shown) = self.document.shown_key(entry) else {
            let message = format!("unknown key (not shown), expected one of {}", fields.join(", "));
            findings.error_with_help(Spot::Key(entry), message, KEY_AND_VALUE);
            return;
        };
        let meant = nearest(key, fields.iter().copied());
        let most = if meant.is_some() { MAX_KEYS_SHOWN } else { MAX_KEYS_LISTED };
        let message = if fields.len() <= most {
            format!("unknown key `{shown}`, expected one of {}", fields.join(", "))
        } else {
            format!("unknown key `{shown}`")
        };
        let help = match meant {
            _ if key == "<<" => Some("YAML's merge key `<<` is not supported: write the keys out".to_owned()),
            Some(meant) => {
                findings.meant(mapping, meant);
                Some(format!("did you mean `{meant}`?"))
            }
            None => (fields.len() > most).then(|| "`evenkeel schema` lists the keys".to_owned()),
        };
        findings.error_with(Spot::Key(entry), message, help);
    }
}

fn visit_integer<'de, V: Visitor<'de>>(value: i128, visitor: V) -> Result<V::Value, Flaw> {
    match (u64::try_from(value), i64::try_from(value)) {
        (Ok(value), _) => visitor.visit_u64(value),
        (_, Ok(value)) => visitor.visit_i64(value),
        _ => visitor.visit_i128(value),
    }
}

fn help_for(kind: &Kind, expected: &str) -> Option<String> {
    match kind {
        Kind::Integer(_) | Kind::Float(_) | Kind::Bool(_) if expected == "text" => {
            Some("put it in quotes".to_owned())
        }
        Kind::Text(_) | Kind::Integer(_) if expected == "a list" => {
            Some("a list is written in brackets, `[…]`, or with `- ` before each item".to_owned())
        }
        Kind::Text(Text { value, written: None }) => {
            let names = expected.split('`').skip(1).step_by(2).filter(|name| is_near_by_name(name, value));
            let number = || Some(format!("did you mean `{}`?", units::suggestion(value, expected)?));
            number().or_else(|| did_you_mean(value, names))
        }
        Kind::Mapping(_) if expected.starts_with("a list") => {
            Some("begin each item of the list with `- `".to_owned())
        }
        _ => None,
    }
}

/// Whether a name that is expected can be what `value` was meant to be: words by their letters, but `5xx` and the like
/// only in another case, as `4xx` is one slip away.
fn is_near_by_name(name: &str, value: &str) -> bool {
    name.chars().all(|c| c.is_alphabetic() || c == '_') || name.eq_ignore_ascii_case(value)
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Flaw;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Flaw> {
        self.report(self.visit_scalar(visitor))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Flaw> {
        self.report(self.visit(visitor))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Flaw> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Flaw> {
        match self.slot {
            Slot::Missing { .. } => visitor.visit_none(),
            Slot::Present(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Flaw> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Flaw> {
        let items = match self.kind() {
            Ok(Kind::Null) => visitor.visit_seq(Items { reader: self, rest: &[] }),
            _ => self.visit(visitor),
        };
        self.report(items)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Flaw> {
        let entries = match self.kind() {
            Ok(Kind::Null) => visitor.visit_map(Entries { reader: self, rest: &[] }),
            _ => self.visit(visitor),
        };
        self.report(entries)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Flaw> {
        self.report(self.visit_fields(fields, visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Flaw> {
        let value = self.kind().and_then(|kind| match kind {
            Kind::Text(text) => {
                let name: StrDeserializer<'_, Flaw> = text.value.as_str().into_deserializer();
                visitor.visit_enum(name)
            }
            _ => Err(Flaw::NotOneOf(variants)),
        });
        self.report(value)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Flaw> {
        if name == LOCATED {
            return visitor.visit_seq(LocatedParts { reader: self, next: Some(LocatedPart::Node) });
        }
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple identifier
        ignored_any
    }
}
