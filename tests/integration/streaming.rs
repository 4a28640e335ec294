//! Answers stream: what the vendor has sent is with the client before the vendor sends more.

use crate::support::{Client, Gateway, Running, post, read_chunk, vendor};
use bytes::Bytes;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::timeout;

const PATH: &str = "/smartchat/chat/completions";
/// Far more than a chunk needs on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(30);

fn gateway(vendor: SocketAddr, endpoint: &str) -> Running {
    Gateway::start(&format!(
        "
  - name: SmartChat
    context: /smartchat
    vendor: openai
    authentication: none
    endpoints:
      production: [{{ name: Primary, url: 'http://{vendor}/v1'{endpoint} }}]
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_round_robin
          production: [{{ model: gpt-4o }}]
"
    ))
}

fn streamed() -> &'static str {
    r#"{"stream":true,"model":"any","messages":[],"stream_options":{"include_usage":true}}"#
}

/// The data of whole SSE events.
fn events(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(text.ends_with("\n\n"), "{text:?}");
    text.trim_end().split("\n\n").map(|event| event.strip_prefix("data: ").unwrap().to_owned()).collect()
}

/// The vendor holds every chunk but the first until the test has seen the one before it.
async fn each_chunk_comes_while_the_next_is_held(mut client: Client, vendor: &evenkeel::mock::MockVendor) {
    let gate = vendor.faults().hold_stream("gpt-4o");
    let answer = timeout(PATIENCE, client.begin(post(PATH, None, streamed()))).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    assert!(answer.headers().get("content-length").is_none());
    let mut body = answer.into_body();
    let mut seen = 0;
    loop {
        let chunk = timeout(PATIENCE, read_chunk(&mut body)).await.expect("a chunk is held back").unwrap();
        let events = events(&chunk);
        assert_eq!(events.len(), 1, "chunks were joined: {events:?}");
        seen += 1;
        if events[0] == "[DONE]" {
            break;
        }
        gate.release();
    }
    // role, eight of content, finish, usage, [DONE]
    assert_eq!(seen, 12);
    assert_eq!(timeout(PATIENCE, read_chunk(&mut body)).await.unwrap(), None::<Bytes>);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_arrives_while_the_vendor_holds_the_next_back() {
    let vendor = vendor().await;
    let gateway = gateway(vendor.address(), "");
    each_chunk_comes_while_the_next_is_held(Client::http1(gateway.address()).await, &vendor).await;
    each_chunk_comes_while_the_next_is_held(Client::http2(gateway.address()).await, &vendor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_from_a_vendor_over_http2() {
    let vendor = vendor().await;
    let gateway = gateway(vendor.address(), ", protocol: http2");
    each_chunk_comes_while_the_next_is_held(Client::http1(gateway.address()).await, &vendor).await;
    each_chunk_comes_while_the_next_is_held(Client::http2(gateway.address()).await, &vendor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_where_a_stand_in_keeps_the_time() {
    let vendor = vendor().await;
    let gateway = gateway(vendor.address(), ", first_byte_timeout: 30s, idle_timeout: 20s");
    each_chunk_comes_while_the_next_is_held(Client::http1(gateway.address()).await, &vendor).await;
    each_chunk_comes_while_the_next_is_held(Client::http2(gateway.address()).await, &vendor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_client_goes_the_vendors_request_is_cancelled() {
    let vendor = vendor().await;
    for endpoint in ["", ", protocol: http2", ", first_byte_timeout: 30s, idle_timeout: 20s"] {
        let gateway = gateway(vendor.address(), endpoint);
        let gate = vendor.faults().hold_stream("gpt-4o");
        for http2 in [false, true] {
            let mut client = match http2 {
                false => Client::http1(gateway.address()).await,
                true => Client::http2(gateway.address()).await,
            };
            let mut body = client.begin(post(PATH, None, streamed())).await.into_body();
            read_chunk(&mut body).await.unwrap();
            assert_eq!(vendor.in_flight(), 1);
            drop((body, client));
            timeout(PATIENCE, vendor.in_flight_is(0)).await.expect("the vendor's request goes on");
        }
        drop(gate);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_before_the_answer_cancels_too() {
    let vendor = vendor().await;
    let gateway = gateway(vendor.address(), "");
    vendor.faults().set("gpt-4o", evenkeel::mock::Fault::Hang);
    let mut client = Client::http1(gateway.address()).await;
    let request = tokio::spawn(async move { client.begin(post(PATH, None, streamed())).await });
    timeout(PATIENCE, vendor.in_flight_is(1)).await.unwrap();
    request.abort();
    timeout(PATIENCE, vendor.in_flight_is(0)).await.expect("the vendor's request goes on");
}
