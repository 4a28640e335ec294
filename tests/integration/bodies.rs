//! Bodies of every size, length told or not, over both versions of HTTP: what reaches the vendor is what was sent, but
//! for the model.

use crate::support::{Body, Client, Gateway, Running, in_chunks, post, vendor};
use bytes::Bytes;
use evenkeel::mock::MockVendor;
use http::Request;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const PATH: &str = "/smartchat/chat/completions";
/// What Pingora's retry buffer holds.
const RETRY_BUFFER: usize = 64 * 1024;
const MEBIBYTE: usize = 1024 * 1024;

fn gateway(vendor: SocketAddr) -> Running {
    Gateway::start(&format!(
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
        policy:
          type: model_round_robin
          production: [{{ model: gpt-4o-mini }}, {{ model: gpt-4o }}]
"
    ))
}

/// Where the model stands among the members.
#[derive(Debug, Clone, Copy)]
enum Position {
    First,
    Middle,
    Last,
}

/// A chat request of exactly `size` bytes.
fn body(size: usize, position: Position, model: &str) -> Bytes {
    let parts = |model: &str| match position {
        Position::First => {
            (format!(r#"{{"model":{model},"a":1,"messages":[{{"content":""#), r#""}]}"#.to_owned())
        }
        Position::Middle => {
            (r#"{"a":1,"messages":[{"content":""#.to_owned(), format!(r#""}}],"model":{model},"b":2.50}}"#))
        }
        Position::Last => {
            (r#"{"a":1,"messages":[{"content":""#.to_owned(), format!(r#""}}],"model":{model}}}"#))
        }
    };
    let (before, after) = parts(&format!("{model:?}"));
    let filling = size - before.len() - after.len();
    Bytes::from(format!("{before}{}{after}", "x".repeat(filling)))
}

/// Sends the body, and checks that the vendor got the very same with another model, and its length told exactly.
async fn check(client: &mut Client, vendor: &MockVendor, request: Request<Body>, sent: &Bytes) {
    let answer = client.send(request).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let served = answer.header("x-evenkeel-model").to_owned();
    let seen = vendor.requests().pop().unwrap();
    let expected = String::from_utf8(sent.to_vec()).unwrap().replace("\"o3-mini\"", &format!("{served:?}"));
    assert!(seen.body == expected, "{} bytes came, {} were expected", seen.body.len(), expected.len());
    assert_eq!(seen.header("content-length"), Some(expected.len().to_string().as_str()));
    assert_eq!(seen.header("transfer-encoding"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn sizes_around_the_retry_buffer_over_http1_and_http2_with_and_without_length() {
    let vendor = vendor().await;
    let gateway = gateway(vendor.address());
    let mut clients = [Client::http1(gateway.address()).await, Client::http2(gateway.address()).await];
    let sizes =
        [100, 16_384, RETRY_BUFFER - 1, RETRY_BUFFER, RETRY_BUFFER + 1, 2 * RETRY_BUFFER, 5 * MEBIBYTE];
    for client in &mut clients {
        for size in sizes {
            let sent = body(size, Position::Middle, "o3-mini");
            check(client, &vendor, post(PATH, None, sent.clone()), &sent).await;
            for chunk in [size, 65_536, 1_000] {
                let request = in_chunks(post(PATH, None, ""), &sent, chunk.max(size / 500));
                check(client, &vendor, request, &sent).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_mebibytes_with_the_model_first_in_the_middle_and_last() {
    let vendor = vendor().await;
    let gateway = gateway(vendor.address());
    for mut client in [Client::http1(gateway.address()).await, Client::http2(gateway.address()).await] {
        for position in [Position::First, Position::Middle, Position::Last] {
            let sent = body(10 * MEBIBYTE, position, "o3-mini");
            check(&mut client, &vendor, post(PATH, None, sent.clone()), &sent).await;
            let request = in_chunks(post(PATH, None, ""), &sent, 100_000);
            check(&mut client, &vendor, request, &sent).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_the_greatest_size_is_accepted_and_one_byte_more_is_not() {
    let vendor = vendor().await;
    let gateway = gateway(vendor.address());
    let limit = 20 * MEBIBYTE;
    for mut client in [Client::http1(gateway.address()).await, Client::http2(gateway.address()).await] {
        let sent = body(limit, Position::Last, "o3-mini");
        check(&mut client, &vendor, post(PATH, None, sent.clone()), &sent).await;
    }
    let mut client = Client::http1(gateway.address()).await;
    let answer = client.send(post(PATH, None, body(limit + 1, Position::Last, "o3-mini"))).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (413, "request_too_large"));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_small_writes_are_one_body() {
    let vendor = vendor().await;
    let gateway = gateway(vendor.address());
    let sent = body(3_000, Position::First, "o3-mini");
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nhost: g\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        sent.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    for byte in sent.chunks(7) {
        stream.write_all(byte).await.unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(
        vendor.requests().pop().unwrap().body.len(),
        sent.len() + "gpt-4o-mini".len() - "o3-mini".len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_expects_100_continue_gets_it_before_it_sends() {
    let vendor = vendor().await;
    let gateway = gateway(vendor.address());
    let sent = body(100_000, Position::First, "o3-mini");
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nhost: g\r\nexpect: 100-continue\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        sent.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let expected = b"HTTP/1.1 100 Continue\r\n\r\n";
    let mut interim = vec![0; expected.len()];
    stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(interim, expected);
    stream.write_all(&sent).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(vendor.requests().pop().unwrap().header("expect"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_expects_100_continue_and_is_refused_never_sends() {
    let vendor = vendor().await;
    let gateway = gateway(vendor.address());
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    let head = "POST /elsewhere HTTP/1.1\r\nhost: g\r\nexpect: 100-continue\r\ncontent-length: 1000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_reaches_nobody() {
    let vendor = vendor().await;
    let gateway = gateway(vendor.address());
    for framing in ["content-length: 1000", "transfer-encoding: chunked"] {
        let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
        let head = format!("POST {PATH} HTTP/1.1\r\nhost: g\r\n{framing}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(b"10\r\n{\"model\":\"x\"").await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert!(!answer.starts_with(b"HTTP/1.1 2"));
        gateway.access_line();
    }
    assert!(vendor.requests().is_empty());
}

/// A vendor is woken once for a small request, on a new connection and on one that is used again.
#[tokio::test(flavor = "multi_thread")]
async fn a_header_comes_with_its_body() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = gateway(listener.local_addr().unwrap());
    let body = body(300, Position::Last, "any");
    let client = tokio::spawn(async move {
        let mut client = Client::http1(gateway.address()).await;
        for _ in 0..2 {
            assert_eq!(client.send(post(PATH, None, body.clone())).await.status, 200);
        }
    });
    let (mut vendor, _) = listener.accept().await.unwrap();
    for _ in 0..2 {
        let mut came = [0; 8 * 1024];
        let length = vendor.read(&mut came).await.unwrap();
        let came = String::from_utf8_lossy(&came[..length]);
        let ends =
            [r#""model":"gpt-4o-mini"}"#, r#""model":"gpt-4o"}"#].iter().any(|end| came.ends_with(end));
        assert!(came.starts_with("POST ") && ends, "{came}");
        vendor.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
    }
    client.await.unwrap();
}
