use super::*;
use crate::balance::Phase;
use crate::config::{self, Process};
use crate::gateway::Heritage;
use exchange::Body;
use http::StatusCode;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const TOKEN: &str = "a-token-of-the-tests";

fn desk(token: bool) -> Desk {
    let admin = if token { format!("{{ token: {TOKEN} }}") } else { "{}".to_owned() };
    let text = format!(
        "
listeners: [{{ address: '127.0.0.1:0' }}]
admin: {admin}
apis:
  - name: Chat
    context: /chat
    vendor: openai
    endpoints:
      production:
        - {{ name: One, url: 'http://127.0.0.1:1/v1', credential: sk-1, headers: {{ X-Org: org-1 }} }}
        - {{ name: Other, url: 'http://127.0.0.1:2/v1' }}
      sandbox: [{{ name: One, url: 'http://127.0.0.1:3/v1' }}]
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_weighted_round_robin
          production: [{{ model: m, weight: 3 }}, {{ model: a/b, endpoint: Other, weight: 1 }}]
          sandbox: [{{ model: m, weight: 1 }}]
          suspend_duration: 5m
      - {{ method: GET, path: /models }}
"
    );
    let loaded = config::parse("test", &text, &Process).unwrap();
    let live = Live::new(loaded, None, &Heritage::default(), Box::new(|_| Ok(())));
    Desk { live: Arc::new(live), readiness: Readiness::default(), loopback: true }
}

fn send(desk: &Desk, method: Method, path: &str, body: &str) -> Reply {
    match routes::find(&method, path) {
        Ok((route, names)) => {
            let body = Body { bytes: body.to_owned().into(), content_type: None };
            (route.run)(desk, &Call { names, body, peer: None })
        }
        Err(refusal) => refusal.reply(),
    }
}

fn json(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap()
}

#[test]
fn it_lives_at_once_and_is_ready_when_it_says_so() {
    let desk = desk(false);
    let status = |method, path| send(&desk, method, path, "").status;
    assert_eq!(status(Method::GET, "/livez"), 200);
    assert_eq!(status(Method::GET, "/readyz"), 503);
    desk.readiness.set();
    assert_eq!(status(Method::GET, "/readyz"), 200);
    desk.live.drain().begin();
    assert_eq!(send(&desk, Method::GET, "/readyz", "").body, b"not ready: draining\n");
    assert_eq!(status(Method::GET, "/readyz"), 503);
    assert_eq!(status(Method::GET, "/livez"), 200);
}

#[test]
fn paths_and_methods() {
    let desk = desk(false);
    let table = [
        (Method::HEAD, "/livez", 200, None),
        (Method::POST, "/livez", 405, Some("GET, HEAD")),
        (Method::OPTIONS, "/api/v1/status", 405, Some("GET, HEAD")),
        (Method::HEAD, "/api/v1/keys", 200, None),
        (Method::PUT, "/api/v1/keys", 405, Some("GET, HEAD, POST")),
        (Method::HEAD, "/api/v1/reload", 405, Some("POST")),
        (Method::GET, "/api/v1/pairs/Chat/One/m/suspend", 405, Some("POST")),
        (Method::GET, "/api/v1/keys/x", 405, Some("DELETE")),
        (Method::GET, "/", 404, None),
        (Method::GET, "/api/v1/status/", 404, None),
        (Method::GET, "/api/v1//status", 404, None),
        (Method::GET, "/api/v1/../v1/status", 404, None),
        (Method::GET, "/api/v1/%73tatus", 404, None),
    ];
    for (method, path, status, allow) in table {
        let reply = send(&desk, method.clone(), path, "");
        assert_eq!(reply.status, status, "{method} {path}");
        let allowed = reply.header.as_ref().map(|(_, value)| value.as_str());
        assert_eq!(allowed, allow, "{method} {path}");
    }
}

#[test]
fn what_is_guarded_is_what_the_api_has() {
    for route in routes::all() {
        let open = ["/livez", "/readyz", "/metrics"].contains(&route.path);
        assert_eq!(route.is_guarded(), !open, "{}", route.path);
    }
    for path in ["/api", "/api/", "/api/v1/unknown", "/api/v1/../livez"] {
        assert!(operation::is_guarded(path), "{path}");
    }
}

#[test]
fn the_document_is_of_the_table() {
    for with_token in [false, true] {
        let document = openapi::document(routes::all(), with_token);
        let mut ids = BTreeSet::new();
        for route in routes::all() {
            let told = &document["paths"][route.path][route.method.as_str().to_lowercase()];
            assert_eq!(told["operationId"], route.id);
            assert!(ids.insert(route.id), "two operations are called {}", route.id);
            assert_eq!(told["requestBody"].is_object(), route.reads_body, "{}", route.id);
            let asked = told["security"] == json!([{ "token": [] }]);
            assert_eq!(asked, with_token && route.is_guarded(), "{}", route.id);
            let statuses: BTreeSet<u16> =
                told["responses"].as_object().unwrap().keys().map(|status| status.parse().unwrap()).collect();
            let own = route.statuses.iter().map(|(status, _)| *status);
            let refused = openapi::refusals(route, with_token).into_iter().map(|code| code.status().as_u16());
            assert_eq!(statuses, own.chain(refused).collect(), "{}", route.id);
        }
        let told = document["paths"].as_object().unwrap().values();
        assert_eq!(
            told.map(|methods| methods.as_object().unwrap().len()).sum::<usize>(),
            routes::all().len()
        );
        // Every schema that is referred to is there.
        let text = document.to_string();
        for name in text.split("\"#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap())
        {
            assert!(document["components"]["schemas"][name].is_object(), "{name}");
        }
    }
}

#[test]
fn pairs_are_taken_out_and_put_back() {
    let desk = desk(false);
    let pair =
        |path: &str, body: &str| send(&desk, Method::POST, &format!("/api/v1/pairs/Chat/{path}"), body);

    let reply = json(&pair("Other/a/b/suspend", r#"{"for":"90s","reason":"maintenance"}"#));
    assert_eq!((&reply["model"], &reply["state"]), (&json!("a/b"), &json!("suspended")));
    assert_eq!((&reply["reason"], &reply["note"]), (&json!("operator"), &json!("maintenance")));
    let left = reply["suspended_for_seconds"].as_f64().unwrap();
    assert!((89.0..=90.0).contains(&left), "{left}");
    assert_eq!((&reply["expected_share"], &reply["actual_share"]), (&json!(0.25), &json!(0.0)));

    let reply = json(&pair("Other/a%2Fb/drain", ""));
    assert_eq!((&reply["state"], &reply["reason"]), (&json!("suspended"), &json!("drained")));
    let until = (&reply["suspended_until"], &reply["suspended_for_seconds"], &reply["note"]);
    assert_eq!(until, (&Value::Null, &Value::Null, &Value::Null));

    let reply = json(&pair("Other/a/b/resume", "{}"));
    assert_eq!((&reply["state"], &reply["suspended_for_seconds"]), (&json!("active"), &json!(0.0)));

    // Without a time: the policy's.
    let left = json(&pair("Other/a/b/suspend", ""))["suspended_for_seconds"].as_f64().unwrap();
    assert!((299.0..=300.0).contains(&left), "{left}");
}

#[test]
fn a_pair_of_both_environments_is_chosen_by_one() {
    let desk = desk(false);
    let suspend = |body: &str| send(&desk, Method::POST, "/api/v1/pairs/Chat/One/m/suspend", body);
    let reply = suspend("");
    assert_eq!(reply.status, StatusCode::CONFLICT);
    assert_eq!(json(&reply)["error"]["code"], "environment_required");
    assert_eq!(suspend(r#"{"environment":"sandbox"}"#).status, StatusCode::OK);
    let serving = desk.live.current();
    let states = serving.gateway.pairs().filter(|(_, _, pair)| pair.model.name() == "m");
    let out = states.filter(|(_, _, pair)| pair.health.lock().phase(desk.live.now()) != Phase::Active);
    assert_eq!(out.map(|(_, environment, _)| environment.as_str()).collect::<Vec<_>>(), ["sandbox"]);
}

#[test]
fn what_a_change_is_refused_for() {
    let desk = desk(false);
    let table = [
        ("Chat/One/m/suspend", r#"{"for":"31d"}"#, 400, "invalid_body"),
        ("Chat/One/m/suspend", r#"{"for":0}"#, 400, "invalid_body"),
        ("Chat/One/m/suspend", r#"{"while":"60s"}"#, 400, "invalid_body"),
        ("Chat/One/m/suspend", r#"{"environment":"staging"}"#, 400, "invalid_body"),
        ("Chat/One/m/resume", r#"{"for":"60s"}"#, 400, "invalid_body"),
        ("Nope/One/m/suspend", "", 404, "api_not_found"),
        ("Chat/Nope/m/suspend", "", 404, "pair_not_found"),
        ("Chat/One/nope/suspend", "", 404, "pair_not_found"),
        ("Chat/Other/a/b/suspend", r#"{"environment":"sandbox"}"#, 404, "pair_not_found"),
        ("Chat/One/m/suspend", "", 409, "environment_required"),
    ];
    for (path, body, status, code) in table {
        let reply = send(&desk, Method::POST, &format!("/api/v1/pairs/{path}"), body);
        let told = json(&reply);
        assert_eq!((reply.status.as_u16(), &told["error"]["code"]), (status, &json!(code)), "{path} {told}");
    }
    let reason =
        |length: usize| json!({ "environment": "sandbox", "reason": "é".repeat(length) }).to_string();
    let suspend = |body: &str| send(&desk, Method::POST, "/api/v1/pairs/Chat/One/m/suspend", body).status;
    assert_eq!((suspend(&reason(200)), suspend(&reason(201))), (StatusCode::OK, StatusCode::BAD_REQUEST));
    let reply = send(&desk, Method::POST, "/api/v1/reload", "");
    assert_eq!((reply.status, &json(&reply)["error"]["code"]), (StatusCode::CONFLICT, &json!("no_file")));
    desk.live.drain().begin();
    for path in ["pairs/Chat/Other/a/b/suspend", "pairs/Chat/Other/a/b/resume", "reload"] {
        let reply = send(&desk, Method::POST, &format!("/api/v1/{path}"), "");
        assert_eq!(reply.status, StatusCode::CONFLICT, "{path}");
    }
}

#[test]
fn no_secret_is_told() {
    let desk = desk(true);
    for path in ["/api/v1/config", "/api/v1/status", "/api/v1/openapi.json", "/api/v1/keys"] {
        let text = String::from_utf8(send(&desk, Method::GET, path, "").body).unwrap();
        for secret in [TOKEN, "sk-1", "org-1", "hash"] {
            assert!(!text.contains(secret), "{path} tells {secret}: {text}");
        }
    }
    let config = json(&send(&desk, Method::GET, "/api/v1/config", ""));
    let endpoint = &config["apis"][0]["endpoints"]["production"][0];
    assert_eq!(config["admin"]["token"], "[redacted]");
    assert_eq!(endpoint["credential"], "[redacted]");
    assert_eq!(endpoint["headers"], json!({ "x-org": "[redacted]" }));
    assert_eq!(config["apis"][0]["operations"][0]["production"]["suspension"]["suspend_duration"], 300.0);
}

#[test]
fn a_token_that_has_gone_does_not_open_an_address_of_all() {
    for (loopback, token, expected) in [(true, false, Lock::Loopback), (false, false, Lock::Closed)] {
        assert_eq!(Desk { loopback, ..desk(token) }.lock(), expected);
    }
    assert!(matches!(desk(true).lock(), Lock::Token(_)));
}

#[test]
fn people_are_told_of_all_that_programs_are() {
    let text = include_str!("../../docs/admin.md");
    for route in routes::all() {
        let row = format!("| `{}` | `{}` |", route.method, route.path);
        assert!(text.contains(&row), "docs/admin.md does not have {row}");
    }
    let document = openapi::document(routes::all(), true);
    let codes = document["components"]["schemas"]["Code"]["oneOf"].as_array().unwrap();
    assert!(codes.len() > 10);
    for code in codes {
        let name = code["const"].as_str().unwrap();
        assert!(text.contains(&format!("`{name}`")), "docs/admin.md does not have {name}");
    }
}
