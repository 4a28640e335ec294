//! The parts of a list or mapping, one after another, as serde asks a [`Reader`] for them.

use super::flaw::Flaw;
use super::reader::{Reader, Slot};
use super::tree::NodeId;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess};

/// The items of a list.
pub(super) struct Items<'d> {
    pub(super) reader: Reader<'d>,
    pub(super) rest: &'d [NodeId],
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Flaw;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Flaw> {
        let Some((&item, rest)) = self.rest.split_first() else {
            return Ok(None);
        };
        self.rest = rest;
        seed.deserialize(self.reader.at(item)).map(Some)
    }
}

/// The entries of a mapping whose keys are names of the user's.
pub(super) struct Entries<'d> {
    pub(super) reader: Reader<'d>,
    pub(super) rest: &'d [NodeId],
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Flaw;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Flaw> {
        let Some(&entry) = self.rest.first() else {
            return Ok(None);
        };
        let key = self.reader.document.tree.key(entry).unwrap_or_default();
        seed.deserialize(BorrowedStrDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Flaw> {
        let Some((&entry, rest)) = self.rest.split_first() else {
            return Err(Flaw::Reported);
        };
        self.rest = rest;
        seed.deserialize(self.reader.at(entry))
    }
}

/// The keys that a type has, whether the mapping `node` has them or not.
pub(super) struct Fields<'d> {
    pub(super) reader: Reader<'d>,
    pub(super) node: NodeId,
    pub(super) rest: &'static [&'static str],
    pub(super) key: Option<&'static str>,
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Flaw;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Flaw> {
        let Some((&key, rest)) = self.rest.split_first() else {
            return Ok(None);
        };
        self.rest = rest;
        self.key = Some(key);
        seed.deserialize(BorrowedStrDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Flaw> {
        let Some(key) = self.key.take() else {
            return Err(Flaw::Reported);
        };
        let slot = match self.reader.document.tree.child(self.node, key) {
            Some(child) => Slot::Present(child),
            None => Slot::Missing { within: self.node, key },
        };
        seed.deserialize(Reader { document: self.reader.document, slot })
    }
}

/// The two parts of a [`Located`](super::located::Located).
pub(super) struct LocatedParts<'d> {
    pub(super) reader: Reader<'d>,
    pub(super) next: Option<LocatedPart>,
}

pub(super) enum LocatedPart {
    Node,
    Value,
}

impl<'de> SeqAccess<'de> for LocatedParts<'de> {
    type Error = Flaw;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Flaw> {
        match self.next.take() {
            None => Ok(None),
            Some(LocatedPart::Node) => {
                self.next = Some(LocatedPart::Value);
                let (Slot::Present(node) | Slot::Missing { within: node, .. }) = self.reader.slot;
                seed.deserialize(node.0.into_deserializer()).map(Some)
            }
            Some(LocatedPart::Value) => match self.reader.kind() {
                Ok(_) => seed.deserialize(self.reader).map(Some),
                Err(flaw) => Err(flaw),
            },
        }
    }
}
