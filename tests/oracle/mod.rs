//! What the splice should answer, found the slow and plain way, with another parser.
//!
//! Shared by the property tests and the fuzz target.

pub mod several;

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of a body's object in their order: keys decoded, values as they are written.
///
/// Nested values are `null`: what stands in them is not the splice's to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members(pub Vec<(String, Box<str>)>);

impl Members {
    /// The members of the JSON object that `body` is, or `None` if it is none.
    pub fn of(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(&without_nested(body)?).ok()
    }

    /// The one model, decoded; `Ok(None)` if there is none, `Err` if it is no string or there are more.
    pub fn model(&self) -> Result<Option<String>, ()> {
        let mut models = self.0.iter().filter(|(key, _)| key == "model");
        match (models.next(), models.next()) {
            (None, _) => Ok(None),
            (Some((_, value)), None) => serde_json::from_str(value).map(Some).map_err(drop),
            (Some(_), Some(_)) => Err(()),
        }
    }

    /// The members with `model` in place of their own, or before all others if they have none.
    pub fn with_model(mut self, model: &str) -> Self {
        let value: Box<str> = serde_json::Value::from(model).to_string().into();
        match self.0.iter_mut().find(|(key, _)| key == "model") {
            Some((_, asked)) => *asked = value,
            None => self.0.insert(0, ("model".to_owned(), value)),
        }
        self
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
            members.push((key, value.get().into()));
        }
        Ok(Members(members))
    }
}

/// The body with ` null ` for each nested value; `None` if one of them does not close.
fn without_nested(body: &[u8]) -> Option<Vec<u8>> {
    let mut flat = Vec::with_capacity(body.len());
    let mut open = Vec::new();
    let mut bytes = body.iter().copied();
    while let Some(byte) = bytes.next() {
        let outside = open.len() <= 1;
        match byte {
            b'"' => {
                let mut string = vec![byte];
                loop {
                    let byte = bytes.next()?;
                    string.push(byte);
                    match byte {
                        b'\\' => string.push(bytes.next()?),
                        b'"' => break,
                        _ => {}
                    }
                }
                if outside {
                    flat.extend(string);
                }
                continue;
            }
            b'{' | b'[' => {
                open.push(byte);
                if open.len() == 2 {
                    flat.extend(b" null ");
                }
            }
            b'}' | b']' => {
                let mate = if byte == b'}' { b'{' } else { b'[' };
                if open.pop()? != mate {
                    return None;
                }
            }
            _ => {}
        }
        if outside && open.len() <= 1 {
            flat.push(byte);
        }
    }
    open.is_empty().then_some(flat)
}
