//! The JSON Schema of the file, for editors.

use super::file::File;
use schemars::Schema;
use schemars::transform::{RecursiveTransform, Transform};
use serde_json::{Map, Value, json};

/// The JSON Schema of the file, with the documentation of each key.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(File);
    RecursiveTransform(as_written).transform(&mut schema);
    schema.to_value()
}

/// From the types that values have to what can stand in a file for them.
fn as_written(schema: &mut Schema) {
    if let Some(object) = schema.as_object_mut() {
        leave_null_to_containers(object);
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

/// A number or boolean can come out of a `${…}`.
fn allow_references(object: &mut Map<String, Value>) {
    let Some(name @ ("integer" | "number" | "boolean")) = object.get("type").and_then(Value::as_str) else {
        return;
    };
    let types = json!([name, "string"]);
    object.insert("type".to_owned(), types);
    object.insert("pattern".to_owned(), json!(r"\$\{"));
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
}
