//! The commands: what they print, and their exit codes.

use crate::support::{Body, Client, Gateway, Process, Running, binary, chat, post, vendor};
use http_body_util::{BodyExt, Empty};
use serde_json::Value;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Output;

const API: &str = "
  - name: SmartChat
    context: /smartchat
    vendor: openai
    endpoints:
      production: [{ name: Primary, url: 'https://api.example/v1', credential: sk-secret }]
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_weighted_round_robin
          production: [{ model: gpt-4o, weight: 70 }, { model: gpt-4o-mini, weight: 30 }]
          suspend_duration: 30
      - { method: GET, path: /models }
";

fn code_and_texts(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn call(arguments: &[&str]) -> (Option<i32>, String, String) {
    code_and_texts(&binary().args(arguments).output().unwrap())
}

/// The address that a text names after `http://`.
fn address_in(text: &str) -> SocketAddr {
    let rest = text.split("http://").nth(1).unwrap_or_else(|| panic!("no address in {text:?}"));
    rest.split(['/', ' ']).next().unwrap().parse().unwrap()
}

#[test]
fn check_tells_what_would_be_served() {
    let prepared = Gateway::prepare(API);
    let (code, out, err) = code_and_texts(&prepared.call(&["check"], &[]));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    for part in [
        "evenkeel.yaml is valid.",
        "AI API SmartChat at /smartchat (vendor openai)",
        "POST /chat/completions",
        "a failed pair is out for 30s; a failed request is tried on up to 2 other pairs",
        " 70.0 %  gpt-4o on Primary (https://api.example/v1)",
        " 30.0 %  gpt-4o-mini on Primary (https://api.example/v1)",
        "GET /models",
        "production: to Primary (https://api.example/v1), the model untouched",
    ] {
        assert!(out.contains(part), "no {part:?} in:\n{out}");
    }
    assert!(!out.contains("sk-secret"));

    let (code, out, err) = code_and_texts(&prepared.call(&["check"], &["--format", "json"]));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&told["valid"], &told["diagnostics"]), (&true.into(), &serde_json::json!([])));
    let api = &told["apis"][0];
    assert_eq!((&api["name"], &api["context"]), (&"SmartChat".into(), &"/smartchat".into()));
    let pairs = api["operations"][0]["production"].as_array().unwrap();
    let shares: Vec<_> = pairs.iter().map(|pair| (pair["model"].as_str(), pair["share"].as_f64())).collect();
    assert_eq!(shares, [(Some("gpt-4o"), Some(0.7)), (Some("gpt-4o-mini"), Some(0.3))]);
}

#[test]
fn check_tells_every_error_of_a_broken_file() {
    let prepared = Gateway::prepare(
        &API.replace("weight: 70", "wieght: 70").replace("vendor: openai", "vendor: opanai"),
    );
    let (code, out, err) = code_and_texts(&prepared.call(&["check"], &[]));
    assert_eq!((code, out.as_str()), (Some(78), ""));
    for part in ["evenkeel.yaml:", "apis[0].vendor", "`openai`", "wieght", "`weight`"] {
        assert!(err.contains(part), "no {part:?} in:\n{err}");
    }
    let (code, out, err) = code_and_texts(&prepared.call(&["check"], &["--format", "json"]));
    assert_eq!(code, Some(78));
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["valid"], false, "{told}");
    assert!(told["diagnostics"].as_array().unwrap().len() >= 2, "{told}");
    assert!(err.contains("evenkeel.yaml cannot be used"), "{err}");
    // `run` says the same.
    let (code, _, err) = code_and_texts(&prepared.call(&["run"], &[]));
    assert_eq!(code, Some(78));
    assert!(err.contains("wieght"), "{err}");
}

#[test]
fn a_missing_file_is_a_configuration_error() {
    for command in [&["check"][..], &["run"], &["keys", "list"], &["health"], &["status"], &["reload"]] {
        let (code, out, err) = call(&[command, &["-c", "/nowhere/evenkeel.yaml"]].concat());
        assert_eq!((code, out.as_str()), (Some(78), ""), "{command:?}: {err}");
        assert!(err.contains("/nowhere/evenkeel.yaml") && err.contains("No such file"), "{err}");
    }
}

#[test]
fn a_wrong_command_line_is_told_apart() {
    for (arguments, message) in [
        (&["check", "--unknown"][..], "--unknown"),
        (&["check"], "--config"),
        (&["serve"], "serve"),
        (&[], "Usage"),
        (&["health"], "--admin"),
        (&["demo", "--address", "nowhere"], "nowhere"),
        (&["mock-vendor"], "--listen"),
        (&["mock-vendor", "--listen", "127.0.0.1:0", "--fail", "often"], "STATUS:RATE"),
        (&["check", "-c", "x", "--format", "xml"], "xml"),
    ] {
        let (code, out, err) = call(arguments);
        assert_eq!((code, out.as_str()), (Some(64), ""), "{arguments:?}: {err}");
        assert!(err.contains(message), "{arguments:?}: {err}");
    }
    for arguments in [&["--help"][..], &["--version"], &["keys", "--help"]] {
        let (code, out, err) = call(arguments);
        assert_eq!((code, err.as_str()), (Some(0), ""));
        assert!(out.contains("evenkeel"), "{out}");
    }
}

#[test]
fn the_schema_knows_the_shipped_file() {
    let (code, out, err) = call(&["schema"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let schema: Value = serde_json::from_str(&out).unwrap();
    assert!(schema["$schema"].as_str().unwrap().contains("json-schema.org"));
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/conf/evenkeel.yaml")).unwrap();
    let file: Value = serde_yaml::from_str(&text).unwrap();
    let file = file.as_object().unwrap();
    let known = schema["properties"].as_object().unwrap();
    for (key, value) in file {
        let Some(property) = known.get(key) else { panic!("the schema does not know `{key}`") };
        let mut types = property["type"].clone();
        if let (Value::Null, Some(reference)) = (&types, property.to_string().split("#/$defs/").nth(1)) {
            types = schema["$defs"][reference.split('"').next().unwrap()]["type"].clone();
        }
        let kind = match value {
            Value::Array(_) => "array",
            Value::Object(_) => "object",
            _ => "string",
        };
        assert!(types.to_string().contains(kind), "{key} is of type {types}, in the file {value}");
    }
    for key in schema["required"].as_array().unwrap() {
        assert!(file.contains_key(key.as_str().unwrap()), "the file has no {key}");
    }
    assert_eq!(schema["additionalProperties"], false);
}

/// A GET of the management API.
fn get(path: &str) -> http::Request<Body> {
    let request = http::Request::get(path).header("host", "127.0.0.1");
    request.body(Empty::new().boxed()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demos_line_is_answered_by_another_model_than_asked() {
    let demo = Process::start(&["demo", "--address", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    let line = demo.out("curl");
    let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
    let body = line.split(" -d '").nth(1).unwrap().strip_suffix('\'').unwrap().to_owned();
    let asked: Value = serde_json::from_str(&body).unwrap();
    let address = address_in(url);
    let path = url.strip_prefix(&format!("http://{address}")).unwrap();
    let mut client = Client::http1(address).await;
    let mut served = Vec::new();
    for _ in 0..4 {
        let answer = client.send(post(path, None, body.clone())).await;
        assert_eq!(answer.status, 200);
        served.push(answer.json()["model"].as_str().unwrap().to_owned());
    }
    assert!(!served.contains(&asked["model"].as_str().unwrap().to_owned()));
    for model in ["gpt-4o", "gpt-4o-mini"] {
        assert_eq!(served.iter().filter(|name| *name == model).count(), 2, "{served:?}");
    }
    let admin = address_in(&demo.out("/readyz"));
    assert_eq!(call(&["health", "--admin", &admin.to_string()]).0, Some(0));
    // What it keeps is its own, and gone with it: a gateway of this machine has its state where the default is.
    let answer = Client::http1(admin).await.send(get("/api/v1/config")).await;
    let state = PathBuf::from(answer.json()["state_dir"].as_str().unwrap());
    assert!(state.starts_with(std::env::temp_dir()) && state.is_dir(), "{state:?}");
    assert_eq!(demo.end("INT").code(), Some(0));
    assert!(!state.exists(), "{state:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mock_vendor_fails_as_told() {
    for (fail, status) in [("500:1", 500), ("429:1", 429), ("500:0", 200)] {
        let process = Process::start(&["mock-vendor", "--listen", "127.0.0.1:0", "--fail", fail]);
        let address = address_in(&process.err("The mock vendor is at"));
        let answer = Client::http1(address).await.send(post("/v1/chat/completions", None, chat("m"))).await;
        assert_eq!(answer.status.as_u16(), status);
        assert_eq!(process.end("INT").code(), Some(0));
    }
    let process = Process::start(&[
        "mock-vendor",
        "--listen",
        "127.0.0.1:0",
        "--stream-chunks",
        "3",
        "--chunk-interval",
        "1ms",
        "--answer-bytes",
        "1000",
    ]);
    let address = address_in(&process.err("The mock vendor is at"));
    let answer = Client::http1(address).await.send(post("/v1/chat/completions", None, chat("m"))).await;
    let said = &answer.json()["choices"][0]["message"]["content"];
    assert!((1000..1020).contains(&said.as_str().unwrap().len()), "{said}");
    let body = r#"{"model":"m","stream":true}"#;
    let answer = Client::http1(address).await.send(post("/v1/chat/completions", None, body)).await;
    assert_eq!(String::from_utf8_lossy(&answer.body).matches("\"content\":").count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_asks_the_admin_address() {
    let vendor = vendor().await;
    let url = format!("'http://{}/v1'", vendor.address());
    let gateway: Running = Gateway::start(&API.replace("'https://api.example/v1'", &url));
    let admin = gateway.admin.to_string();
    let healthy = (Some(0), String::new(), String::new());
    assert_eq!(call(&["health", "--admin", &admin]), healthy);
    // It serves on, though its file has been broken since, and only it can see the credential.
    let broken =
        API.replace("'https://api.example/v1'", "'https://api.example/v1', credential: '${ONLY_THERE}'");
    let broken =
        Gateway::prepare_file(&format!("admin: {{ address: '{admin}' }}\nlistner: []\napis:\n{broken}"));
    assert_eq!(code_and_texts(&broken.call(&["health"], &[])), healthy);
    // Somebody is there, and it is not the gateway's admin address.
    let (code, _, err) = call(&["health", "--admin", &gateway.address().to_string()]);
    assert_eq!(code, Some(1));
    assert!(err.contains("404"), "{err}");
    // Nobody is there.
    drop(gateway);
    let (code, _, err) = call(&["health", "--admin", &admin]);
    assert_eq!(code, Some(1));
    assert!(err.contains(&admin), "{err}");
    // The file names the address.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let listeners = "listeners: [{ address: '127.0.0.1:0' }]";
    let file =
        Gateway::prepare_file(&format!("{listeners}\nadmin: {{ address: '{address}' }}\napis:\n{API}"));
    let (code, _, err) = code_and_texts(&file.call(&["health"], &[]));
    assert_eq!(code, Some(1));
    assert!(err.contains(&address.to_string()), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_tells_no_admin_address_asks_nobody() {
    let vendor = vendor().await;
    let url = format!("'http://{}/v1'", vendor.address());
    let gateway: Running = Gateway::start(&API.replace("'https://api.example/v1'", &url));
    let admin = gateway.admin.to_string();
    let table = [
        ("admin: { address: nonsense }\n", "nonsense"),
        ("admin: { address: '${NOT_SET_ANYWHERE}' }\n", "NOT_SET_ANYWHERE"),
        ("- a\n", "a list"),
        ("", "`listeners` is missing"),
        ("\0\u{1}", "error: "),
    ];
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("broken.yaml");
    let file = path.to_str().unwrap();
    for (text, told) in table {
        fs::write(&path, text).unwrap();
        for command in [
            &["health"][..],
            &["status"],
            &["reload"],
            &["suspend", "--api", "A", "--model", "m", "--endpoint", "e", "--for", "1s"],
        ] {
            let (code, _, err) = call(&[command, &["-c", file]].concat());
            assert_eq!(code, Some(78), "{command:?} {text:?} {err}");
            assert!(err.contains(file) && err.contains("give --admin"), "{command:?} {text:?} {err}");
        }
        let (_, _, err) = call(&["status", "-c", file]);
        assert!(err.contains(told), "{text:?} {err}");
        assert_eq!(call(&["status", "-c", file, "--admin", &admin]).0, Some(0), "{text:?}");
    }
}
