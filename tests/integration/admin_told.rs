//! The management API: keys, the configuration without its secrets, and answers as the document says.

use crate::admin::{PATH, PATIENCE, audit_of, file, get, prepare, send};
use crate::support::{Client, Gateway, Running, chat, post, vendor};
use http::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_made_listed_and_revoked() {
    let vendor = vendor().await;
    let gateway = Gateway::prepare_file(&file(vendor.address(), "")).start();
    let new = r#"{"name": "web", "environment": "production", "apis": ["SmartChat"]}"#;
    let answer = send(&gateway, Method::POST, "/api/v1/keys", new).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let key = answer.json()["key"].as_str().unwrap().to_owned();
    until_status(&gateway, &key, 200).await;
    assert_eq!(send(&gateway, Method::POST, "/api/v1/keys", new).await.status, 409);
    for (body, status) in [
        (r#"{"name": "x", "environment": "production", "apis": ["Nope"]}"#, 404),
        (r#"{"name": "x", "environment": "production", "apis": []}"#, 400),
        (r#"{"name": "a b", "environment": "production"}"#, 400),
        (r#"{"name": "x", "environment": "Production"}"#, 400),
        (r#"{"name": "x"}"#, 400),
        ("", 400),
    ] {
        assert_eq!(send(&gateway, Method::POST, "/api/v1/keys", body).await.status, status, "{body}");
    }
    let listed = get(&gateway, "/api/v1/keys").await;
    let told = &listed["keys"][0];
    assert_eq!((&told["name"], &told["environment"]), (&json!("web"), &json!("production")));
    assert_eq!((&told["apis"], listed["keys"].as_array().unwrap().len()), (&json!(["SmartChat"]), 1));

    let answer = send(&gateway, Method::DELETE, "/api/v1/keys/web", "").await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
    until_status(&gateway, &key, 401).await;
    assert_eq!(send(&gateway, Method::DELETE, "/api/v1/keys/web", "").await.status, 404);
    assert_eq!(send(&gateway, Method::DELETE, "/api/v1/keys/..%2F..%2Fetc", "").await.status, 404);

    let (_, _, log) = gateway.end("INT");
    let (lines, stored) = (audit_of(&log), listed.to_string() + &log);
    assert!(
        lines[0].starts_with("create production key `web` for AI API `SmartChat` (from 127.0.0.1:"),
        "{lines:?}"
    );
    assert!(lines.iter().any(|line| line.starts_with("revoke key `web` (from ")), "{lines:?}");
    assert!(!stored.contains(&key), "the key is told a second time");
}

/// Asks with this key until the answer has this status.
async fn until_status(gateway: &Running, key: &str, status: u16) {
    let start = Instant::now();
    let mut client = Client::http1(gateway.address()).await;
    while client.send(post(PATH, Some(key), chat("any"))).await.status != status {
        assert!(start.elapsed() < PATIENCE, "it does not become {status}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_is_told_without_its_secrets() {
    let vendor = vendor().await;
    let gateway = prepare(&vendor).start();
    let config = get(&gateway, "/api/v1/config").await;
    let endpoint = &config["apis"][0]["endpoints"]["production"][0];
    assert_eq!((&endpoint["name"], &endpoint["credential"]), (&json!("First"), &json!("[redacted]")));
    assert_eq!(endpoint["headers"], json!({ "x-org": "[redacted]" }));
    let policy = &config["apis"][0]["operations"][0]["production"];
    assert_eq!((&policy["when_all_suspended"], &policy["retry"]["within"]), (&json!("reject"), &json!(10.0)));
    let everything = config.to_string() + &get(&gateway, "/api/v1/status").await.to_string();
    let (_, _, log) = gateway.end("INT");
    for secret in ["sk-first", "org-secret"] {
        assert!(!everything.contains(secret) && !log.contains(secret), "{secret} is told");
    }
}

/// What the document says that a GET answers is what it answers: the same members, nothing left out and nothing besides.
#[tokio::test(flavor = "multi_thread")]
async fn answers_are_as_the_document_says() {
    let vendor = vendor().await;
    let gateway = prepare(&vendor).start();
    let document = get(&gateway, "/api/v1/openapi.json").await;
    for path in ["/api/v1/status", "/api/v1/config", "/api/v1/keys"] {
        let content = &document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"];
        conforms(&document, &content["schema"], &get(&gateway, path).await, path);
    }
    let answer = send(&gateway, Method::GET, "/api/v1/nothing", "").await;
    conforms(&document, &document["components"]["schemas"]["Error"], &answer.json(), "an error");
}

fn conforms(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        return conforms(document, document.pointer(reference.trim_start_matches('#')).unwrap(), value, at);
    }
    if let Some(items) = value.as_array() {
        return items.iter().for_each(|item| conforms(document, &schema["items"], item, at));
    }
    let (Some(members), Some(properties)) = (value.as_object(), schema["properties"].as_object()) else {
        return;
    };
    for (name, member) in members {
        let at = format!("{at}.{name}");
        conforms(
            document,
            properties.get(name).unwrap_or_else(|| panic!("{at} is not told of")),
            member,
            &at,
        );
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(members.contains_key(name.as_str().unwrap()), "{at} has no {name}");
    }
}
