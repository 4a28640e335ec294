//! The fault table as data: what goes wrong, and what is to come of it.

use crate::faults_sites::Place;
use crate::support::Step::{self, Hang, Pause, Read, Reset, Send};
use evenkeel::mock::{Dialect, Fault};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::time::{Duration, SystemTime};

/// The body of a status that the faulty vendor answers with.
pub const VENDORS_WORDS: &str = r#"{"error":{"message":"Ours.","type":"t","param":"p","code":"c"}}"#;

/// The head of a good answer in chunks, and of a stream.
const CHUNKED: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
const EVENTS: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
/// A chunk with one event of content.
const EVENT: &str = "16\r\ndata: {\"choices\":[]}\n\n\r\n";
/// A chunk with a comment, as some vendors send while they think.
const COMMENT: &str = "8\r\n: ping\n\n\r\n";
/// Long enough for the gateway to have taken in what was sent.
const BREATH: Step = Pause(Duration::from_millis(100));

const UNREACHABLE: &str = "502 `upstream_unreachable`";
const TIMED_OUT: &str = "504 `upstream_timeout`";
/// Second alone serves, in each of its turns and First's.
pub const ONLY_SECOND: &str = "Second serves, First is not tried";
/// Nothing is remembered.
pub const IN_TURN: &str = "First and Second take turns";

/// One fault, and what is to come of it.
pub struct Row {
    /// As the document names it.
    pub fault: &'static str,
    /// What the faulty endpoint's URL leads to.
    pub place: Place,
    /// Whether a stream is asked for.
    pub streamed: bool,
    /// Settings of the faulty endpoint.
    pub endpoint: &'static str,
    /// Settings of the policy.
    pub policy: &'static str,
    /// What is to come of it.
    pub expected: Seen,
}

/// What came of a fault, each as the document says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What the client got.
    pub client: String,
    /// The tries of its request.
    pub tries: String,
    /// Which pairs were suspended, for what and how long.
    pub suspended: String,
    /// What the next two requests did.
    pub next: String,
    /// What the client gets if there is no other pair.
    pub alone: String,
}

impl Row {
    fn streamed(self) -> Self {
        Self { streamed: true, ..self }
    }

    fn endpoint(self, endpoint: &'static str) -> Self {
        Self { endpoint, ..self }
    }

    fn policy(self, policy: &'static str) -> Self {
        Self { policy, ..self }
    }

    /// With the rest of a suspension's text, such as a longer time.
    fn suspended(mut self, suspended: &str) -> Self {
        self.expected.suspended = suspended.to_owned();
        self
    }
}

/// The groups of the table, each with its heading.
pub fn groups() -> Vec<(&'static str, Vec<Row>)> {
    vec![
        ("No connection", no_connection()),
        ("No response", no_response()),
        ("A status", statuses()),
        ("How long a status suspends for", delays()),
        ("A whole response", whole_responses()),
        ("A stream, before its first event", streams_before_content()),
        ("A stream, after its first event", streams_within_content()),
    ]
}

fn no_connection() -> Vec<Row> {
    vec![
        saved("connection refused", Place::Closed, "connect", UNREACHABLE),
        saved("connection hangs until `connect_timeout`", Place::FullQueue, "timeout", TIMED_OUT)
            .endpoint("connect_timeout: 150ms"),
        saved("TLS handshake fails: the vendor speaks none", Place::NoTls, "connect", UNREACHABLE),
        saved("certificate not to be trusted", Place::Untrusted, "connect", UNREACHABLE),
        saved("host name cannot be resolved", Place::NoName, "connect", UNREACHABLE),
    ]
}

fn no_response() -> Vec<Row> {
    let raw = |steps: &[Step]| Place::Raw(steps.to_vec());
    vec![
        saved("connection closed", Place::Mock(|| Fault::CloseBeforeHeaders), "connect", UNREACHABLE),
        saved("connection reset", raw(&[Read, Reset]), "connect", UNREACHABLE),
        saved("stream reset, over HTTP/2", Place::Mock(|| Fault::CloseBeforeHeaders), "connect", UNREACHABLE)
            .endpoint("protocol: http2"),
        saved(
            "closed within the header",
            raw(&[Read, Send("HTTP/1.1 200 OK\r\nContent-Ty")]),
            "connect",
            UNREACHABLE,
        ),
        saved(
            "no HTTP at all",
            raw(&[Read, Send("SSH-2.0-OpenSSH_9.9\r\n\r\n"), Hang]),
            "connect",
            UNREACHABLE,
        ),
        saved("silence until `first_byte_timeout`", Place::Mock(|| Fault::Hang), "timeout", TIMED_OUT)
            .endpoint("first_byte_timeout: 150ms"),
        saved("the same, over HTTP/2", Place::Mock(|| Fault::Hang), "timeout", TIMED_OUT)
            .endpoint("first_byte_timeout: 150ms, protocol: http2"),
    ]
}

fn statuses() -> Vec<Row> {
    let status = |fault| Place::Mock(fault);
    vec![
        saved("500", status(|| failing(500, &[])), "500", "500 from First"),
        saved("503", status(|| failing(503, &[])), "503", "503 from First"),
        saved("529, overloaded", status(|| failing(529, &[])), "529", "529 from First"),
        saved("429", status(|| failing(429, &[])), "429", "429 from First"),
        saved("408", status(|| failing(408, &[])), "408", "408 from First"),
        passed_on("401", status(|| failing(401, &[])), "401", "401 from First"),
        unremarkable("400", status(|| failing(400, &[])), "400", "400 from First"),
        unremarkable("404", status(|| failing(404, &[])), "404", "404 from First"),
        saved(
            "500 whose body does not end",
            Place::Raw(vec![Read, Send("HTTP/1.1 500 Oh\r\nContent-Length: 9\r\n\r\n{"), Hang]),
            "500",
            "500 from First, broken off",
        )
        .endpoint("idle_timeout: 150ms"),
    ]
}

fn delays() -> Vec<Row> {
    let limited = |fault: &'static str, made, suspended: &str| {
        saved(fault, Place::Mock(made), "429", "429 from First").suspended(suspended)
    };
    vec![
        limited("429, `Retry-After: 120`", || failing(429, &[("retry-after", "120")]), "First: `429`, 120 s"),
        limited("429, `Retry-After: 5`", || failing(429, &[("retry-after", "5")]), "First: `429`, 30 s"),
        limited(
            "429, `Retry-After` with a date in two minutes",
            || failing(429, &[("retry-after", &httpdate::fmt_http_date(in_two_minutes()))]),
            "First: `429`, 120 s",
        ),
        limited(
            "429, `Retry-After: 86400`",
            || failing(429, &[("retry-after", "86400")]),
            "First: `429`, 3600 s",
        ),
        limited(
            "429, `Retry-After: soon`",
            || failing(429, &[("retry-after", "soon")]),
            "First: `429`, 30 s",
        ),
        limited(
            "429, `retry-after-ms: 60000`",
            || failing(429, &[("retry-after-ms", "60000")]),
            "First: `429`, 60 s",
        ),
        limited(
            "429, `x-ratelimit-reset-requests: 6m0s`",
            || failing(429, &[("x-ratelimit-reset-requests", "6m0s"), ("retry-after", "1")]),
            "First: `429`, 360 s",
        ),
        limited(
            "429, `anthropic-ratelimit-tokens-reset` in two minutes",
            || {
                let moment = humantime::format_rfc3339_seconds(in_two_minutes()).to_string();
                failing(429, &[("anthropic-ratelimit-tokens-reset", &moment)])
            },
            "First: `429`, 120 s",
        ),
        saved(
            "503, `Retry-After: 60`",
            Place::Mock(|| failing(503, &[("retry-after", "60")])),
            "503",
            "503 from First",
        )
        .suspended("First: `503`, 60 s"),
    ]
}

fn whole_responses() -> Vec<Row> {
    let broken = "200 from First, broken off";
    let exhausted = || {
        let headers = [("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "1m30s")];
        Fault::Headers(headers_of(&headers))
    };
    vec![
        broken_off("closed after the header", Place::Mock(|| Fault::CloseAfterHeaders), "stream"),
        broken_off("reset after the header", Place::Raw(vec![Read, Send(CHUNKED), BREATH, Reset]), "stream"),
        broken_off("closed before the last chunk", Place::Mock(|| Fault::CloseMidStream(1)), "stream"),
        broken_off(
            "stream reset within the body, over HTTP/2",
            Place::Mock(|| Fault::CloseMidStream(1)),
            "stream",
        )
        .endpoint("protocol: http2"),
        broken_off(
            "closed before its `Content-Length`",
            Place::Raw(vec![Read, Send("HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{\"id\":")]),
            "stream",
        ),
        Row {
            expected: Seen {
                alone: broken.to_owned(),
                ..passed("First=timeout", broken, "First: `timeout`, 30 s")
            },
            ..broken_off(
                "a pause longer than `idle_timeout`",
                Place::Mock(|| Fault::StallMidStream),
                "timeout",
            )
        }
        .endpoint("idle_timeout: 150ms"),
        unremarkable(
            "slow, its pauses shorter than `idle_timeout`",
            Place::Mock(|| Fault::Drip(Duration::from_millis(20))),
            "200",
            "200 from First",
        )
        .endpoint("idle_timeout: 2s"),
        passed_on("good, no tokens left, reset in 90 s", Place::Mock(exhausted), "quota", "200 from First")
            .suspended("First: `quota`, 90 s"),
    ]
}

fn streams_before_content() -> Vec<Row> {
    let error_first = || Fault::ErrorEvent { dialect: Dialect::OpenAi, after: 0 };
    let with_error = "200 from First, with its error event";
    let broken = "200 from First, broken off";
    let commit = "commit: headers";
    let rows = vec![
        saved("error event of OpenAI's form", Place::Mock(error_first), "stream", with_error),
        saved(
            "error event of Anthropic's form",
            Place::Mock(|| Fault::ErrorEvent { dialect: Dialect::Anthropic, after: 0 }),
            "stream",
            with_error,
        ),
        saved("closed after the header", Place::Mock(|| Fault::CloseAfterHeaders), "stream", UNREACHABLE),
        saved(
            "reset after the header",
            Place::Raw(vec![Read, Send(EVENTS), BREATH, Reset]),
            "stream",
            UNREACHABLE,
        ),
        saved("stream reset, over HTTP/2", Place::Mock(|| Fault::CloseAfterHeaders), "stream", UNREACHABLE)
            .endpoint("protocol: http2"),
        saved(
            "a pause longer than `idle_timeout`",
            Place::Mock(|| Fault::StallAfterHeaders),
            "timeout",
            TIMED_OUT,
        )
        .endpoint("idle_timeout: 150ms"),
        passed_on("`commit: headers`: error event", Place::Mock(error_first), "stream", with_error)
            .policy(commit),
        passed_on(
            "`commit: headers`: closed after the header",
            Place::Mock(|| Fault::CloseAfterHeaders),
            "stream",
            broken,
        )
        .policy(commit),
    ];
    rows.into_iter().map(Row::streamed).collect()
}

fn streams_within_content() -> Vec<Row> {
    let with_error = "200 from First, with its error event";
    let exhausted = || Fault::Headers(headers_of(&[("x-ratelimit-remaining-tokens", "0")]));
    let rows = vec![
        passed_on(
            "error event of OpenAI's form",
            Place::Mock(|| Fault::ErrorEvent { dialect: Dialect::OpenAi, after: 3 }),
            "stream",
            with_error,
        ),
        passed_on(
            "error event of Anthropic's form",
            Place::Mock(|| Fault::ErrorEvent { dialect: Dialect::Anthropic, after: 3 }),
            "stream",
            with_error,
        ),
        broken_off("closed before the last chunk", Place::Mock(|| Fault::CloseMidStream(3)), "stream"),
        broken_off(
            "closed after a comment, which is content enough",
            Place::Raw(vec![Read, Send(EVENTS), Send(COMMENT), BREATH]),
            "stream",
        ),
        broken_off("reset", Place::Raw(vec![Read, Send(EVENTS), Send(EVENT), BREATH, Reset]), "stream"),
        broken_off("stream reset, over HTTP/2", Place::Mock(|| Fault::CloseMidStream(3)), "stream")
            .endpoint("protocol: http2"),
        broken_off("a pause longer than `idle_timeout`", Place::Mock(|| Fault::StallMidStream), "timeout")
            .endpoint("idle_timeout: 150ms"),
        unremarkable(
            "slow, its pauses shorter than `idle_timeout`",
            Place::Mock(|| Fault::Drip(Duration::from_millis(20))),
            "200",
            "200 from First",
        )
        .endpoint("idle_timeout: 2s"),
        passed_on("good, no tokens left", Place::Mock(exhausted), "quota", "200 from First"),
    ];
    rows.into_iter().map(Row::streamed).collect()
}

/// Another pair serves, and the client sees nothing of it.
fn saved(fault: &'static str, place: Place, reason: &str, alone: &str) -> Row {
    let expected = Seen {
        client: "200 from Second".to_owned(),
        tries: format!("First={reason}, Second=200"),
        suspended: format!("First: `{reason}`, 30 s"),
        next: ONLY_SECOND.to_owned(),
        alone: alone.to_owned(),
    };
    Row { fault, place, streamed: false, endpoint: "", policy: "", expected }
}

/// The client gets what First sent, and the pair is suspended for it.
fn passed_on(fault: &'static str, place: Place, reason: &str, client: &str) -> Row {
    let outcome = if reason == "quota" { "200" } else { reason };
    let suspended = format!("First: `{reason}`, 30 s");
    let row = saved(fault, place, reason, client);
    Row { expected: passed(&format!("First={outcome}"), client, &suspended), ..row }
}

/// The client has a part of the response when the rest fails to come.
fn broken_off(fault: &'static str, place: Place, reason: &str) -> Row {
    passed_on(fault, place, reason, "200 from First, broken off")
}

/// The client gets what First sent, and nothing is thought of it.
fn unremarkable(fault: &'static str, place: Place, outcome: &str, client: &str) -> Row {
    let expected = Seen { next: IN_TURN.to_owned(), ..passed(&format!("First={outcome}"), client, "no") };
    Row { expected, ..saved(fault, place, outcome, client) }
}

fn passed(tries: &str, client: &str, suspended: &str) -> Seen {
    Seen {
        client: client.to_owned(),
        tries: tries.to_owned(),
        suspended: suspended.to_owned(),
        next: ONLY_SECOND.to_owned(),
        alone: client.to_owned(),
    }
}

fn failing(status: u16, headers: &[(&'static str, &str)]) -> Fault {
    let status = StatusCode::from_u16(status).unwrap();
    Fault::Status { status, headers: headers_of(headers), body: Some(VENDORS_WORDS.into()) }
}

fn headers_of(list: &[(&'static str, &str)]) -> HeaderMap {
    let header = |&(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
    };
    list.iter().map(header).collect()
}

fn in_two_minutes() -> SystemTime {
    SystemTime::now() + Duration::from_secs(120)
}
