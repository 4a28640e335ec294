//! Streams that are a JSON array, as Gemini's without `alt=sse`.

use crate::support::{Client, Gateway, RawVendor, Reply, Running, Scripted, Step, post, read_chunk};
use serde_json::Value;
use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

/// Long enough for the gateway to take in what was sent.
const PAUSE: Duration = Duration::from_millis(200);
const STREAM: &str = "/gemini/v1/models/any:streamGenerateContent";
const WHOLE: &str = "/gemini/v1/models/any:generateContent";
const GOOD: &str = "[{\"modelVersion\":\"m\",\"usageMetadata\":{\"promptTokenCount\":5}}\n,\r\n\
    {\"usageMetadata\":{\"promptTokenCount\":5,\"candidatesTokenCount\":7,\"totalTokenCount\":12}}\n]";
const BAD: &str = r#"[{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}]"#;

fn gateway(address: SocketAddr) -> Running {
    let policy =
        "policy: { type: model_round_robin, production: [{ model: a }, { model: b }], suspend_duration: 30 }";
    Gateway::start(&format!(
        "
  - name: Gemini
    context: /gemini
    vendor: gemini
    authentication: none
    endpoints: {{ production: [{{ name: One, url: 'http://{address}', credential: a-key }}] }}
    operations: [{{ method: POST, path: /v1/*, {policy} }}]
"
    ))
}

/// What the client got, and the line in the access log.
async fn ask(gateway: &Running, path: &str) -> (String, Value) {
    let answer = Client::http1(gateway.address()).await.send(post(path, None, "{}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    (String::from_utf8(answer.body.to_vec()).unwrap(), gateway.access_line())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_in_the_first_place_is_tried_elsewhere() {
    let vendor = Scripted::start().await;
    let gateway = gateway(vendor.address());
    vendor.once(Reply::json(200, BAD));
    vendor.always(Reply::json(200, GOOD));
    let (body, line) = ask(&gateway, STREAM).await;
    assert_eq!(body, GOOD);
    assert_eq!(line["attempts"], "a@One=stream, b@One=200", "{line}");
    assert_eq!(line["suspended"], true, "{line}");
    assert_eq!((&line["prompt_tokens"], &line["total_tokens"]), (&5.into(), &12.into()), "{line}");
    assert_eq!(ask(&gateway, STREAM).await.1["attempts"], "b@One=200");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_after_good_elements_reaches_the_client_and_suspends() {
    let vendor = Scripted::start().await;
    let gateway = gateway(vendor.address());
    // More than is held, wherever the connection cuts it.
    let good = "x".repeat(100_000);
    let bad = format!("[{{\"text\":\"{good}\"}}\n,\r\n{{\"error\":{{\"code\":503}}}}\n]");
    vendor.always(Reply::json(200, bad.clone()));
    let (body, line) = ask(&gateway, STREAM).await;
    assert_eq!(body, bad);
    assert_eq!(line["attempts"], "a@One=stream", "{line}");
    assert_eq!(line["suspended"], true, "{line}");
    vendor.always(Reply::json(200, GOOD));
    assert_eq!(ask(&gateway, STREAM).await.1["attempts"], "b@One=200");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_answer_is_none() {
    let vendor = Scripted::start().await;
    let gateway = gateway(vendor.address());
    let error = BAD.trim_matches(['[', ']']).to_owned();
    vendor.always(Reply::json(200, error.clone()));
    for path in [STREAM, WHOLE] {
        let (body, line) = ask(&gateway, path).await;
        assert_eq!(body, error);
        assert_eq!(line["suspended"], Value::Null, "{line}");
    }
}

/// What has come by then is with the client while the vendor says nothing more.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_held_longer_than_an_element() {
    for (path, sent) in [(WHOLE, ""), (WHOLE, "["), (STREAM, "\n"), (STREAM, "{"), (STREAM, "[{\"a\":1}")] {
        let header = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
        let vendor = RawVendor::start(&[Step::Read, Step::Send(header), Step::Send(sent), Step::Hang]).await;
        let gateway = gateway(vendor.address());
        let answer = Client::http1(gateway.address()).await.begin(post(path, None, "{}")).await;
        assert_eq!(answer.status(), 200, "{path}");
        if !sent.is_empty() {
            assert_eq!(read_chunk(&mut answer.into_body()).await.unwrap(), sent, "{path}");
        }
    }
}

/// The first bytes of a compressed answer decode to nothing, and do not tell yet that it is a stream.
#[tokio::test(flavor = "multi_thread")]
async fn the_header_of_a_compressed_stream_releases_nothing() {
    let header = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n\
        connection: close\r\n\r\n";
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(BAD.as_bytes()).unwrap();
    let (first, rest) = Vec::leak(encoder.finish().unwrap()).split_at(10);
    let start = [Step::Read, Step::Send(header), Step::SendBytes(first), Step::Pause(PAUSE)];
    let vendor = RawVendor::start(&[&start[..], &[Step::SendBytes(rest)]].concat()).await;
    let running = gateway(vendor.address());
    Client::http1(running.address()).await.send(post(STREAM, None, "{}")).await;
    assert_eq!(running.access_line()["attempts"], "a@One=stream, b@One=stream");
    // What ends there is held no longer.
    let vendor = RawVendor::start(&start).await;
    let running = gateway(vendor.address());
    let answer = Client::http1(running.address()).await.send(post(STREAM, None, "{}")).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 10));
}
