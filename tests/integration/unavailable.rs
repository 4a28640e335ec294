//! The gateway's own answers where no vendor answers: 502, 503 and 504.

use crate::support::{Client, Gateway, Running, chat, post, vendor};
use evenkeel::mock::Fault;
use http::{Method, StatusCode};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const CHAT: &str = "/chat/chat/completions";

/// An AI API open to anyone at one endpoint, over two models.
fn open_gateway(url: &str, endpoint: &str, policy: &str) -> Running {
    Gateway::start(&format!(
        "
  - name: Chat
    context: /chat
    vendor: openai
    authentication: none
    endpoints:
      production: [{{ name: Primary, url: '{url}'{endpoint} }}]
    operations:
      - method: POST
        path: /chat/completions
        policy: {{ type: model_round_robin, production: [{{ model: gpt-4o }}, {{ model: gpt-4o-mini }}]{policy} }}
      - {{ method: GET, path: /models }}
"
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_cannot_be_reached() {
    // Bound and not listening: connections to it are refused, and nobody else gets the port.
    let closed = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    closed.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = closed.local_addr().unwrap().as_socket().unwrap();
    let gateway = open_gateway(&format!("http://{address}/v1"), "", "");
    for path in [CHAT, "/chat/models"] {
        let method = if path == CHAT { Method::POST } else { Method::GET };
        let mut request = post(path, None, if path == CHAT { chat("any") } else { String::new() });
        *request.method_mut() = method;
        let answer = Client::http1(gateway.address()).await.send(request).await;
        answer.assert_refused(502, "upstream_unreachable");
        assert!(!String::from_utf8_lossy(&answer.body).contains(&address.port().to_string()), "{answer:?}");
        assert_eq!(answer.header("x-evenkeel-endpoint"), "Primary");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_breaks_off_or_is_silent() {
    let vendor = vendor().await;
    let url = format!("http://{}/v1", vendor.address());
    let gateway = open_gateway(&url, ", first_byte_timeout: 300ms", "");
    for (fault, status, code) in
        [(Fault::CloseBeforeHeaders, 502, "upstream_unreachable"), (Fault::Hang, 504, "upstream_timeout")]
    {
        vendor.faults().set_all(fault);
        for mut client in [Client::http1(gateway.address()).await, Client::http2(gateway.address()).await] {
            let answer = client.send(post(CHAT, None, chat("any"))).await;
            answer.assert_refused(status, code);
        }
        let mut request = post("/chat/models", None, "");
        *request.method_mut() = Method::GET;
        let answer = Client::http1(gateway.address()).await.send(request).await;
        answer.assert_refused(status, code);
    }
}

/// A vendor that reads one request a connection, answers it with these bytes, and closes the connection.
async fn answering(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = Vec::new();
            // The bodies sent here are the only ones that end so.
            while !request.ends_with(b"}]}")
                && connection.read_buf(&mut request).await.is_ok_and(|read| read > 0)
            {}
            let _ = connection.write_all(answer.as_bytes()).await;
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_does_not_speak_http() {
    for answer in
        ["", "220 mail.example ESMTP\r\n\r\n", "HTTP/1.1 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Le"]
    {
        let vendor = answering(answer).await;
        let gateway = open_gateway(&format!("http://{vendor}/v1"), "", "");
        let answer = Client::http1(gateway.address()).await.send(post(CHAT, None, chat("any"))).await;
        answer.assert_refused(502, "upstream_unreachable");
    }
}

/// It does not say that it closes its connections, so that the gateway finds out when it uses one again.
#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_closes_idle_connections_costs_no_request() {
    let vendor = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await;
    let gateway = open_gateway(&format!("http://{vendor}/v1"), "", ", suspend_duration: 60");
    let mut client = Client::http1(gateway.address()).await;
    for n in 0..100 {
        let answer = client.send(post(CHAT, None, chat("any"))).await;
        assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, &b"{}"[..]), "request {n}: {answer:?}");
    }
}

/// The first of two pairs is suspended before the second, and `Retry-After` is the first's, rounded up.
#[tokio::test(flavor = "multi_thread")]
async fn all_pairs_suspended() {
    let vendor = vendor().await;
    let suspension = Duration::from_millis(20_300);
    let url = format!("http://{}/v1", vendor.address());
    let gateway = open_gateway(
        &url,
        "",
        &format!(", suspend_duration: {}ms, retry: {{ attempts: 0 }}", suspension.as_millis()),
    );
    let mut client = Client::http1(gateway.address()).await;
    vendor.faults().set_all(Fault::status(StatusCode::INTERNAL_SERVER_ERROR));
    let before = Instant::now();
    let answer = client.send(post(CHAT, None, chat("any"))).await;
    let after = Instant::now();
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (500, ""));
    assert_eq!(client.send(post(CHAT, None, chat("any"))).await.status, 500);
    vendor.faults().clear_all();

    let asked = Instant::now();
    let answer = client.send(post(CHAT, None, chat("any"))).await;
    let answered = Instant::now();
    answer.assert_refused(503, "no_active_endpoints");
    assert_eq!(answer.header("x-evenkeel-model"), "");
    let seconds: u128 = answer.header("retry-after").parse().unwrap();
    let whole_seconds = |left: Duration| left.as_nanos().div_ceil(1_000_000_000);
    let least = whole_seconds(suspension.saturating_sub(answered - before));
    let most = whole_seconds(suspension.saturating_sub(asked - after));
    assert!((least..=most).contains(&seconds), "{least} <= {seconds} <= {most}");
    assert_eq!(vendor.requests().len(), 2);
}
