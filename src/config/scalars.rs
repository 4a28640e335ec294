//! Values with a grammar of their own: weights, causes of suspension, lists that can be `disabled`.

use super::file::PairEntry;
use super::located::Located;
use super::schema::REFERENCE;
use crate::balance::turn::MAX_WEIGHT;
use crate::balance::{Cause, StatusClass};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Unexpected, Visitor};
use std::borrow::Cow;
use std::fmt;

/// A weight, at most [`MAX_WEIGHT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Weight(pub(super) u32);

/// How many failures suspend a pair, 1 to [`MAX_COUNT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count(pub(super) u32);

/// How many more pairs a request may try, at most [`MAX_ATTEMPTS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attempts(pub(super) u32);

/// The greatest number of failures that a pair remembers.
const MAX_COUNT: u32 = 1000;

/// The greatest number of further tries: beyond it a request is a burden, not a rescue.
const MAX_ATTEMPTS: u32 = 10;

/// Something that `suspend_on` and `retry.on` can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CauseName(pub(super) Cause);

/// The pairs of an environment, or `disabled`, which is a list of none.
#[derive(Debug)]
pub(super) struct PairList(pub(super) Vec<Located<PairEntry>>);

impl<'de> Deserialize<'de> for Weight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WeightVisitor)
    }
}

struct WeightVisitor;

impl Visitor<'_> for WeightVisitor {
    type Value = Weight;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number from 0 to 1000000")
    }

    fn visit_u64<E: Error>(self, weight: u64) -> Result<Weight, E> {
        let in_range = u32::try_from(weight).ok().filter(|&weight| weight <= MAX_WEIGHT);
        in_range.map(Weight).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(weight), &self))
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeNumber { from: 1, to: MAX_COUNT }).map(Self)
    }
}

impl<'de> Deserialize<'de> for Attempts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeNumber { from: 0, to: MAX_ATTEMPTS }).map(Self)
    }
}

struct WholeNumber {
    from: u32,
    to: u32,
}

impl Visitor<'_> for WholeNumber {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {} to {}", self.from, self.to)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<u32, E> {
        let in_range = u32::try_from(number).ok().filter(|number| (self.from..=self.to).contains(number));
        in_range.ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }
}

impl<'de> Deserialize<'de> for CauseName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CauseVisitor)
    }
}

struct CauseVisitor;

impl Visitor<'_> for CauseVisitor {
    type Value = CauseName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a status from 400 to 599, `4xx`, `5xx`, `connect`, `timeout`, `stream` or `quota`")
    }

    fn visit_u64<E: Error>(self, status: u64) -> Result<CauseName, E> {
        let status_in_range = u16::try_from(status).ok().filter(|status| (400..600).contains(status));
        let cause = status_in_range.map(|status| CauseName(Cause::Status(status)));
        cause.ok_or_else(|| E::invalid_value(Unexpected::Unsigned(status), &self))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<CauseName, E> {
        let cause = match name {
            "4xx" => Cause::Class(StatusClass::ClientError),
            "5xx" => Cause::Class(StatusClass::ServerError),
            "connect" => Cause::Connect,
            "timeout" => Cause::Timeout,
            "stream" => Cause::Stream,
            "quota" => Cause::Quota,
            _ => return Err(E::invalid_value(Unexpected::Str(name), &self)),
        };
        Ok(CauseName(cause))
    }
}

impl<'de> Deserialize<'de> for PairList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PairListVisitor)
    }
}

struct PairListVisitor;

impl<'de> Visitor<'de> for PairListVisitor {
    type Value = PairList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of pairs (`- { model: …, endpoint: … }`) or `disabled`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<PairList, E> {
        match text {
            "disabled" => Ok(PairList(Vec::new())),
            _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<PairList, E> {
        Ok(PairList(Vec::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<PairList, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = items.next_element()? {
            pairs.push(pair);
        }
        Ok(PairList(pairs))
    }
}

impl JsonSchema for Weight {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Weight".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 0, "maximum": MAX_WEIGHT })
    }
}

impl JsonSchema for Count {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Count".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": MAX_COUNT })
    }
}

impl JsonSchema for Attempts {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Attempts".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 0, "maximum": MAX_ATTEMPTS })
    }
}

impl JsonSchema for CauseName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Cause".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": "integer", "minimum": 400, "maximum": 599 },
                { "enum": ["4xx", "5xx", "connect", "timeout", "stream", "quota"] },
            ]
        })
    }
}

impl JsonSchema for PairList {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Pairs".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let pairs = generator.subschema_for::<Vec<PairEntry>>();
        json_schema!({ "anyOf": [pairs, { "const": "disabled" }, { "type": "string", "pattern": REFERENCE }] })
    }
}
