//! A value that knows where it was written.

use super::reader::Reader;
use super::tree::{NodeId, ROOT};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// The name by which a [`Located`] tells [`super::reader::Reader`] what it is.
pub(super) const LOCATED: &str = "$evenkeel::Located";

/// A value of a configuration, and the node it was read from.
///
/// A value that is missing or wrong has been reported by the time one of these exists, and is not there: that is how
/// the rest of a file is read all the same. Its `Debug` form shows no value, as any text of a file may hold a secret.
pub struct Located<T> {
    node: NodeId,
    value: Option<T>,
}

impl<T> Located<T> {
    /// The value, unless it is missing or wrong, which was reported then.
    pub fn value(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// The value by itself, unless it is missing or wrong.
    pub(super) fn into_value(self) -> Option<T> {
        self.value
    }

    /// Reads one. What is wrong with it is reported, so this cannot fail.
    pub(super) fn read<'d>(reader: Reader<'d>) -> Self
    where
        T: Deserialize<'d>,
    {
        Self::deserialize(reader).unwrap_or(Self { node: ROOT, value: None })
    }

    /// The node it was read from; that of the mapping it is missing in, for a value that is missing.
    pub(super) fn node(&self) -> NodeId {
        self.node
    }
}

impl<T> fmt::Debug for Located<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Located({:?})", self.node)
    }
}

impl<T: Serialize> Serialize for Located<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<T: JsonSchema> JsonSchema for Located<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Located<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple_struct(LOCATED, 2, LocatedVisitor(PhantomData))
    }
}

struct LocatedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for LocatedVisitor<T> {
    type Value = Located<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of a configuration")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Located<T>, A::Error> {
        let node =
            parts.next_element()?.map(NodeId).ok_or_else(|| A::Error::custom("its node is not given"))?;
        // The reader has reported the error, if it is one.
        let value = parts.next_element::<T>().ok().flatten();
        Ok(Located { node, value })
    }
}
