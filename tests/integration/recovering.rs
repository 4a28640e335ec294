//! Pairs come back by one probe at a time, and a policy may try the one that is back first.

use crate::support::{Client, Gateway, Running, chat, post, vendor};
use evenkeel::mock::{Fault, MockVendor};
use futures::future::join_all;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use std::time::Duration;

const PATH: &str = "/smartchat/chat/completions";
/// How long a failed pair is out in these tests.
const SUSPENSION: Duration = Duration::from_millis(300);

/// Two pairs on one vendor: `gpt-4o` on `First`, `gpt-4o-mini` on `Second`.
fn gateway(vendor: &MockVendor, policy: &str) -> Running {
    Gateway::start(&format!(
        "
  - name: SmartChat
    context: /smartchat
    vendor: openai
    authentication: none
    endpoints:
      production:
        - {{ name: First, url: 'http://{0}/v1' }}
        - {{ name: Second, url: 'http://{0}/v1' }}
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_round_robin
          production: [{{ model: gpt-4o, endpoint: First }}, {{ model: gpt-4o-mini, endpoint: Second }}]
          {policy}
",
        vendor.address()
    ))
}

fn limited(seconds: &'static str) -> Fault {
    let value = HeaderValue::from_static(seconds);
    Fault::status_with_header(StatusCode::TOO_MANY_REQUESTS, RETRY_AFTER, value)
}

async fn tries(gateway: &Running) -> String {
    let answer = Client::http1(gateway.address()).await.send(post(PATH, None, chat("any"))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.header("x-evenkeel-attempts").replace("gpt-4o@", "").replace("gpt-4o-mini@", "")
}

/// Fifty requests at once when a pair's time is over: one goes there, and its client sees nothing of what it finds.
#[tokio::test(flavor = "multi_thread")]
async fn one_request_of_fifty_probes_a_sick_pair_and_none_fails() {
    let vendor = vendor().await;
    let gateway = gateway(&vendor, &format!("suspend_duration: {}ms", SUSPENSION.as_millis()));
    vendor.faults().set("gpt-4o", Fault::status(StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(tries(&gateway).await, "First=503, Second=200");
    tokio::time::sleep(SUSPENSION).await;
    // A pair that is found sick again is out for longer than the fifty take.
    vendor.faults().set("gpt-4o", limited("3600"));
    let mut all = join_all((0..50).map(|_| tries(&gateway))).await;
    all.sort_unstable();
    assert_eq!(all[0], "First=429, Second=200");
    assert!(all[1..].iter().all(|tries| tries == "Second=200"), "{all:?}");
    assert_eq!(vendor.counts()["gpt-4o"], 2);
}

/// The same, the pair being well again: it has its turns back.
#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_finds_the_pair_well_brings_it_back() {
    let vendor = vendor().await;
    let gateway = gateway(&vendor, &format!("suspend_duration: {}ms", SUSPENSION.as_millis()));
    vendor.faults().set("gpt-4o", Fault::status(StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(tries(&gateway).await, "First=503, Second=200");
    tokio::time::sleep(SUSPENSION).await;
    vendor.faults().clear_all();
    assert_eq!(tries(&gateway).await, "First=200");
    let mut next = [tries(&gateway).await, tries(&gateway).await];
    next.sort_unstable();
    assert_eq!(next, ["First=200", "Second=200"]);
}

async fn with_both_out(policy: &str) -> (MockVendor, Running) {
    let vendor = vendor().await;
    let gateway = gateway(&vendor, &format!("suspend_duration: 30\n          {policy}"));
    vendor.faults().set("gpt-4o", limited("600"));
    vendor.faults().set("gpt-4o-mini", limited("60"));
    let answer = Client::http1(gateway.address()).await.send(post(PATH, None, chat("any"))).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, "60"));
    assert_eq!(answer.header("x-evenkeel-attempts"), "gpt-4o@First=429, gpt-4o-mini@Second=429");
    vendor.faults().clear_all();
    (vendor, gateway)
}

#[tokio::test(flavor = "multi_thread")]
async fn with_all_out_the_answer_tells_the_earliest_return() {
    let (vendor, gateway) = with_both_out("").await;
    let answer = Client::http1(gateway.address()).await.send(post(PATH, None, chat("any"))).await;
    answer.assert_refused(503, "no_active_endpoints");
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((50..=60).contains(&seconds), "{seconds}");
    assert_eq!(vendor.requests().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_all_out_the_pair_that_returns_first_may_be_tried() {
    let (_vendor, gateway) = with_both_out("when_all_suspended: try_soonest").await;
    for _ in 0..3 {
        assert_eq!(tries(&gateway).await, "Second=200", "it is back, First is not");
    }
}
