//! What large uploads take and what clients leave behind that go away.

use crate::alone;
use crate::process::{memory, open_files, peak_memory};
use crate::support::{Client, Gateway, Running, in_chunks, post, read_chunk};
use bytes::Bytes;
use evenkeel::mock::{Fault, MockVendor, Options};
use std::net::TcpListener;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

const PATH: &str = "/smartchat/chat/completions";
const MEBIBYTE: usize = 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(60);

async fn vendor() -> MockVendor {
    MockVendor::start(TcpListener::bind("127.0.0.1:0").unwrap(), Options::default()).await.unwrap()
}

fn gateway(vendor: &MockVendor) -> Running {
    let url = format!("http://{}/v1", vendor.address());
    Gateway::start(&format!(
        "
  - name: SmartChat
    context: /smartchat
    vendor: openai
    authentication: none
    endpoints:
      production: [{{ name: Primary, url: '{url}' }}]
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_round_robin
          production: [{{ model: gpt-4o }}, {{ model: gpt-4o-mini }}]
          suspend_duration: 1
access_log: {{ format: off }}
server: {{ threads: 2, grace_period_seconds: 0 }}
"
    ))
}

/// The body, one spliced copy of it, and a little.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_takes_its_body_and_one_copy() {
    let _alone = alone().await;
    const UPLOADS: usize = 8;
    /// In mebibytes.
    const SIZE: usize = 20;
    let vendor = vendor().await;
    vendor.faults().set_all(Fault::Hang);
    let gateway = gateway(&vendor);
    let before = memory(gateway.pid());
    let filling = "x".repeat(SIZE * MEBIBYTE - 100);
    let body = Bytes::from(format!(r#"{{"model":"any","messages":[{{"content":"{filling}"}}]}}"#));
    let address = gateway.address();
    let uploads: Vec<_> = (0..UPLOADS)
        .map(|n| {
            let body = body.clone();
            tokio::spawn(async move {
                let mut client = match n % 2 {
                    0 => Client::http1(address).await,
                    _ => Client::http2(address).await,
                };
                client.begin(in_chunks(post(PATH, None, ""), &body, 64 * 1024)).await
            })
        })
        .collect();
    timeout(PATIENCE, vendor.in_flight_is(UPLOADS)).await.expect("the uploads do not arrive");
    let taken = peak_memory(gateway.pid()) - before;
    let most = UPLOADS * (2 * SIZE + SIZE / 2) * MEBIBYTE;
    assert!(taken <= most, "{} MiB for {UPLOADS} uploads of {SIZE} MiB", taken / MEBIBYTE);
    uploads.iter().for_each(tokio::task::JoinHandle::abort);
    timeout(PATIENCE, vendor.in_flight_is(0)).await.expect("the vendor's requests go on");
}

/// A thousand streams, each given up in its middle.
#[tokio::test(flavor = "multi_thread")]
async fn aborted_streams_leave_nothing_behind() {
    let _alone = alone().await;
    let vendor = vendor().await;
    let gateway = gateway(&vendor);
    let _gates = ["gpt-4o", "gpt-4o-mini"].map(|model| vendor.faults().hold_stream(model));
    // What is made once is made before anything is counted, and the allocator has taken the pages that it goes on with.
    for _ in 0..10 {
        abort_streams(&gateway, &vendor, 100).await;
    }
    let (files, resident) = (open_files(gateway.pid()), memory(gateway.pid()));
    for _ in 0..10 {
        abort_streams(&gateway, &vendor, 100).await;
    }
    let start = Instant::now();
    while open_files(gateway.pid()) > files + 2 {
        assert!(start.elapsed() < PATIENCE, "{} files, before {files}", open_files(gateway.pid()));
        sleep(Duration::from_millis(20)).await;
    }
    // The allocator gives pages back in its own time, and takes a few megabytes more or less from round to round. What
    // streams left behind would only grow.
    for _ in 0..20 {
        if memory(gateway.pid()) < resident + 8 * MEBIBYTE {
            return;
        }
        abort_streams(&gateway, &vendor, 100).await;
    }
    panic!("{} KiB, before {}", memory(gateway.pid()) / 1024, resident / 1024);
}

/// Begins so many streams at once, over both versions of HTTP, reads of each its first chunk, and goes away.
async fn abort_streams(gateway: &Running, vendor: &MockVendor, count: usize) {
    let address = gateway.address();
    let streams: Vec<_> = (0..count)
        .map(|n| {
            tokio::spawn(async move {
                let mut client = match n % 2 {
                    0 => Client::http1(address).await,
                    _ => Client::http2(address).await,
                };
                let request = post(PATH, None, r#"{"model":"any","stream":true,"messages":[]}"#);
                let mut body = client.begin(request).await.into_body();
                read_chunk(&mut body).await.unwrap();
                (client, body)
            })
        })
        .collect();
    let mut open = Vec::new();
    for stream in streams {
        open.push(stream.await.unwrap());
    }
    assert_eq!(vendor.in_flight(), count);
    drop(open);
    timeout(PATIENCE, vendor.in_flight_is(0)).await.expect("the vendor's requests go on");
}
