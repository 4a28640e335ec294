//! The JSON Schema of the file, for editors.

use super::file::File;
use schemars::Schema;
use schemars::transform::{RecursiveTransform, Transform};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What a text has in it that comes from outside the file.
pub(super) const REFERENCE: &str = r"\$\{";

/// The JSON Schema of the file, with the documentation of each key.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(File);
    let containers = containers(&schema);
    RecursiveTransform(|schema: &mut Schema| as_written(schema, &containers)).transform(&mut schema);
    schema.to_value()
}

/// The references to definitions of mappings.
fn containers(schema: &Schema) -> BTreeSet<String> {
    let definitions = schema.get("$defs").and_then(Value::as_object).into_iter().flatten();
    let objects = definitions.filter(|(_, definition)| is_of_type(definition, "object"));
    objects.map(|(name, _)| format!("#/$defs/{name}")).collect()
}

fn is_of_type(schema: &Value, name: &str) -> bool {
    schema.get("type").is_some_and(|found| found == name)
}

/// From the types that values have to what can stand in a file for them.
fn as_written(schema: &mut Schema, containers: &BTreeSet<String>) {
    if let Some(object) = schema.as_object_mut() {
        leave_null_to_containers(object);
        leave_no_null_beside_texts(object, containers);
        allow_references_to_names(object);
        allow_references(object);
        join_lines(object);
    }
}

/// A key whose value is a mapping or list can be given without one; a number or text cannot.
fn leave_null_to_containers(object: &mut Map<String, Value>) {
    let Some(Value::Array(types)) = object.get_mut("type") else {
        return;
    };
    if !types.iter().any(|name| name == "array" || name == "object") {
        types.retain(|name| name != "null");
    }
    if let [only] = types.as_slice() {
        let only = only.clone();
        object.insert("type".to_owned(), only);
    }
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
}

/// The same, where a schema has alternatives: `null` stays beside a mapping and beside the list of pairs.
fn leave_no_null_beside_texts(object: &mut Map<String, Value>, containers: &BTreeSet<String>) {
    let Some(Value::Array(alternatives)) = object.get_mut("anyOf") else { return };
    let is_container = |schema: &Value| {
        let name = schema.get("$ref").and_then(Value::as_str);
        name.is_some_and(|name| containers.contains(name)) || schema.get("anyOf").is_some()
    };
    if !alternatives.iter().any(is_container) {
        alternatives.retain(|schema| !is_of_type(schema, "null"));
    }
}

/// One of a few names can come out of a `${…}`.
fn allow_references_to_names(object: &mut Map<String, Value>) {
    let is_name = |schema: &Value| schema.get("const").is_some_and(Value::is_string);
    match object.remove("oneOf") {
        Some(Value::Array(mut names)) if names.iter().all(is_name) => {
            names.push(json!({ "type": "string", "pattern": REFERENCE }));
            object.insert("anyOf".to_owned(), Value::Array(names));
        }
        Some(other) => {
            object.insert("oneOf".to_owned(), other);
        }
        None => {}
    }
}

/// A number or boolean can come out of a `${…}`.
fn allow_references(object: &mut Map<String, Value>) {
    let Some(name @ ("integer" | "number" | "boolean")) = object.get("type").and_then(Value::as_str) else {
        return;
    };
    let types = json!([name, "string"]);
    object.insert("type".to_owned(), types);
    object.insert("pattern".to_owned(), json!(REFERENCE));
}

/// Documentation is broken into lines for the source, which editors would show.
fn join_lines(object: &mut Map<String, Value>) {
    if let Some(Value::String(description)) = object.get_mut("description") {
        let paragraphs: Vec<_> =
            description.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect();
        *description = paragraphs.join("\n\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls `look` with the path and schema of each property, at any depth.
    fn properties(schema: &Value, path: &str, look: &mut impl FnMut(&str, &Value)) {
        match schema {
            Value::Object(object) => {
                for (key, value) in object {
                    if let (true, Value::Object(all)) = (key == "properties", value) {
                        all.iter().for_each(|(name, schema)| look(&format!("{path}.{name}"), schema));
                    }
                    properties(value, &format!("{path}.{key}"), look);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| properties(item, path, look)),
            _ => {}
        }
    }

    #[test]
    fn every_key_is_documented() {
        let mut count = 0;
        properties(&schema(), "", &mut |path, schema| {
            count += 1;
            let description = schema.get("description").and_then(Value::as_str).unwrap_or_default();
            assert!(description.len() > 10, "{path} has no description: {schema}");
        });
        assert!(count > 60, "{count}");
    }

    #[test]
    fn keys_and_values_are_as_in_a_file() {
        let schema = schema();
        assert_eq!(schema["required"], json!(["listeners", "apis"]));
        assert_eq!(schema["additionalProperties"], json!(false));
        let pair = &schema["$defs"]["PairEntry"];
        assert_eq!(pair["required"], json!(["model"]));
        assert_eq!(pair["properties"]["endpoint"]["type"], "string");
        let threads = &schema["$defs"]["ServerSection"]["properties"]["threads"];
        assert_eq!(threads["type"], json!(["integer", "string"]));
    }

    /// What the loader takes without a value, or out of a variable, the schema has, and nothing else.
    #[test]
    fn values_that_are_left_out_and_that_come_from_outside_are_as_in_a_file() {
        let schema = schema();
        let null = json!({ "type": "null" });
        let reference = json!({ "type": "string", "pattern": REFERENCE });
        let alternatives =
            |path: &str| schema.pointer(path).and_then(|it| it["anyOf"].as_array()).unwrap().clone();
        let vendor = "/$defs/VendorEntry/properties";
        for (path, takes_null) in [
            ("/properties/vendors/additionalProperties", true),
            (&*format!("{vendor}/response"), true),
            ("/$defs/PolicyEntry/properties/production", true),
            ("/$defs/EndpointEntry/properties/credential", false),
            (&*format!("{vendor}/model_list"), false),
        ] {
            assert_eq!(alternatives(path).contains(&null), takes_null, "{path}");
        }
        for path in [
            &*format!("{vendor}/model_list/anyOf/0"),
            "/$defs/PolicyEntry/properties/type",
            "/$defs/PolicyEntry/properties/production/anyOf/0",
            "/$defs/Credential/anyOf/4/properties/instance",
        ] {
            assert!(alternatives(path).contains(&reference), "{path}");
        }
        properties(&schema, "", &mut |path, schema| {
            assert!(schema.get("oneOf").is_none(), "{path}: {schema}");
        });
    }
}
