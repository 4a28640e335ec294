//! What comes of every fault of a vendor: the table of `docs/faults.md`, held against the gateway row by row.
//!
//! Each row has an AI API with two pairs, of which the first is faulty and has the first turn, and one with the faulty
//! pair alone. All of them are served by one gateway.

use crate::faults_rows::{IN_TURN, ONLY_SECOND, Row, Seen, VENDORS_WORDS, groups};
use crate::faults_sites::Site;
use crate::support::{Client, Gateway, Running, hold_document, post, vendor};
use http::HeaderMap;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::timeout;

/// Far more than an answer needs on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);
const BEGIN: &str = "<!-- The tables are made by tests/integration/faults.rs. -->\n";

/// The two AI APIs of a row: `pairs-N` and `alone-N`.
fn apis(number: usize, row: &Row, first: &str, second: SocketAddr) -> String {
    let separator = if row.endpoint.is_empty() { "" } else { ", " };
    let separator_of_policy = if row.policy.is_empty() { "" } else { ", " };
    let api = |kind: &str, pairs: &str| {
        format!(
            "
  - name: {kind}-{number}
    context: /{kind}-{number}
    vendor: openai
    authentication: none
    endpoints:
      production:
        - {{ name: First, url: '{first}'{separator}{} }}
        - {{ name: Second, url: 'http://{second}/v1' }}
    operations:
      - method: POST
        path: /chat/completions
        policy: {{ type: model_round_robin, production: [{pairs}], suspend_duration: 30{separator_of_policy}{} }}",
            row.endpoint, row.policy
        )
    };
    let first = "{ model: gpt-4o, endpoint: First }";
    let second = "{ model: gpt-4o-mini, endpoint: Second }";
    api("pairs", &format!("{first}, {second}")) + &api("alone", first)
}

/// What a client got.
struct Got {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
    whole: bool,
}

/// What the clients of a run speak.
#[derive(Clone, Copy)]
enum Speaks {
    Http1,
    Http2,
}

impl Speaks {
    async fn connect(self, address: SocketAddr) -> Client {
        match self {
            Self::Http1 => Client::http1(address).await,
            Self::Http2 => Client::http2(address).await,
        }
    }
}

async fn ask(mut client: Client, api: &str, id: &str, streamed: bool) -> Got {
    let body = json!({ "stream": streamed, "model": "any", "messages": [] });
    let mut request = post(&format!("/{api}/chat/completions"), None, body.to_string());
    request.headers_mut().insert("x-request-id", id.parse().unwrap());
    let whole_answer = async {
        let (parts, mut stream) = client.begin(request).await.into_parts();
        let mut got =
            Got { status: parts.status.as_u16(), headers: parts.headers, body: Vec::new(), whole: true };
        while let Some(frame) = stream.frame().await {
            match frame {
                Ok(frame) => got.body.extend_from_slice(&frame.into_data().unwrap_or_default()),
                // Over HTTP/2 the error would come again and again.
                Err(_) => {
                    got.whole = false;
                    break;
                }
            }
        }
        got
    };
    timeout(PATIENCE, whole_answer).await.unwrap_or_else(|_| panic!("{id}: no answer, or one without an end"))
}

/// The answers to the requests of a row, by their ids.
async fn play(
    gateway: &Running,
    speaks: Speaks,
    number: usize,
    row: &Row,
    site: &Site,
) -> HashMap<String, Got> {
    let mut answers = HashMap::new();
    site.switch();
    for (kind, requests) in [("pairs", 3), ("alone", 2)] {
        for request in 1..=requests {
            let api = format!("{kind}-{number}");
            let id = format!("{api}-{request}");
            let client = speaks.connect(gateway.address()).await;
            let got = ask(client, &api, &id, row.streamed).await;
            answers.insert(id, got);
        }
    }
    answers
}

/// What the gateway has said of its requests.
struct Told {
    /// The lines of the access log by the request's id.
    access: HashMap<String, Value>,
    /// The process's log.
    log: String,
}

impl Told {
    fn tries(&self, id: &str) -> String {
        let attempts = self.access[id]["attempts"].as_str().unwrap_or("none");
        attempts.replace("gpt-4o@", "").replace("gpt-4o-mini@", "")
    }

    /// `First: `500`, 30 s` for every suspension that the log tells of, `no` for none.
    fn suspensions(&self, api: &str) -> String {
        let start = format!("AI API `{api}`: ");
        let lines = self.log.lines().filter_map(|line| Some(line.split_once(&start)?.1));
        let suspensions = lines.map(|line| {
            let (pair, rest) = line.split_once(" is suspended for ").unwrap_or_else(|| panic!("{line}"));
            let (length, reason) = rest.rsplit_once(": ").unwrap();
            let endpoint = pair.split_once(" on ").unwrap().1.trim_matches('`');
            let seconds = humantime::parse_duration(length).unwrap().as_secs_f64();
            // A time of day is told in whole seconds, and a little has passed since.
            let rounded = 10.0 * (seconds / 10.0).round();
            assert!((seconds - rounded).abs() < 3.0, "{line}");
            format!("{endpoint}: `{reason}`, {rounded} s")
        });
        let all = suspensions.collect::<Vec<_>>().join("; ");
        if all.is_empty() { "no".to_owned() } else { all }
    }

    /// What the client saw, and that what it saw is right in itself.
    fn client(&self, id: &str, got: &Got, streamed: bool) -> String {
        if let Some(code) = self.access[id]["error"].as_str() {
            assert!(got.whole && String::from_utf8_lossy(&got.body).contains(code), "{id}");
            return format!("{} `{code}`", got.status);
        }
        let endpoint = got.headers["x-evenkeel-endpoint"].to_str().unwrap();
        let body = String::from_utf8_lossy(&got.body);
        let end = match () {
            () if !got.whole => ", broken off",
            () if streamed && body.contains("\"error\"") => ", with its error event",
            () => "",
        };
        if end.is_empty() {
            assert_eq!(
                got.headers["x-evenkeel-attempts"],
                self.access[id]["attempts"].as_str().unwrap(),
                "{id}"
            );
            match got.status {
                200 => assert_unmixed(id, &body, endpoint, streamed),
                _ => assert_eq!(body, VENDORS_WORDS, "{id}"),
            }
        }
        format!("{} from {endpoint}{end}", got.status)
    }

    fn next(&self, api: &str) -> String {
        let tries = [2, 3].map(|request| self.tries(&format!("{api}-{request}")));
        match [tries[0].as_str(), tries[1].as_str()] {
            ["Second=200", "Second=200"] => ONLY_SECOND.to_owned(),
            ["Second=200", first] if first.starts_with("First=") => IN_TURN.to_owned(),
            other => other.join(" / "),
        }
    }
}

/// A good answer is the one vendor's from its beginning to its end.
fn assert_unmixed(id: &str, body: &str, endpoint: &str, streamed: bool) {
    let (model, other) = match endpoint {
        "First" => ("\"gpt-4o\"", "\"gpt-4o-mini\""),
        _ => ("\"gpt-4o-mini\"", "\"gpt-4o\""),
    };
    assert!(body.contains(model) && !body.contains(other), "{id}: {body}");
    if streamed {
        assert!(body.starts_with("data: {\"id\"") && body.ends_with("data: [DONE]\n\n"), "{id}: {body}");
        assert_eq!(body.matches("\"role\":\"assistant\"").count(), 1, "{id}: {body}");
    }
}

fn seen(number: usize, row: &Row, answers: &HashMap<String, Got>, told: &Told) -> Seen {
    let (pairs, alone) = (format!("pairs-{number}"), format!("alone-{number}"));
    let client = |id: &str| told.client(id, &answers[id], row.streamed);
    let suspended = told.suspensions(&pairs);
    let first = &format!("{pairs}-1");
    let noted = told.access[first]["suspended"].as_bool().unwrap_or_default();
    assert_eq!(noted, suspended != "no", "{}: the access log", row.fault);
    // With no other pair, the fault is the same, and so is what is thought of it.
    assert_eq!(told.suspensions(&alone), suspended, "{}: alone", row.fault);
    let again = client(&format!("{alone}-2"));
    match suspended.as_str() {
        "no" => assert_eq!(again, client(&format!("{alone}-1")), "{}", row.fault),
        _ => assert_eq!(again, "503 `no_active_endpoints`", "{}", row.fault),
    }
    Seen {
        client: client(first),
        tries: told.tries(first),
        suspended,
        next: told.next(&pairs),
        alone: client(&format!("{alone}-1")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_comes_to_what_the_table_says() {
    hold_to_the_table(Speaks::Http1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_comes_to_the_same_for_a_client_of_http2() {
    hold_to_the_table(Speaks::Http2).await;
}

async fn hold_to_the_table(speaks: Speaks) {
    let rows: Vec<Row> = groups().into_iter().flat_map(|(_, rows)| rows).collect();
    let second = vendor().await;
    let (mut sites, mut file) = (Vec::new(), String::new());
    for (number, row) in rows.iter().enumerate() {
        let site = Site::open(&row.place).await;
        file += &apis(number, row, &site.url, second.address());
        sites.push(site);
    }
    // One of the rows has the header of another vendor.
    let resets = "x-ratelimit-reset-requests, x-ratelimit-reset-tokens, anthropic-ratelimit-tokens-reset";
    file += &format!("\nvendors: {{ openai: {{ limits: {{ reset: [{resets}] }} }} }}\n");
    let gateway = Gateway::start(&file);
    let mut answers = HashMap::new();
    for (number, (row, site)) in rows.iter().zip(&sites).enumerate() {
        answers.extend(play(&gateway, speaks, number, row, site).await);
    }
    let (_, access, log) = gateway.end("TERM");
    let access = access.iter().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        (line["request_id"].as_str().unwrap().to_owned(), line)
    });
    let told = Told { access: access.collect(), log };
    let mut wrong = String::new();
    for (number, row) in rows.iter().enumerate() {
        let seen = seen(number, row, &answers, &told);
        if seen != row.expected {
            let _ = write!(
                wrong,
                "\n{}, stream: {}\n{:#?}\nbut {seen:#?}",
                row.fault, row.streamed, row.expected
            );
        }
    }
    assert!(wrong.is_empty(), "the table promises otherwise:{wrong}");
}

/// The tables as the document has them.
fn tables() -> String {
    let mut text = BEGIN.to_owned();
    for (heading, rows) in groups() {
        let _ = write!(text, "\n### {heading}\n\n");
        text += "| fault | the client sees | tries | suspended | next requests | with no other pair |\n";
        text += "|---|---|---|---|---|---|\n";
        for Row { fault, expected, .. } in rows {
            let Seen { client, tries, suspended, next, alone } = expected;
            let _ = writeln!(text, "| {fault} | {client} | `{tries}` | {suspended} | {next} | {alone} |");
        }
    }
    text
}

#[test]
fn the_document_has_the_table() {
    hold_document("faults", BEGIN, None, &tables());
}
