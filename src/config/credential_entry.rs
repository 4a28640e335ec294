//! The credential of an endpoint as a file writes it: one text, or named parts.

use super::located::Located;
use super::schema::REFERENCE;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// The credential of an endpoint.
pub(super) enum CredentialEntry {
    /// One text, presented in the vendor's own scheme.
    Text(String),
    /// Named parts, in the order given.
    Parts(Vec<(String, Located<Part>)>),
}

/// A part of a credential.
pub(super) enum Part {
    Text(String),
    Switch(bool),
}

impl Part {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Switch(_) => None,
        }
    }
}

impl<'de> Deserialize<'de> for CredentialEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CredentialVisitor)
    }
}

struct CredentialVisitor;

impl<'de> Visitor<'de> for CredentialVisitor {
    type Value = CredentialEntry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, or a mapping such as `{ bearer: … }`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<CredentialEntry, E> {
        Ok(CredentialEntry::Text(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<CredentialEntry, A::Error> {
        let mut parts = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            parts.push(entry);
        }
        Ok(CredentialEntry::Parts(parts))
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PartVisitor)
    }
}

struct PartVisitor;

impl Visitor<'_> for PartVisitor {
    type Value = Part;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Part, E> {
        Ok(Part::Text(text.to_owned()))
    }

    fn visit_bool<E: Error>(self, on: bool) -> Result<Part, E> {
        Ok(Part::Switch(on))
    }
}

impl JsonSchema for CredentialEntry {
    fn schema_name() -> Cow<'static, str> {
        "Credential".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let text = |what: &str| json_schema!({ "type": "string", "description": what });
        json_schema!({
            "anyOf": [
                { "type": "string" },
                { "type": "object", "additionalProperties": false, "properties": {
                    "bearer": text("Presented as `Authorization: Bearer …`, whatever the vendor's own scheme is."),
                }, "required": ["bearer"] },
                { "type": "object", "additionalProperties": false, "properties": {
                    "access_key_id": text("The id of an AWS access key."),
                    "secret_access_key": text("The secret of that key."),
                    "session_token": text("The session's token, for a temporary key."),
                    "region": text("The AWS region. Default: the one in the endpoint's host."),
                }, "required": ["access_key_id", "secret_access_key"] },
                { "type": "object", "additionalProperties": false, "properties": {
                    "profile": text("The profile in AWS's configuration files whose keys sign."),
                    "region": text("The AWS region. Default: the one in the endpoint's host."),
                }, "required": ["profile"] },
                { "type": "object", "additionalProperties": false, "properties": {
                    "instance": {
                        "anyOf": [{ "const": true }, { "type": "string", "pattern": REFERENCE }],
                        "description": "The role of the AWS instance, task or pod that the gateway runs on signs."
                    },
                    "region": text("The AWS region. Default: the one in the endpoint's host."),
                }, "required": ["instance"] },
            ]
        })
    }
}
