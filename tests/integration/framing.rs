//! Requests that are not HTTP as it should be, and what becomes of the connection after a refusal.

use crate::support::{Client, Gateway, Prepared, Raw, chat, post, vendor};
use std::net::SocketAddr;

const PATH: &str = "/smartchat/chat/completions";
const REFUSED_PATH: &str = "/nowhere/chat/completions";

fn gateway(vendor: SocketAddr) -> Prepared {
    Gateway::prepare(&format!(
        "
  - name: SmartChat
    context: /smartchat
    vendor: openai
    authentication: none
    endpoints:
      production: [{{ name: Primary, url: 'http://{vendor}/v1' }}]
    operations:
      - method: POST
        path: /chat/completions
        policy: {{ type: model_round_robin, production: [{{ model: gpt-4o }}] }}
      - {{ method: GET, path: /models }}
"
    ))
}

fn post_with(path: &str, headers: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: g\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len())
}

/// The connection goes on to serve.
async fn assert_serves(client: &mut Raw, what: &str) {
    client.send(post_with(PATH, "", &chat("any"))).await;
    let answer = client.answer().await;
    assert_eq!(answer.status, 200, "{what}: {answer:?}");
    assert_eq!(answer.json()["model"], "gpt-4o", "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_readers_may_read_differently_is_refused() {
    let vendor = vendor().await;
    let gateway = gateway(vendor.address()).start();
    let length = chat("any").len();
    for (what, header) in [
        ("no Host", format!("POST {PATH} HTTP/1.1\r\nContent-Length: {length}\r\n\r\n")),
        ("bare LF", format!("POST {PATH} HTTP/1.1\nHost: g\nContent-Length: {length}\n\n")),
        ("one bare LF", format!("POST {PATH} HTTP/1.1\r\nHost: g\nContent-Length: {length}\r\n\r\n")),
    ] {
        let mut client = Raw::connect(gateway.address()).await;
        client.send(format!("{header}{}", chat("any"))).await;
        let answer = client.answer().await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "bad_request"), "{what}");
        assert_eq!(answer.header("content-type"), "application/json", "{what}");
        assert_eq!(answer.header("x-request-id").len(), 32, "{what}");
    }
    assert!(vendor.requests().is_empty());
    // A coding beneath the chunks: it would be lost on the way.
    for codings in
        ["Transfer-Encoding: gzip, chunked", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"]
    {
        for path in [PATH, REFUSED_PATH] {
            let mut client = Raw::connect(gateway.address()).await;
            let chunks = format!("{length:x}\r\n{}\r\n0\r\n\r\n", chat("any"));
            client.send(format!("POST {path} HTTP/1.1\r\nHost: g\r\n{codings}\r\n\r\n{chunks}")).await;
            let answer = client.answer().await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "bad_request"), "{codings}");
            assert_serves(&mut client, codings).await;
        }
    }
    assert!(vendor.requests().iter().all(|request| request.header("transfer-encoding").is_none()));
}

/// A request whose length or host can be read in two ways never becomes two requests.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_not_smuggled_in_another() {
    let vendor = vendor().await;
    let gateway = gateway(vendor.address()).start();
    let hidden = "GET /smartchat/models HTTP/1.1\r\nHost: g\r\nx-hidden: 1\r\n\r\n";
    for headers in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Content-Length: -1\r\n",
        "Host: another\r\nContent-Length: 5\r\n",
        "Content-Length: 5x\r\n",
    ] {
        let mut client = Raw::connect(gateway.address()).await;
        client.send(format!("POST {PATH} HTTP/1.1\r\nHost: g\r\n{headers}\r\n0\r\n\r\n{hidden}")).await;
        let answer = client.header().await;
        assert_eq!(answer.status, 400, "{headers}: {answer:?}");
        client.finish().await;
        let rest = String::from_utf8_lossy(&client.rest().await).into_owned();
        assert!(!rest.contains("HTTP/1.1"), "{headers}: a second answer: {rest}");
    }
    assert!(vendor.requests().iter().all(|request| request.header("x-hidden").is_none()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connection_outlives_a_refusal() {
    let vendor = vendor().await;
    let gateway = gateway(vendor.address()).start();
    let mut client = Raw::connect(gateway.address()).await;
    for (what, refused, status) in [
        ("no body", post_with(REFUSED_PATH, "", ""), 404),
        ("unread body", post_with(REFUSED_PATH, "", &chat("any")), 404),
        ("large unread body", post_with(REFUSED_PATH, "", &"x".repeat(300_000)), 404),
        (
            "unread chunks",
            format!(
                "POST {REFUSED_PATH} HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
            ),
            404,
        ),
        ("read body", post_with(PATH, "", "[]"), 400),
        ("compressed body", post_with(PATH, "Content-Encoding: br\r\n", "xyz"), 415),
    ] {
        client.send(&refused).await;
        let answer = client.answer().await;
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        answer.code();
        assert_serves(&mut client, what).await;
    }
}

/// More than the windows of HTTP/2 hold, so that the client is still sending when it is refused.
#[tokio::test(flavor = "multi_thread")]
async fn the_connection_outlives_a_refusal_over_http2() {
    let vendor = vendor().await;
    let gateway = gateway(vendor.address()).start();
    let mut client = Client::http2(gateway.address()).await;
    for _ in 0..20 {
        let answer = client.send(post(REFUSED_PATH, None, vec![b'x'; 300_000])).await;
        answer.assert_refused(404, "api_not_found");
    }
    assert_eq!(client.send(post(PATH, None, chat("any"))).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn http_1_0_is_served_and_closed() {
    let vendor = vendor().await;
    let gateway = gateway(vendor.address()).start();
    let mut client = Raw::connect(gateway.address()).await;
    let body = chat("any");
    client.send(format!("POST {PATH} HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len())).await;
    let answer = client.answer().await;
    assert_eq!((answer.status.as_u16(), answer.json()["model"].as_str()), (200, Some("gpt-4o")));
    assert!(client.rest().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_told_to_go_on_only_if_its_body_is_wanted() {
    let vendor = vendor().await;
    let gateway = gateway(vendor.address()).start();
    let body = chat("any");
    let header = |path: &str| {
        let length = body.len();
        format!("POST {path} HTTP/1.1\r\nHost: g\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n")
    };
    let mut client = Raw::connect(gateway.address()).await;
    client.send(header(PATH)).await;
    assert_eq!(client.header().await.status, 100);
    client.send(&body).await;
    assert_eq!(client.answer().await.status, 200);
    assert!(vendor.requests()[0].header("expect").is_none());

    client.send(header(REFUSED_PATH)).await;
    let answer = client.answer().await;
    assert_eq!((answer.status.as_u16(), answer.header("connection")), (404, "close"));
    assert!(client.rest().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn head_gets_no_body() {
    let vendor = vendor().await;
    let gateway = gateway(vendor.address()).start();
    let mut client = Raw::connect(gateway.address()).await;
    for (path, status) in [(REFUSED_PATH, 404), (PATH, 405)] {
        client.send(format!("HEAD {path} HTTP/1.1\r\nHost: g\r\n\r\n")).await;
        let answer = client.header().await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("content-type"), "application/json");
        // Were there a body, it would be read as the next answer's status line.
        assert_serves(&mut client, path).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_does_not_harm_the_server() {
    let vendor = vendor().await;
    let gateway = gateway(vendor.address()).start();
    let long = "x".repeat(1 << 20);
    for garbage in [
        b"\r\n\r\n\r\n\r\n".to_vec(),
        b"\0\x01\x02\xff\xfe\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello\r\n\r\n".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n and then no HTTP/2".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\nHost: g\r\n\r\n".to_vec(),
        b"GET nowhere HTTP/1.1\r\nHost: g\r\n\r\n".to_vec(),
        b"GET /smartchat/\xff\xfe HTTP/1.1\r\nHost: g\r\n\r\n".to_vec(),
        b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nConnection: close\r\n\r\n".to_vec(),
        b"OPTIONS * HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n".to_vec(),
        format!("GET /smartchat/models HTTP/1.1\r\nHost: g\r\nx-long: {long}\r\n\r\n").into_bytes(),
        format!("GET /{long} HTTP/1.1\r\nHost: g\r\n\r\n").into_bytes(),
        format!("GET / HTTP/1.1\r\nHost: g\r\n{}\r\n", "a: b\r\n".repeat(5_000)).into_bytes(),
    ] {
        let mut client = Raw::connect(gateway.address()).await;
        // The gateway may have closed the connection before all of it is sent.
        client.try_send(&garbage).await;
        client.finish().await;
        let came = client.rest().await;
        let shown = String::from_utf8_lossy(garbage.get(..40).unwrap_or(&garbage)).into_owned();
        let is_refusal =
            came.is_empty() || came.starts_with(b"HTTP/1.1 4") || came.starts_with(b"HTTP/1.0 4");
        let is_http2 = garbage.starts_with(b"PRI");
        assert!(is_refusal || is_http2, "{shown:?}: {}", String::from_utf8_lossy(&came));
        assert_serves(&mut Raw::connect(gateway.address()).await, &shown).await;
    }
    assert!(!gateway.log().contains("panicked"), "{}", gateway.log());
}
