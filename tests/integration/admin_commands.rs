//! The commands that talk to a running instance.

use crate::admin::{file, prepare};
use crate::support::{Gateway, Process, Running, binary, vendor};
use serde_json::{Value, json};
use std::fs;
use std::net::TcpListener;
use std::process::Output;

const TOKEN: &str = "a-token-of-the-tests";
const PAIR: [&str; 6] = ["--api", "SmartChat", "--endpoint", "Second", "--model", "org/mini"];

/// Runs `evenkeel COMMAND ARGUMENTS…` for a running instance. Its port is the system's choice and not in the file.
fn call(gateway: &Running, command: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let admin = gateway.admin.to_string();
    let mut all = vec!["--admin", &admin];
    all.extend(arguments);
    texts(&gateway.prepared().call(&[command], &all))
}

fn texts(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

async fn with_token() -> Running {
    let vendor = vendor().await;
    let text = file(vendor.address(), "authentication: none");
    Gateway::prepare_file(&format!("admin: {{ address: '127.0.0.1:0', token: {TOKEN} }}\n{text}")).start()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_is_steered_from_the_command_line() {
    let gateway = with_token().await;
    let mut arguments = PAIR.to_vec();
    arguments.extend(["--for", "1h", "--reason", "vendor's maintenance"]);
    let suspended = "org/mini on Second is suspended for 1h: operator: vendor's maintenance\n";
    assert_eq!(call(&gateway, "suspend", &arguments), (Some(0), suspended.to_owned(), String::new()));

    let (code, table, _) = call(&gateway, "status", &[]);
    assert_eq!(code, Some(0));
    let rows: Vec<_> =
        table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for row in [
        "AI API SmartChat at /smartchat (openai), production",
        "POST /chat/completions: model_weighted_round_robin",
        "gpt-4o First 75.0 % 0.0 % 0 active",
        "org/mini Second 25.0 % 0.0 % 0 suspended for",
        ": operator: vendor's maintenance",
    ] {
        assert!(rows.iter().any(|line| line.contains(row)), "no {row:?} in:\n{table}");
    }
    let (code, json, _) = call(&gateway, "status", &["--format", "json"]);
    let status: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &status["pid"]), (Some(0), &json!(gateway.pid())));

    let drained = "org/mini on Second is suspended: drained\n";
    assert_eq!(call(&gateway, "drain", &PAIR), (Some(0), drained.to_owned(), String::new()));
    let resumed = "org/mini on Second is active\n";
    assert_eq!(call(&gateway, "resume", &PAIR), (Some(0), resumed.to_owned(), String::new()));

    for (command, arguments, code, told) in [
        ("suspend", vec!["--for", "31d"], 64, "--for `31d`: expected a duration above 0 and up to `30d`"),
        ("suspend", vec!["--for", "soon"], 64, "--for `soon`"),
        ("drain", vec!["--environment", "staging"], 64, "staging"),
        ("resume", vec!["--environment", "sandbox"], 1, "no policy of AI API `SmartChat` has the model"),
        ("resume", vec!["--for", "1h"], 64, "--for"),
    ] {
        let arguments: Vec<_> = PAIR.iter().copied().chain(arguments).collect();
        let (found, out, err) = call(&gateway, command, &arguments);
        assert_eq!((found, out.as_str()), (Some(code), ""), "{command} {arguments:?}: {err}");
        assert!(err.contains(told), "{err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_comes_from_the_file_or_another() {
    let gateway = with_token().await;
    let admin = gateway.admin.to_string();
    let token_file = gateway.prepared().path("token");
    let token_file = token_file.to_str().unwrap();
    let status = |arguments: &[&str]| {
        texts(&binary().args(["status", "--admin", &admin]).args(arguments).output().unwrap())
    };
    let (code, _, err) = status(&[]);
    assert_eq!(code, Some(1));
    assert!(err.contains("does not let us in: give the file's `admin.token`"), "{err}");
    fs::write(token_file, format!("{TOKEN}\n")).unwrap();
    assert_eq!(status(&["--token-file", token_file]).0, Some(0));
    fs::write(token_file, "another-token-of-the-tests").unwrap();
    let (code, _, err) = status(&["--token-file", token_file]);
    assert!(code == Some(1) && err.contains("the token is wrong"), "{err}");
    assert!(!err.contains("another-token"), "{err}");
    assert_eq!(status(&["--token-file", "/nowhere"]).0, Some(1));
    assert_eq!(texts(&binary().arg("status").output().unwrap()).0, Some(64));
}

/// With `127.0.0.1:0` for the admin address the test has to name it; the token is still that of the file, however broken.
#[tokio::test(flavor = "multi_thread")]
async fn a_reload_reaches_the_process_whatever_is_in_the_file() {
    let gateway = with_token().await;
    let configuration = gateway.prepared().file();
    let text = fs::read_to_string(&configuration).unwrap();
    let served = |n: u32| (Some(0), format!("configuration {n} is served\n"), String::new());
    let (code, out, err) = call(&gateway, "reload", &[]);
    assert!(err.starts_with("warning: apis[0].operations[0].policy.production[1].model: "), "{err}");
    assert_eq!((code, out.as_str()), (Some(0), "configuration 2 is served\n"));

    let known = text.replace("org/mini", "gpt-4o-mini");
    fs::write(&configuration, &known).unwrap();
    assert_eq!(call(&gateway, "reload", &[]), served(3));
    let mut all_told = Vec::new();
    for (broken, told) in [
        (format!("{known}nonsense: [\n"), "this is not YAML"),
        (format!("{known}nonsense: 1\n"), "nonsense"),
        (known.replace("sk-first", "'${NOT_SET_ANYWHERE}'"), "NOT_SET_ANYWHERE"),
        // Cut off while it was written.
        (known.get(..known.find("operations:").unwrap() + 30).unwrap().to_owned(), "error"),
    ] {
        fs::write(&configuration, &broken).unwrap();
        let (code, out, err) = call(&gateway, "reload", &[]);
        assert_eq!((code, out.as_str()), (Some(78), ""), "{err}");
        assert!(err.contains(told) && err.contains("evenkeel.yaml"), "{err}");
        assert_eq!(err.matches("evenkeel.yaml: ").count(), 1, "told twice: {err}");
        all_told.push(told);
        // The others still work.
        assert_eq!(call(&gateway, "status", &[]).0, Some(0));
    }
    fs::write(&configuration, format!("server: {{ threads: 3 }}\n{}", known.replace("server:", "#")))
        .unwrap();
    let (code, out, _) = call(&gateway, "reload", &[]);
    assert_eq!(code, Some(0));
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines[0], "configuration 4 is served");
    assert!(lines[1].starts_with("restart needed: ") && lines[1].contains("server.threads"), "{out}");
    let (_, _, log) = gateway.end("INT");
    for told in all_told {
        assert!(log.contains(told), "the process does not tell of {told}: {log}");
    }
    assert_eq!(log.matches("audit: refused reload: the file has errors").count(), 4, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_to_talk_to() {
    let vendor = vendor().await;
    let prepared = prepare(&vendor);
    let (code, _, err) = texts(&prepared.call(&["reload"], &[]));
    assert!(code == Some(64) && err.contains("give --admin"), "{err}");
    // An address at which nobody listens.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = fs::read_to_string(prepared.file()).unwrap();
    let text = text.replace("admin: { address: '127.0.0.1:0' }", &format!("admin: {{ address: '{free}' }}"));
    fs::write(prepared.file(), format!("{text}nonsense: 1\n")).unwrap();
    for (command, arguments) in
        [("status", &[][..]), ("status", &["--watch"]), ("drain", &PAIR), ("reload", &[])]
    {
        let (code, out, err) = texts(&prepared.call(&[command], arguments));
        assert_eq!((code, out.as_str()), (Some(1), ""), "{command}: {err}");
        assert!(err.contains(&format!("no instance can be reached at {free}")), "{err}");
        assert_eq!(err.contains("nonsense"), command == "reload", "{err}");
    }
    // One that is something else: the mock vendor.
    let other = vendor.address().to_string();
    let (code, _, err) = texts(&prepared.call(&["status"], &["--admin", &other]));
    assert!(code == Some(1) && err.contains("no such operation: /api/v1/status"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_is_told_again_and_again() {
    let vendor = vendor().await;
    let gateway = prepare(&vendor).start();
    let admin = gateway.admin.to_string();
    let watch = Process::start(&["status", "--admin", &admin, "--watch"]);
    for _ in 0..2 {
        watch.out("evenkeel ");
        assert!(!watch.out("gpt-4o").contains('\u{1b}'), "it redraws though nobody looks");
    }
    // Each line is a status of its own.
    let watch = Process::start(&["status", "--admin", &admin, "--watch", "--format", "json"]);
    for _ in 0..2 {
        let status: Value = serde_json::from_str(&watch.out("{")).unwrap();
        assert_eq!(status["state"], "serving");
    }
}
