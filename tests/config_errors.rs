//! What people read when a configuration is wrong, each case as a reviewed snapshot; and that what is shipped is right.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that goes wrong panics where it goes wrong")]

use evenkeel::config::{Loaded, Outside, Report, Severity, parse};
use evenkeel::gateway::{Credential, Environment};
use proptest::prelude::*;
use std::env::VarError;
use std::io;
use std::path::{Path, PathBuf};

/// What stands in the environment and the files of these tests, and must never be shown.
const SECRET: &str = "s3cr3t-from-outside";

/// An environment and files for the tests.
struct Fake;

impl Outside for Fake {
    fn variable(&self, name: &str) -> Result<String, VarError> {
        match name {
            "OPENAI_API_KEY" | "MISTRAL_API_KEY" | "SECRET" => Ok(SECRET.into()),
            "SECRET_LINES" => Ok(format!("{SECRET}\nmore")),
            "EMPTY" => Ok(String::new()),
            "WEIGHT" => Ok("50".into()),
            _ => Err(VarError::NotPresent),
        }
    }

    fn file(&self, path: &Path) -> io::Result<Vec<u8>> {
        match path.to_str() {
            Some("/run/credentials/openai") => Ok(format!("{SECRET}\n").into_bytes()),
            _ => Err(io::Error::other("No such file or directory (os error 2)")),
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files
}

fn read(path: &Path) -> (String, String) {
    let name = path.strip_prefix(root()).unwrap().display().to_string();
    (name, std::fs::read_to_string(path).unwrap())
}

/// Asserts what is true of every report, whatever it is about.
fn check(report: &Report, text: &str) {
    let shown = format!("{report}\n{report:?}\n{}", report.to_json());
    assert!(!shown.contains(SECRET), "a secret is shown:\n{shown}");
    assert!(!shown.contains("literal-secret"), "a secret is shown:\n{shown}");
    for diagnostic in report.diagnostics() {
        let Some((line, column)) = diagnostic.location else { continue };
        let lines = text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count();
        assert!((1..=lines).contains(&line), "line {line} of {lines}:\n{report}");
        assert!((1..=text.chars().count() + 1).contains(&column), "column {column}:\n{report}");
    }
    let locations: Vec<_> = report.diagnostics().iter().map(|diagnostic| diagnostic.location).collect();
    assert!(locations.is_sorted(), "{locations:?}");
}

#[test]
fn broken_files_are_explained() {
    let mut seen = 0;
    for path in files("tests/broken") {
        let (name, text) = read(&path);
        let report = parse(&name, &text, &Fake).err().unwrap_or_else(|| panic!("{name} is accepted"));
        check(&report, &text);
        let case = path.file_stem().unwrap().to_str().unwrap().to_owned();
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(case, report.to_string());
        });
        seen += 1;
    }
    assert!(seen >= 26, "{seen}");
}

#[test]
fn a_secret_written_as_a_key_is_not_shown() {
    let key = "sk-literal-0f3a9c1b2d4e5f60718293a4b5c6";
    for vendor in ["openai", "aws-bedrock"] {
        for section in [
            "credential: { bearer KEY }",
            "credential: { bearer:KEY }",
            "credential: { KEY }",
            "credential: {\n bearer KEY,\n KEY: x }",
            "credential:\n            bearer KEY:\n            KEY: KEY\n            KEY: KEY",
            "credential:\n            bearer:KEY: a",
            "credential: { bearrer: KEY, key: KEY }",
            "credential: {\n          bearrer: KEY,\n          key: KEY }",
            "credential: ${KEY}",
            "credential: ${file:KEY}",
            "credential: ${file:/run/KEY}",
            "credential: { bearer: \"${KEY}\" }",
            "headers: { Authorization Bearer KEY }",
            "headers: { KEY: a, KEY: b }",
            "headers:\n            \"Authorization: Bearer KEY\":",
            "headers:\n            \"Authorization: Bearer KEY\": a\n            KEY: a\n            \"KEY\": \"a\\n\"",
            "headers: { x: \"${KEY}\" }",
            "\"bearer KEY\": a",
            "auth: KEY",
            "KEY: x",
            "key: { api: KEY }",
            "protocol: KEY",
        ] {
            let section = section.replace("KEY", key);
            let text = format!(
                "listeners: [{{ address: '127.0.0.1:0' }}]
vendors:
  own:
          {section}
apis:
  - name: A
    context: /a
    vendor: {vendor}
    endpoints:
      production:
        - name: E
          url: https://bedrock-runtime.us-east-1.amazonaws.com
          {section}
    operations: [{{ method: POST, path: /x }}]
"
            );
            let report = parse("test.yaml", &text, &Fake).expect_err(&section);
            let shown = format!("{report}\n{report:?}\n{}", report.to_json());
            assert!(!shown.contains("0f3a9c"), "{section}\n{report}\n{shown}");
            let places: Vec<_> = report.diagnostics().iter().filter_map(|it| it.location).collect();
            assert!(places.iter().any(|(line, _)| *line > 10), "{section}\n{report}");
        }
    }
}

#[test]
fn what_an_unknown_key_holds_is_not_shown() {
    for section in [
        "key: SECRET",
        "auth: SECRET",
        "access_key: SECRET",
        "pass: SECRET",
        "kay: \"${NOWHERE} SECRET\"",
        "conect_timeout: SECRET",
        "key: { a: SECRET, a: SECRET }",
        "credential: { key: SECRET }",
        "credential: {\n   key: SECRET }",
    ] {
        let section = section.replace("SECRET", "literal-secret");
        let block = section.replace('\n', "\n  ");
        let flow = section.replace('\n', " ");
        for text in [
            format!(
                "apis:\n- endpoints:\n   production:\n   - name: o\n     {}",
                section.replace('\n', "\n     ")
            ),
            format!("apis: [{{ endpoints: {{ production: [{{ name: o, {flow}, url: x, protocl: a }}] }} }}]"),
            format!("apis: [{{ endpoints: {{ production: {{ {flow}, url: x }} }} }}]"),
            format!("admin:\n  address: x\n  {block}"),
            format!("admin: {{ {flow}, address: x }}"),
            format!("vendors:\n  own:\n    credential:\n      {}", section.replace('\n', "\n      ")),
            format!("vendors: {{ own: {{ credential: {{ header: x, {flow} }}, formt: x }} }}"),
        ] {
            let report = parse("test.yaml", &text, &Fake).expect_err(&text);
            check(&report, &text);
        }
    }
    let text =
        "admin: { address: x, key: a }\napis: [{ endpoints: { production: [{ conect_timeout: 5s }] } }]";
    let report = parse("test.yaml", text, &Fake).unwrap_err().to_string();
    for shown in ["unknown key `key`", "unknown key `conect_timeout`", "did you mean `connect_timeout`?"] {
        assert!(report.contains(shown), "{report}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let none = evenkeel::config::load(&folder.path().join("none.yaml")).unwrap_err();
    assert!(none.to_string().starts_with("error: cannot read the file: No such file or directory"), "{none}");
    let binary = folder.path().join("binary.yaml");
    std::fs::write(&binary, b"apis: \xff").unwrap();
    let binary = evenkeel::config::load(&binary).unwrap_err();
    assert!(binary.to_string().contains("not UTF-8 text: the byte at 6 is wrong"), "{binary}");
}

/// A command that speaks to the process that serves cannot read what that one can.
#[test]
fn credentials_that_cannot_be_read_do_not_hide_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("evenkeel.yaml");
    let endpoint = |vendor: &str, credential: &str| {
        format!(
            "
  - name: {vendor}
    context: /{vendor}
    vendor: {vendor}
    endpoints:
      production: [{{ name: A, url: 'https://bedrock-runtime.us-east-1.amazonaws.com', credential: {credential} }}]
    operations: [{{ method: POST, path: /* }}]"
        )
    };
    let keys = "{ access_key_id: '${EVENKEEL_NOT_SET}', secret_access_key: '${file:/evenkeel/none}' }";
    let text = [
        "listeners: [{ address: '127.0.0.1:0' }]\nadmin: { address: '127.0.0.1:9999' }\napis:",
        &endpoint("aws-bedrock", keys),
        &endpoint("vertex-ai", "'${file:/evenkeel/none.json}'"),
    ];
    std::fs::write(&file, text.concat()).unwrap();
    let settings = evenkeel::config::load_settings(&file).unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(settings.admin.address.port(), 9999);
    assert!(evenkeel::config::load(&file).is_err());
}

#[test]
fn warnings_are_explained() {
    let mut shown = String::new();
    for path in files("tests/doubtful") {
        let (name, text) = read(&path);
        let loaded = parse(&name, &text, &Fake).unwrap_or_else(|report| panic!("{report}"));
        check(&loaded.warnings, &text);
        assert!(loaded.warnings.diagnostics().iter().all(|it| it.severity == Severity::Warning));
        shown.push_str(&format!("{}\n\n", loaded.warnings));
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("warnings", shown);
    });
}

fn load(text: &str) -> Loaded {
    parse("test.yaml", text, &Fake).unwrap_or_else(|report| panic!("{report}"))
}

#[test]
fn shipped_files_are_valid_and_raise_no_warning() {
    let shipped = [files("conf"), files("conf/examples")].concat();
    assert!(shipped.len() >= 3, "{shipped:?}");
    for path in shipped {
        let (name, text) = read(&path);
        let loaded = parse(&name, &text, &Fake).unwrap_or_else(|report| panic!("{report}"));
        assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
        assert!(!format!("{loaded:?}").contains(SECRET), "a credential is shown in the Debug form of {name}");
    }
}

#[test]
fn line_ends_and_a_byte_order_mark_change_nothing() {
    let (_, text) = read(&root().join("conf/evenkeel.yaml"));
    load(&format!("\u{feff}{text}"));
    load(&text.replace('\n', "\r\n"));
    let report = parse("a.yaml", "\u{feff}listners: []\r\napis: 1\r\n", &Fake).unwrap_err();
    let locations: Vec<_> = report.diagnostics().iter().map(|diagnostic| diagnostic.location).collect();
    assert_eq!(locations, [Some((1, 1)), Some((2, 7))]);
}

#[test]
fn the_complete_example_says_what_it_says() {
    let (_, text) = read(&root().join("conf/evenkeel.yaml"));
    let Loaded { settings, gateway, .. } = load(&text);
    let server = serde_json::to_value(&settings.server).unwrap();
    assert_eq!(server, serde_json::json!({ "threads": 2 }));
    assert_eq!(settings.listeners[0].address, "0.0.0.0:8080".parse().unwrap());
    assert_eq!(gateway.request_body_limit(), 20 * 1024 * 1024);

    let api = gateway.apis().iter().find(|api| api.name() == "SmartChat").unwrap();
    let pairs = api.operations()[0].pairs(Environment::Production).unwrap();
    let names: Vec<_> = pairs.iter().map(|pair| (pair.model.name(), pair.endpoint.name())).collect();
    let endpoint = "Default Production Endpoint";
    assert_eq!(names, [("gpt-4o", endpoint), ("gpt-4o-mini", endpoint)]);
    assert!(api.operations()[0].pairs(Environment::Sandbox).is_none());
    let endpoint = &pairs.pair(0).unwrap().endpoint;
    let Some(Credential::Header(_, credential)) = &endpoint.headers().credential else {
        panic!("no credential");
    };
    assert_eq!(credential, format!("Bearer {SECRET}").as_str());
}

#[test]
fn numbers_and_booleans_can_come_from_outside() {
    let text = r#"
server: { threads: "${THREADS:-3}", daemon: "${DAEMON:-false}", max_retries: "${WEIGHT}" }
listeners: [{ address: "127.0.0.1:${PORT:-8080}" }]
limits: { request_body: "${LIMIT:-1MiB}" }
apis:
  - name: A
    context: /a
    vendor: openai
    endpoints: { production: [{ name: p, url: "http://127.0.0.1:1", connect_timeout: "${TIMEOUT:-2}" }] }
    operations:
      - method: POST
        path: /x
        policy:
          type: "${TYPE:-model_weighted_round_robin}"
          production: [{ model: gpt-4o, weight: "${WEIGHT}" }]
"#;
    let loaded = load(text);
    let server = serde_json::to_value(&loaded.settings.server).unwrap();
    assert_eq!(server, serde_json::json!({ "threads": 3, "daemon": false, "max_retries": 50 }));
    assert_eq!(loaded.gateway.request_body_limit(), 1024 * 1024);
    let endpoint = loaded.gateway.endpoints().next().unwrap();
    assert_eq!(endpoint.timeouts().connect.as_secs(), 2);
}

#[test]
fn operations_of_an_api_share_the_health_of_a_pair() {
    use evenkeel::balance::{Finding, Outcome, PairSet, Pool, Tick};
    let text = r#"
listeners: [{ address: "127.0.0.1:0" }]
apis:
  - name: A
    context: /a
    vendor: openai
    endpoints: { production: [{ name: p, url: "http://127.0.0.1:1" }], sandbox: [{ name: p, url: "http://127.0.0.1:1" }] }
    operations:
      - method: POST
        path: /x
        policy: &policy
          type: model_round_robin
          production: [{ model: gpt-4o }, { model: gpt-4o-mini }]
          sandbox: [{ model: gpt-4o }, { model: gpt-4o-mini }]
          suspend_duration: 30
      - { method: POST, path: /y, policy: *policy }
"#;
    let loaded = load(text);
    let api = &loaded.gateway.apis()[0];
    let pool = |operation: usize, environment| api.operations()[operation].pairs(environment).unwrap().pool();
    let now = Tick::ORIGIN;
    let choose = |pool: &Pool| pool.choose(now, PairSet::EMPTY).unwrap();
    let judging = pool(0, Environment::Production);
    let failed = choose(judging);
    let finding = Finding { outcome: Outcome::Connect, vendor_delay: None, jitter: 0.0, poisoned: false };
    assert_eq!((failed.place, judging.report(failed, &finding, now)), (0, true));
    let other = pool(1, Environment::Production);
    assert_eq!([choose(other).place, choose(other).place], [1, 1]);
    assert_eq!(choose(pool(1, Environment::Sandbox)).place, 0);
}

#[test]
fn the_machine_form_has_the_same_in_json() {
    let report = parse("a.yaml", "vendors:\n  x: { modles: [] }\napis: 1\n", &Fake).unwrap_err();
    let expected = serde_json::json!({
        "file": "a.yaml",
        "omitted": 0,
        "diagnostics": [
            {
                "severity": "error", "path": "", "line": 1, "column": 1,
                "message": "the key `listeners` is missing here", "help": null,
            },
            {
                "severity": "error", "path": "vendors.x.modles", "line": 2, "column": 8,
                "message": "unknown key `modles`, expected one of extends, format, credential, headers, requests, mount, response, stream, limits, model_list, models", "help": "did you mean `models`?",
            },
            {
                "severity": "error", "path": "apis", "line": 3, "column": 7,
                "message": "expected a list, found the number 1",
                "help": "a list is written in brackets, `[…]`, or with `- ` before each item",
            },
        ],
    });
    assert_eq!(report.to_json(), expected);
}

/// Lines of a configuration, some of them broken, in any order and indentation.
fn yaml_like() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "listeners:",
        "- address: 127.0.0.1:0",
        "apis:",
        "- name: ${SECRET}",
        "policy:",
        "type: model_round_robin",
        "production: [{ model: ${SECRET} }]",
        "credential: literal-secret",
        "&a",
        "*a",
        "? [x]",
        ": y",
        "!tag z",
        "weight: -1",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        "|",
        ">",
        "---",
        "...",
        "\t",
        "é漢: ü",
        "${",
        "<<: *a",
        "# x",
        "",
    ]);
    let line = (0usize..5, words).prop_map(|(depth, word)| format!("{}{word}", "  ".repeat(depth)));
    prop::collection::vec(line, 0..25).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn no_text_makes_it_panic_or_tell_a_secret(text in prop_oneof![yaml_like(), ".{0,200}", "[ \\-:\\[\\]{}a&*!\n\r\t\"']{0,60}"]) {
        if let Err(report) = parse("any", &text, &Fake) {
            let shown = format!("{report}{report:?}{}", report.to_json());
            prop_assert!(!shown.contains(SECRET), "{}", shown);
            if !text.contains("literal-secret") {
                check(&report, &text);
            }
        }
    }

    #[test]
    fn no_change_of_the_example_makes_it_panic_or_tell_a_secret(
        at in any::<prop::sample::Index>(), length in 0usize..40, insert in "[ \\-:\\[\\]{}a1${}&*!\n\t\"'#,]{0,8}",
    ) {
        let (_, text) = read(&root().join("conf/evenkeel.yaml"));
        let begin = at.index(text.len());
        let begin = (0..=begin).rev().find(|&at| text.is_char_boundary(at)).unwrap();
        let end = (begin + length..).find(|&at| at >= text.len() || text.is_char_boundary(at)).unwrap().min(text.len());
        let changed = format!("{}{insert}{}", text.split_at(begin).0, text.split_at(end).1);
        match parse("changed", &changed, &Fake) {
            Ok(loaded) => check(&loaded.warnings, &changed),
            Err(report) => check(&report, &changed),
        }
    }
}
