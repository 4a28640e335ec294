//! Who is let in to the management API, and what of a request is accepted.

use crate::admin::{PATIENCE, audit, audit_of, file, request};
use crate::support::{Answer, Client, Gateway, Raw, Running, vendor};
use http::{Method, StatusCode};
use std::fs;
use std::time::{Duration, Instant};

const TOKEN: &str = "a-token-of-the-tests";
const RESUME: &str = "/api/v1/pairs/SmartChat/First/gpt-4o/resume";

async fn gateway(admin: &str) -> Running {
    let vendor = vendor().await;
    let text = file(vendor.address(), "authentication: none");
    Gateway::prepare_file(&format!("admin: {{ address: '127.0.0.1:0'{admin} }}\n{text}")).start()
}

/// Sends a request as it is, and reads the answer.
async fn raw(gateway: &Running, text: &str) -> Answer {
    let mut raw = Raw::connect(gateway.admin).await;
    raw.send(text).await;
    raw.answer().await
}

fn code(answer: &Answer) -> String {
    let body = answer.json();
    let members: Vec<_> = body["error"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["message", "code"], "{body}");
    assert_eq!(answer.header("content-type"), "application/json");
    body["error"]["code"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_sites_are_refused() {
    let gateway = gateway("").await;
    let port = gateway.admin.port();
    let table = [
        (format!("Host: 127.0.0.1:{port}"), 200),
        (format!("Host: localhost:{port}"), 200),
        (format!("Host: [::1]:{port}"), 200),
        (
            format!(
                "Host: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\nSec-Fetch-Site: same-origin"
            ),
            200,
        ),
        // A name of an attacker's that leads here: DNS rebinding.
        (format!("Host: evil.example:{port}"), 403),
        (format!("Host: evil.example:{port}\r\nOrigin: http://evil.example:{port}"), 403),
        (format!("Host: 127.0.0.1:{port}\r\nOrigin: http://evil.example"), 403),
        (format!("Host: 127.0.0.1:{port}\r\nOrigin: null"), 403),
        (format!("Host: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{}", port ^ 1), 403),
        (format!("Host: 127.0.0.1:{port}\r\nSec-Fetch-Site: cross-site"), 403),
        (format!("Host: 127.0.0.1:{port}\r\nSec-Fetch-Site: same-site"), 403),
    ];
    for (headers, status) in &table {
        let form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 0";
        let answer = raw(&gateway, &format!("POST {RESUME} HTTP/1.1\r\n{headers}\r\n{form}\r\n\r\n")).await;
        assert_eq!(answer.status.as_u16(), *status, "{headers}");
        // Health is for whoever asks.
        let answer = raw(&gateway, &format!("GET /readyz HTTP/1.1\r\n{headers}\r\n\r\n")).await;
        assert_eq!(answer.status, 200, "{headers}");
    }
    // What a browser asks before it sends a request across sites.
    let preflight = "Origin: http://evil.example\r\nAccess-Control-Request-Method: POST";
    let text = format!("OPTIONS {RESUME} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{preflight}\r\n\r\n");
    let answer = raw(&gateway, &text).await;
    assert!(
        answer.status == 403 && !answer.headers.contains_key("access-control-allow-origin"),
        "{answer:?}"
    );
    // A target with a host of its own.
    let mut raw = Raw::connect(gateway.admin).await;
    raw.send(format!("POST http://evil.example{RESUME} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n")).await;
    raw.finish().await;
    assert!(raw.rest().await.is_empty(), "it is answered");
    let lines = audit(gateway);
    let count = |start: &str| lines.iter().filter(|line| line.starts_with(start)).count();
    assert_eq!((count("resume "), count("refused POST ")), (4, 7), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_asked_for_where_the_file_sets_one() {
    let gateway = gateway(&format!(", token: {TOKEN}")).await;
    let mut client = Client::http1(gateway.admin).await;
    for (authorization, status) in [
        (None, 401),
        (Some("Bearer wrong".to_owned()), 401),
        (Some(format!("Basic {TOKEN}")), 401),
        (Some(format!("Bearer {TOKEN}x")), 401),
        (Some(format!("Bearer {TOKEN}")), 200),
    ] {
        for (method, path) in [
            (Method::GET, "/api/v1/status"),
            (Method::GET, "/api/v1/openapi.json"),
            (Method::GET, "/api/v1/keys"),
            (Method::POST, RESUME),
            (Method::POST, "/api/v1/reload"),
        ] {
            let mut request = request(method, path, "");
            if let Some(authorization) = &authorization {
                request.headers_mut().insert("authorization", authorization.parse().unwrap());
            }
            let answer = client.send(request).await;
            assert_eq!(answer.status.as_u16(), status, "{path} {authorization:?}");
            let challenge = if status == 401 { "Bearer realm=\"evenkeel admin\"" } else { "" };
            assert_eq!(answer.header("www-authenticate"), challenge);
        }
    }
    // Without a token nobody learns what is there.
    for path in ["/api/v1/nothing", "/api", "/api/"] {
        assert_eq!(client.send(request(Method::GET, path, "")).await.status, 401, "{path}");
    }
    for path in ["/livez", "/readyz"] {
        assert_eq!(client.send(request(Method::GET, path, "")).await.status, 200, "{path}");
    }
    let (_, _, log) = gateway.end("INT");
    let lines = audit_of(&log);
    assert!(lines[0].starts_with("refused GET /api/v1/status: give the file's `admin.token`"), "{lines:?}");
    assert!(!log.lines().any(|line| line.contains("audit") && line.contains(TOKEN)), "{log}");
}

/// A token that is changed is asked for from the reload on.
#[tokio::test(flavor = "multi_thread")]
async fn a_reload_changes_the_token() {
    let gateway = gateway(&format!(", token: {TOKEN}")).await;
    let configuration = gateway.prepared().file();
    let text = fs::read_to_string(&configuration).unwrap();
    fs::write(&configuration, text.replace(TOKEN, "another-token-of-the-tests")).unwrap();
    let mut client = Client::http1(gateway.admin).await;
    let mut status = async |token: &str, method, path: &str| {
        let mut request = request(method, path, "");
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        client.send(request).await.status.as_u16()
    };
    assert_eq!(status("another-token-of-the-tests", Method::POST, "/api/v1/reload").await, 401);
    assert_eq!(status(TOKEN, Method::POST, "/api/v1/reload").await, 200);
    assert_eq!(status(TOKEN, Method::GET, "/api/v1/status").await, 401);
    assert_eq!(status("another-token-of-the-tests", Method::GET, "/api/v1/status").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_are_taken_as_they_are_written() {
    let gateway = gateway("").await;
    let table = [
        ("POST", RESUME, 200, ""),
        ("POST", "/api/v1/pairs/Smart%43hat/%46irst/gpt%2D4o/resume", 200, ""),
        ("POST", "/api/v1/pairs/SmartChat/Second/org/mini/resume", 200, ""),
        ("POST", "/api/v1/pairs/SmartChat/Second/org%2Fmini/resume?x=1", 200, ""),
        ("POST", "/api/v1/pairs/SmartChat/Second%2Forg/mini/resume", 404, "pair_not_found"),
        ("POST", "/api/v1/pairs/SmartChat/First/../First/gpt-4o/resume", 404, "pair_not_found"),
        ("POST", "/api/v1/pairs/..%2F..%2Fetc/First/passwd/resume", 404, "api_not_found"),
        ("POST", "/api/v1/pairs/SmartChat/First/gpt-4o%00/resume", 404, "pair_not_found"),
        ("POST", "/api/v1/pairs/SmartChat/First/%ff/resume", 404, "not_found"),
        ("POST", "/api/v1/pairs/SmartChat/First//resume", 404, "not_found"),
        ("GET", RESUME, 405, "method_not_allowed"),
        ("GET", "/api/v1/../../etc/passwd", 404, "not_found"),
        ("GET", "/api/v1/status/", 404, "not_found"),
        ("GET", "/api/v1/status?pretty", 200, ""),
        ("GET", "//api/v1/status", 404, "not_found"),
        ("GET", "/%61pi/v1/status", 404, "not_found"),
        ("TRACE", "/api/v1/status", 405, "method_not_allowed"),
        ("BREW", "/livez", 405, "method_not_allowed"),
    ];
    for (method, path, status, expected) in table {
        let answer = raw(&gateway, &format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}");
        if !expected.is_empty() {
            assert_eq!(code(&answer), expected, "{method} {path}");
        }
        let allowed =
            if status == 405 { Some(if path == RESUME { "POST" } else { "GET, HEAD" }) } else { None };
        assert_eq!(
            answer.headers.get("allow").map(|allow| allow.to_str().unwrap()),
            allowed,
            "{method} {path}"
        );
    }
    let mut head = Raw::connect(gateway.admin).await;
    head.send("HEAD /api/v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await;
    let answer = head.header().await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
    assert!(answer.header("content-length").parse::<usize>().unwrap() > 100);
    // No body stands between the answers.
    head.send("GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await;
    assert_eq!(head.answer().await.body, "alive\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_bounded() {
    let gateway = gateway("").await;
    let head = format!("POST {RESUME} HTTP/1.1\r\nHost: 127.0.0.1\r\n");
    let padded = |length: usize| format!("{{{}}}", " ".repeat(length - 2));
    let whole = |body: &str| format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    let chunked = |body: &str| {
        format!("{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
    };
    for (text, status, expected) in [
        (whole(&padded(64 * 1024)), 200, ""),
        (chunked(&padded(64 * 1024)), 200, ""),
        (whole(&padded(64 * 1024 + 1)), 413, "request_too_large"),
        (chunked(&padded(64 * 1024 + 1)), 413, "request_too_large"),
        (whole(&padded(3_000_000)), 413, "request_too_large"),
        (chunked(&padded(3_000_000)), 413, "request_too_large"),
        // Nobody waits for what is announced.
        (format!("{head}Content-Length: 99999999999\r\n\r\n{{"), 413, "request_too_large"),
        (whole("{\"resaon\": 1}"), 400, "invalid_body"),
        (whole("[1]"), 400, "invalid_body"),
        (whole(&"[".repeat(60_000)), 400, "invalid_body"),
        (whole(&format!("{{\"environment\":{}", "[".repeat(60_000))), 400, "invalid_body"),
        (
            format!("{head}Content-Type: text/xml\r\nContent-Length: 2\r\n\r\n{{}}"),
            415,
            "unsupported_media_type",
        ),
    ] {
        let mut raw = Raw::connect(gateway.admin).await;
        raw.try_send(text.as_bytes()).await;
        let answer = raw.answer().await;
        let start: String = text.chars().take(120).collect();
        assert_eq!(answer.status.as_u16(), status, "{start}");
        if !expected.is_empty() {
            assert_eq!(code(&answer), expected, "{start}");
        }
    }
    let answer = raw(&gateway, &whole("{\"environmint\": 1}")).await;
    let message = answer.json()["error"]["message"].to_string();
    assert!(message.contains("unknown field `environmint`, expected `environment`"), "{message}");

    let mut curl = Raw::connect(gateway.admin).await;
    curl.send(format!("{head}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")).await;
    assert_eq!(curl.header().await.status, StatusCode::CONTINUE);
    curl.send("{}").await;
    assert_eq!(curl.answer().await.status, 200);
}

/// A body that does not come is not waited for, and holds nobody else up.
#[tokio::test(flavor = "multi_thread")]
async fn slow_bodies_are_given_up() {
    let gateway = gateway("").await;
    let start = Instant::now();
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut raw = Raw::connect(gateway.admin).await;
        raw.send(format!("POST {RESUME} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{{")).await;
        slow.push(raw);
    }
    let asked = Instant::now();
    let answer = Client::http1(gateway.admin).await.send(request(Method::GET, "/livez", "")).await;
    assert!(answer.status == 200 && asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
    for mut raw in slow {
        let answer = raw.answer().await;
        assert_eq!((answer.status.as_u16(), code(&answer).as_str()), (408, "request_timeout"));
        assert!(start.elapsed() >= Duration::from_secs(4) && start.elapsed() < PATIENCE);
        assert!(raw.rest().await.is_empty(), "the connection goes on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_text_of_a_client_forges_a_line() {
    let gateway = gateway("").await;
    let reason = r#"{"reason": "x\n[2026-01-01T00:00:00.000Z INFO ] audit: forged\u001b[2J"}"#;
    let mut client = Client::http1(gateway.admin).await;
    for path in ["SmartChat/First/gpt-4o/drain", "SmartChat/First/a%0a%5bINFO%5d%20audit:%20forged/drain"] {
        client.send(request(Method::POST, &format!("/api/v1/pairs/{path}"), reason)).await;
    }
    let (_, _, log) = gateway.end("INT");
    let forged: Vec<_> = log.lines().filter(|line| line.contains("forged")).collect();
    assert_eq!(forged.len(), 2, "{forged:?}");
    for line in &forged {
        assert!(line.contains("audit: drain AI API") || line.contains("audit: refused drain"), "{line}");
    }
    assert!(log.contains("x\\n[2026") && !log.contains('\u{1b}'), "{log}");
}
