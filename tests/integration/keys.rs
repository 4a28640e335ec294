//! Clients' keys: what they open, where they may stand, and how they come and go.

use crate::support::{Client, Gateway, Prepared, chat, post, vendor};
use evenkeel::mock::MockVendor;
use http::{HeaderName, HeaderValue};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

const PATH: &str = "/smartchat/chat/completions";
/// Many times the second in which a change of the keys takes effect.
const PATIENCE: Duration = Duration::from_secs(20);

/// Production has two models at one vendor, sandbox one at another.
fn gateway(production: &MockVendor, sandbox: &MockVendor, credential: &str) -> Prepared {
    Gateway::prepare(&format!(
        "
  - name: SmartChat
    context: /smartchat
    vendor: openai
    endpoints:
      production: [{{ name: Production, url: 'http://{}/v1'{credential} }}]
      sandbox: [{{ name: Sandbox, url: 'http://{}/v1'{credential} }}]
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_round_robin
          production: [{{ model: gpt-4o }}, {{ model: gpt-4o-mini }}]
          sandbox: [{{ model: o3-mini }}]
      - {{ method: POST, path: /embeddings }}
",
        production.address(),
        sandbox.address()
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_decides_the_environment() {
    let (production, sandbox) = (vendor().await, vendor().await);
    let prepared = gateway(&production, &sandbox, "");
    let production_key = prepared.key("p", "production", &[]);
    let sandbox_key = prepared.key("s", "sandbox", &["SmartChat"]);
    assert!(production_key.starts_with("ek_prod_") && sandbox_key.starts_with("ek_sbx_"));
    let gateway = prepared.start();
    let mut client = Client::http1(gateway.address()).await;
    // Production's turn is not moved by what sandbox asks for.
    for (key, model, endpoint) in [
        (&production_key, "gpt-4o", "Production"),
        (&sandbox_key, "o3-mini", "Sandbox"),
        (&production_key, "gpt-4o-mini", "Production"),
        (&sandbox_key, "o3-mini", "Sandbox"),
        (&production_key, "gpt-4o", "Production"),
    ] {
        let answer = client.send(post(PATH, Some(key), chat("any"))).await;
        assert_eq!(answer.json()["model"], model);
        assert_eq!(
            (answer.header("x-evenkeel-model"), answer.header("x-evenkeel-endpoint")),
            (model, endpoint)
        );
    }
    // Without a policy the key decides, too.
    for (key, endpoint) in [(&production_key, "Production"), (&sandbox_key, "Sandbox")] {
        let body = r#"{"model":"text-embedding-3-small","input":"x"}"#;
        let answer = client.send(post("/smartchat/embeddings", Some(key), body)).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-evenkeel-endpoint")), (200, endpoint));
    }
    assert_eq!((production.requests().len(), sandbox.requests().len()), (4, 3));
}

/// In each of its headers and in all at once; with a credential of the endpoint's own and without.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_taken_from_five_headers_and_never_reaches_the_vendor() {
    const HEADERS: [&str; 5] = ["authorization", "x-api-key", "api-key", "x-goog-api-key", "apikey"];
    let vendor = vendor().await;
    for (credential, presented) in [("", None), (", credential: sk-vendor", Some("Bearer sk-vendor"))] {
        let prepared = gateway(&vendor, &vendor, credential);
        let key = prepared.key("p", "production", &[]);
        let gateway = prepared.start();
        let mut client = Client::http1(gateway.address()).await;
        let each = HEADERS.map(|name| vec![name]).into_iter();
        for names in each.chain([HEADERS.to_vec()]) {
            for path in [PATH, "/smartchat/embeddings"] {
                let mut request = post(path, None, r#"{"model":"any","input":"x"}"#);
                for name in &names {
                    let value = if *name == "authorization" { format!("Bearer {key}") } else { key.clone() };
                    let name = HeaderName::from_static(name);
                    request.headers_mut().append(name, HeaderValue::try_from(value).unwrap());
                }
                assert_eq!(client.send(request).await.status, 200, "{names:?}");
                let seen = vendor.requests().pop().unwrap();
                assert!(!format!("{seen:?}").contains(&key), "{names:?}: {seen:?}");
                assert_eq!(seen.header("authorization"), presented);
                assert!(HEADERS[1..].iter().all(|name| seen.header(name).is_none()), "{seen:?}");
            }
        }
    }
}

/// A vendor's key beside the gateway's own, as an SDK with two settings sends them, goes no further either.
#[tokio::test(flavor = "multi_thread")]
async fn what_else_stands_where_a_key_may_stand_does_not_reach_the_vendor() {
    let vendor = vendor().await;
    let prepared = gateway(&vendor, &vendor, "");
    let key = prepared.key("p", "production", &[]);
    let gateway = prepared.start();
    let mut request = post(PATH, None, chat("any"));
    request.headers_mut().append("authorization", HeaderValue::from_static("Bearer sk-of-the-client"));
    request.headers_mut().append("api-key", HeaderValue::try_from(&key).unwrap());
    assert_eq!(Client::http1(gateway.address()).await.send(request).await.status, 200);
    let seen = format!("{:?}", vendor.requests());
    assert!(!seen.contains("sk-of-the-client") && !seen.contains(&key), "{seen}");
}

/// Sends requests with `key` until one is answered with `status`.
async fn until_answered(client: &mut Client, key: &str, status: u16) {
    let start = Instant::now();
    loop {
        let answer = client.send(post(PATH, Some(key), chat("any"))).await;
        if answer.status.as_u16() == status {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "still {answer:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_come_and_go_while_it_runs() {
    let vendor = vendor().await;
    let gateway = gateway(&vendor, &vendor, "").start();
    let mut client = Client::http1(gateway.address()).await;
    assert!(gateway.log().contains("there is no key yet"), "{}", gateway.log());

    let first = gateway.prepared().key("first", "production", &[]);
    until_answered(&mut client, &first, 200).await;
    let second = gateway.prepared().key("second", "sandbox", &[]);
    until_answered(&mut client, &second, 200).await;
    assert!(gateway.prepared().call(&["keys", "revoke"], &["first"]).status.success());
    until_answered(&mut client, &first, 401).await;
    assert_eq!(client.send(post(PATH, Some(&second), chat("any"))).await.status, 200);
    assert!(!gateway.log().contains(&first) && !gateway.log().contains(&second));
}

/// A file that cannot be read changes nothing, and what comes after it counts again.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_key_file_leaves_the_keys_in_force() {
    let vendor = vendor().await;
    let prepared = gateway(&vendor, &vendor, "");
    let key = prepared.key("kept", "production", &[]);
    let revoked = prepared.key("revoked", "production", &[]);
    let gateway = prepared.start();
    let mut client = Client::http1(gateway.address()).await;
    let file = gateway.prepared().path("state/keys.yaml");
    let good = fs::read_to_string(&file).unwrap();

    fs::write(&file, "version: 1\nkeys: [oops").unwrap();
    let start = Instant::now();
    while !gateway.log().contains("the keys known before stay in force") {
        assert!(start.elapsed() < PATIENCE, "{}", gateway.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(client.send(post(PATH, Some(&key), chat("any"))).await.status, 200);

    fs::write(&file, good).unwrap();
    assert!(gateway.prepared().call(&["keys", "revoke"], &["revoked"]).status.success());
    until_answered(&mut client, &revoked, 401).await;
    assert_eq!(client.send(post(PATH, Some(&key), chat("any"))).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_key_file_stops_the_start() {
    let vendor = vendor().await;
    let prepared = gateway(&vendor, &vendor, "");
    fs::create_dir(prepared.path("state")).unwrap();
    fs::write(prepared.path("state/keys.yaml"), "version: 99\n").unwrap();
    let output = prepared.call(&["run"], &[]);
    assert_eq!(output.status.code(), Some(78));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("version 99 of the key file is not known"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_listed_and_never_shown_again() {
    let vendor = vendor().await;
    let prepared = gateway(&vendor, &vendor, "");
    let output = prepared.call(&["keys", "create"], &["--name", "team-a", "--environment", "production"]);
    assert!(output.status.success());
    let shown = String::from_utf8(output.stdout).unwrap();
    let key = shown.split_whitespace().find(|word| word.starts_with("ek_prod_")).unwrap().to_owned();
    let other = prepared.key("team-b", "sandbox", &["SmartChat"]);

    let text = String::from_utf8(prepared.call(&["keys", "list"], &[]).stdout).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[1].starts_with("team-a  production"), "{text}");
    assert!(lines[1].contains(&key[key.len() - 4..]) && lines[1].ends_with("all"), "{text}");
    assert!(lines[2].starts_with("team-b  sandbox") && lines[2].ends_with("SmartChat"), "{text}");

    let json = prepared.call(&["keys", "list"], &["--format", "json"]).stdout;
    let list: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!((&list[0]["name"], &list[0]["environment"]), (&"team-a".into(), &"production".into()));
    assert_eq!((&list[0]["apis"], &list[1]["apis"][0]), (&Value::Null, &"SmartChat".into()));

    let file = prepared.path("state/keys.yaml");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(prepared.path("state")).unwrap().permissions().mode() & 0o777, 0o700);
    let kept = fs::read_to_string(&file).unwrap();
    for key in [&key, &other] {
        let random = &key[key.rfind('_').unwrap() + 1..];
        for place in [&text, &String::from_utf8(json.clone()).unwrap(), &kept] {
            // The record's hint shows four characters of it, and no more.
            assert!(
                !random.as_bytes().windows(5).any(|part| place.contains(std::str::from_utf8(part).unwrap()))
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_usage_is_told_apart_from_failure() {
    let vendor = vendor().await;
    let prepared = gateway(&vendor, &vendor, "");
    prepared.key("taken", "production", &[]);
    for (command, arguments, code, message) in [
        ("create", &["--name", "a b", "--environment", "sandbox"][..], 64, "cannot name a key"),
        ("create", &["--name", "a", "--environment", "staging"], 64, "`production` or `sandbox`"),
        ("create", &["--name", "a"], 64, "--environment"),
        (
            "create",
            &["--name", "a", "--environment", "sandbox", "--api", "SmartChap"],
            64,
            "no AI API `SmartChap`",
        ),
        (
            "create",
            &["--name", "taken", "--environment", "sandbox"],
            1,
            "there is a key named `taken` already",
        ),
        ("revoke", &["takem"], 1, "did you mean `taken`?"),
        ("revoke", &[], 64, "NAME"),
        ("forge", &[], 64, "forge"),
    ] {
        let output = prepared.call(&["keys", command], arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{command} {arguments:?}: {told}");
        assert!(told.contains(message), "{command} {arguments:?}: {told}");
        assert!(output.stdout.is_empty());
    }
}
