//! The OpenAPI document, made from the table of routes.

use super::operation::{ANY_BODY, Route};
use super::refusal::{Code, ErrorBody};
use super::template;
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What any request to the management API may be refused for.
const ANY: &[Code] = &[Code::InvalidRequest, Code::CrossSite, Code::Internal];

/// The document of `routes`, which ask for a token if `with_token`.
pub(super) fn document(routes: &[Route], with_token: bool) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for route in routes {
        let entry = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Value::Object(methods) = entry {
            methods
                .insert(route.method.as_str().to_lowercase(), operation(route, with_token, &mut generator));
        }
    }
    let schemes = match with_token {
        true => json!({ "token": {
            "type": "http", "scheme": "bearer", "description": "`admin.token` of the configuration file." } }),
        false => json!({}),
    };
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Evenkeel management API",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "description": "What an instance serves, and how it is steered while it does. A path that answers to GET \
                            answers to HEAD, too.",
        },
        "paths": paths,
        "components": { "schemas": generator.take_definitions(true), "securitySchemes": schemes },
    })
}

fn operation(route: &Route, with_token: bool, generator: &mut SchemaGenerator) -> Value {
    let mut operation = json!({ "operationId": route.id, "summary": route.summary });
    let Value::Object(members) = &mut operation else { return operation };
    let parameters: Vec<_> = template::names(route.path).map(parameter).collect();
    if !parameters.is_empty() {
        members.insert("parameters".to_owned(), parameters.into());
    }
    if let Some(schema) = (route.body)(generator) {
        let body = json!({ "required": route.requires_body, "content": { "application/json": { "schema": schema } } });
        members.insert("requestBody".to_owned(), body);
    }
    members.insert("responses".to_owned(), responses(route, with_token, generator));
    if route.is_guarded() && with_token {
        members.insert("security".to_owned(), json!([{ "token": [] }]));
    }
    operation
}

fn parameter(name: &str) -> Value {
    let description = match name {
        "api" => "The name of the AI API.",
        "endpoint" => "The name of the endpoint.",
        "model" => "The name of the model. A `/` in it may stand as it is.",
        _ => "The name.",
    };
    let schema = json!({ "type": "string", "minLength": 1 });
    json!({ "name": name, "in": "path", "required": true, "description": description, "schema": schema })
}

fn responses(route: &Route, with_token: bool, generator: &mut SchemaGenerator) -> Value {
    let answer = (route.answer)(generator);
    let mut responses: BTreeMap<String, Value> = BTreeMap::new();
    for (status, meaning) in route.statuses {
        let mut response = json!({ "description": meaning });
        if let (Some(content_type), Value::Object(members)) = (route.content_type, &mut response) {
            members.insert("content".to_owned(), content(content_type, &answer));
        }
        responses.insert(status.to_string(), response);
    }
    let error = generator.subschema_for::<ErrorBody>();
    let mut meanings: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for code in refusals(route, with_token) {
        meanings.entry(code.status().as_u16()).or_default().push(code.meaning());
    }
    for (status, meanings) in meanings {
        let mut response =
            json!({ "description": meanings.join(" "), "content": content("application/json", &error) });
        if let (401, Value::Object(members)) = (status, &mut response) {
            let challenge = json!({ "required": true, "schema": { "type": "string" } });
            members.insert("headers".to_owned(), json!({ "WWW-Authenticate": challenge }));
        }
        responses.insert(status.to_string(), response);
    }
    json!(responses)
}

fn content(content_type: &str, schema: &Schema) -> Value {
    let essence = content_type.split(';').next().unwrap_or(content_type);
    json!({ essence: { "schema": schema } })
}

/// What a request to `route` may be refused for, each code once.
pub(super) fn refusals(route: &Route, with_token: bool) -> Vec<Code> {
    let mut codes = route.refusals.to_vec();
    if route.is_guarded() {
        codes.extend(ANY);
        codes.extend(with_token.then_some(Code::Unauthorized));
    }
    if route.reads_body {
        codes.extend(ANY_BODY);
    }
    codes.sort_unstable();
    codes.dedup();
    codes
}
