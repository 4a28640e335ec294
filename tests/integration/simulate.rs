//! `evenkeel simulate`: what it prints of a script, and what it refuses.

use crate::support::{Gateway, Prepared};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

const APIS: &str = "
  - name: SmartChat
    context: /smartchat
    vendor: openai
    endpoints:
      production:
        - { name: 'Main: EU', url: 'https://api.example/v1', credential: sk-secret }
        - { name: Spare, url: 'https://spare.example/v1' }
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_weighted_round_robin
          production:
            - { model: gpt-4o, weight: 50 }
            - { model: gpt-4o-mini, weight: 30 }
            - { model: gpt-4o, endpoint: Spare, weight: 20 }
          suspend_duration: 30s
      - { method: GET, path: /models }
  - name: Two
    context: /two
    vendor: openai
    authentication: none
    endpoints: { production: [{ name: Primary, url: 'https://api.example/v1' }] }
    operations:
      - method: POST
        path: /chat/completions
        policy: { type: model_round_robin, production: [{ model: gpt-4o }, { model: gpt-4o-mini }] }
      - method: POST
        path: /responses
        policy: { type: model_round_robin, production: [{ model: gpt-4o }] }
";

/// The exit code, and what is printed for the program that reads it and for the person beside it.
fn simulate(prepared: &Prepared, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = prepared.call(&["simulate"], arguments);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

const SMART_CHAT: [&str; 6] = ["--api", "SmartChat", "--environment", "production", "--requests", "1000"];

/// The block of `docs/simulate.md` that is marked as `kind`.
fn documented(kind: &str) -> &'static str {
    let text = include_str!("../../docs/simulate.md");
    let block = text.split(&format!("```{kind}\n")).nth(1).unwrap();
    block.split("```").next().unwrap()
}

#[test]
fn the_documented_example_is_what_is_printed() {
    let prepared = Gateway::prepare_file(documented("yaml"));
    let directory = Path::new(env!("CARGO_BIN_EXE_evenkeel")).parent().unwrap();
    let output = Command::new("sh")
        .args(["-c", documented("sh")])
        .current_dir(prepared.file().parent().unwrap())
        .env("PATH", format!("{}:/usr/bin:/bin", directory.display()))
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert_eq!((text(&output.stdout).as_str(), text(&output.stderr).as_str()), (documented("text"), ""));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn suspensions_that_are_not_listed_are_counted() {
    let prepared = Gateway::prepare(&APIS.replace("suspend_duration: 30s", "suspend_duration: 1s"));
    let (code, out, err) =
        simulate(&prepared, &[&SMART_CHAT[..], &["--fail", "gpt-4o@Main: EU:0-1m"]].concat());
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert_eq!(out.lines().filter(|line| line.ends_with("  500     gpt-4o@Main: EU")).count(), 20, "{out}");
    assert!(out.contains("\nand 40 more\n"), "{out}");
    assert!(!out.contains("sk-secret"));
}

#[test]
fn a_script_is_told_as_json() {
    let prepared = Gateway::prepare(APIS);
    let failures = ["--fail", "gpt-4o@Main: EU:10s-45s=connect", "--rate", "20", "--format", "json"];
    let (code, out, err) = simulate(&prepared, &[&SMART_CHAT[..], &failures].concat());
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let told: Value = serde_json::from_str(&out).unwrap();
    let totals: Vec<_> = ["requests", "served", "failed", "refused", "retries"].map(|key| &told[key]).into();
    assert_eq!(totals, [1000, 1000, 0, 0, 2]);
    assert_eq!((&told["rate"], &told["seconds"]), (&json!(20.0), &json!(50.0)));
    for (key, value) in [
        ("api", "SmartChat"),
        ("environment", "production"),
        ("operation", "POST /chat/completions"),
        ("policy", "model_weighted_round_robin"),
    ] {
        assert_eq!(told[key], value);
    }
    let pairs = told["pairs"].as_array().unwrap();
    let shares: Vec<_> = pairs.iter().map(|pair| pair["expected_share"].as_f64().unwrap()).collect();
    assert_eq!(shares, [0.5, 0.3, 0.2]);
    let actual: f64 = pairs.iter().map(|pair| pair["actual_share"].as_f64().unwrap()).sum();
    assert!((actual - 1.0).abs() < 1e-9);
    let suspension =
        |from, until| json!({ "from_seconds": from, "until_seconds": until, "reason": "connect" });
    let expected = json!({
        "model": "gpt-4o",
        "endpoint": "Main: EU",
        "expected_share": 0.5,
        "actual_share": 0.1,
        "served": 100,
        "tries": 102,
        "failures": 2,
        "probes": 1,
        "suspensions": 2,
        "first_suspensions": [suspension(10.0, 40.0), suspension(40.0, 70.0)],
    });
    assert_eq!(pairs[0], expected);
}

#[test]
fn the_operation_is_named_where_there_are_several() {
    let prepared = Gateway::prepare(APIS);
    let two = ["--api", "Two", "--environment", "production", "--requests", "10"];
    let (code, out, err) = simulate(&prepared, &two);
    assert_eq!((code, out.as_str()), (Some(64), ""));
    assert!(err.contains("--operation: `POST /chat/completions`, `POST /responses`"), "{err}");
    let (code, out, err) = simulate(&prepared, &[&two[..], &["--operation", "POST /responses"]].concat());
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.contains("gpt-4o@Primary") && !out.contains("gpt-4o-mini"), "{out}");
}

#[test]
fn what_cannot_be_played_is_told() {
    let prepared = Gateway::prepare(APIS);
    let table: [(&[&str], &str); 10] = [
        (&["--fail", "gpt@Spare:1-2"], "`gpt-4o@Main: EU`, `gpt-4o-mini@Main: EU`, `gpt-4o@Spare`"),
        (&["--fail", "gpt-4o@Spare:10s"], "such as `10s-40s`"),
        (&["--fail", "gpt-4o@Spare:1-2=ok"], "a status from 400 to 599"),
        (&["--operation", "GET /models"], "there is `POST /chat/completions`"),
        (&["--rate", "0"], "--rate"),
        (&["--rate", "-1"], "--rate"),
        (&["--rate", "NaN"], "--rate"),
        (&["--rate", "1e-300"], "more than 100 years"),
        (&["--format", "xml"], "xml"),
        (&["--fail"], "--fail"),
    ];
    for (arguments, part) in table {
        let (code, out, err) = simulate(&prepared, &[&SMART_CHAT[..], arguments].concat());
        assert_eq!((code, out.as_str()), (Some(64), ""), "{arguments:?}: {err}");
        assert!(err.contains(part), "{arguments:?}: {err}");
    }
    for (api, environment, requests, part) in [
        ("SmartChap", "production", "1", "there is `SmartChat`, `Two`"),
        ("SmartChat", "sandbox", "1", "no operation of `SmartChat` has a policy for sandbox"),
        ("SmartChat", "staging", "1", "staging"),
        ("SmartChat", "production", "0", "--requests"),
        ("SmartChat", "production", "1000000001", "--requests"),
    ] {
        let arguments = ["--api", api, "--environment", environment, "--requests", requests];
        let (code, out, err) = simulate(&prepared, &arguments);
        assert_eq!((code, out.as_str()), (Some(64), ""), "{arguments:?}: {err}");
        assert!(err.contains(part), "{arguments:?}: {err}");
    }
    let broken = Gateway::prepare(&APIS.replace("weight: 50", "wieght: 50"));
    let (code, _, err) = simulate(&broken, &SMART_CHAT);
    assert_eq!(code, Some(78));
    assert!(err.contains("wieght"), "{err}");
}
