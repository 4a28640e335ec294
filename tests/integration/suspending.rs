//! Pairs that fail are out for a while, and then back.

use crate::support::{Answer, Client, Gateway, Running, chat, post, vendor};
use evenkeel::mock::{Fault, MockVendor};
use http::StatusCode;
use socket2::{Domain, Socket, Type};
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

const PATH: &str = "/smartchat/chat/completions";
/// How long a failed pair is out in these tests.
const SUSPENSION: Duration = Duration::from_millis(700);

/// Two pairs: `gpt-4o` on `First`, at whose URL the test puts what it wants, and `gpt-4o-mini` on `Second`.
fn gateway(first: &str, second: SocketAddr, policy: &str) -> Running {
    Gateway::start(&format!(
        "
  - name: SmartChat
    context: /smartchat
    vendor: openai
    authentication: none
    endpoints:
      production:
        - {{ name: First, {first} }}
        - {{ name: Second, url: 'http://{second}/v1' }}
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_round_robin
          production: [{{ model: gpt-4o, endpoint: First }}, {{ model: gpt-4o-mini, endpoint: Second }}]
          retry: {{ attempts: 0 }}
          {policy}
"
    ))
}

fn suspending() -> String {
    format!("suspend_duration: {}ms", SUSPENSION.as_millis())
}

async fn ask(client: &mut Client) -> Answer {
    client.send(post(PATH, None, chat("any"))).await
}

/// Sends requests until `model` serves again, and returns how long that took. Until then the other serves.
async fn until_back(client: &mut Client, model: &str) -> Duration {
    let start = Instant::now();
    loop {
        let answer = ask(client).await;
        assert_eq!(answer.status, 200);
        if answer.header("x-evenkeel-model") == model {
            return start.elapsed();
        }
        assert!(start.elapsed() < 50 * SUSPENSION, "{model} is not back");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The pair that fails first is passed over until its time is over, and then takes its turns again.
async fn fails_and_comes_back(gateway: &Running, failure: StatusCode, heal: impl FnOnce()) {
    let mut client = Client::http1(gateway.address()).await;
    let failed_after = Instant::now();
    let answer = ask(&mut client).await;
    assert_eq!(answer.status, failure, "{answer:?}");
    assert_eq!(answer.header("x-evenkeel-model"), "gpt-4o");
    assert_eq!(gateway.access_line()["suspended"], true);
    heal();
    let mut client = Client::http1(gateway.address()).await;
    until_back(&mut client, "gpt-4o").await;
    assert!(failed_after.elapsed() >= SUSPENSION, "it was back after {:?}", failed_after.elapsed());
    let mut served = Vec::new();
    for _ in 0..4 {
        served.push(ask(&mut client).await.header("x-evenkeel-model").to_owned());
    }
    assert_eq!(served, ["gpt-4o-mini", "gpt-4o", "gpt-4o-mini", "gpt-4o"]);
}

async fn fails_by_fault(fault: Fault, failure: u16, endpoint: &str) {
    let vendor = vendor().await;
    let first = format!("url: 'http://{}/v1'{endpoint}", vendor.address());
    let gateway = gateway(&first, vendor.address(), &suspending());
    vendor.faults().set("gpt-4o", fault);
    let heal = || vendor.faults().clear_all();
    fails_and_comes_back(&gateway, StatusCode::from_u16(failure).unwrap(), heal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_500() {
    fails_by_fault(Fault::status(StatusCode::INTERNAL_SERVER_ERROR), 500, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_429() {
    fails_by_fault(Fault::status(StatusCode::TOO_MANY_REQUESTS), 429, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_a_vendor_that_breaks_off_before_its_answer() {
    fails_by_fault(Fault::CloseBeforeHeaders, 502, "").await;
    fails_by_fault(Fault::CloseBeforeHeaders, 502, ", protocol: http2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_a_first_byte_that_does_not_come() {
    for timeouts in [
        ", first_byte_timeout: 100ms",
        ", first_byte_timeout: 100ms, idle_timeout: 100ms",
        ", first_byte_timeout: 100ms, protocol: http2",
    ] {
        fails_by_fault(Fault::Hang, 504, timeouts).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn by_a_refused_connection() {
    let vendor = vendor().await;
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let gateway = gateway(&format!("url: 'http://{address}/v1'"), vendor.address(), &suspending());
    let mut client = Client::http1(gateway.address()).await;
    let answer = ask(&mut client).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (502, "upstream_unreachable"));
    let mut client = Client::http1(gateway.address()).await;
    for _ in 0..3 {
        assert_eq!(ask(&mut client).await.header("x-evenkeel-model"), "gpt-4o-mini");
    }
}

/// A listener whose queue is full lets further connections hang.
#[tokio::test(flavor = "multi_thread")]
async fn by_a_connection_that_hangs() {
    let vendor = vendor().await;
    let full = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    full.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
    full.listen(0).unwrap();
    let address = full.local_addr().unwrap().as_socket().unwrap();
    let _queued = std::net::TcpStream::connect(address).unwrap();
    let first = format!("url: 'http://{address}/v1', connect_timeout: 100ms");
    let gateway = gateway(&first, vendor.address(), "suspend_duration: 30");
    let mut client = Client::http1(gateway.address()).await;
    let answer = ask(&mut client).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (504, "upstream_timeout"));
    let mut client = Client::http1(gateway.address()).await;
    for _ in 0..3 {
        assert_eq!(ask(&mut client).await.header("x-evenkeel-model"), "gpt-4o-mini");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn by_a_stream_that_stops_coming() {
    let vendor = vendor().await;
    let first = format!("url: 'http://{}/v1', idle_timeout: 100ms", vendor.address());
    let gateway = gateway(&first, vendor.address(), &suspending());
    vendor.faults().set("gpt-4o", Fault::StallMidStream);
    let mut client = Client::http1(gateway.address()).await;
    let answer = client.begin(post(PATH, None, chat("any"))).await;
    assert_eq!(answer.status(), 200);
    let whole = http_body_util::BodyExt::collect(answer.into_body()).await;
    assert!(whole.is_err(), "an answer that broke off looks whole");
    assert_eq!(gateway.access_line()["suspended"], true);
    let mut client = Client::http1(gateway.address()).await;
    assert_eq!(ask(&mut client).await.header("x-evenkeel-model"), "gpt-4o-mini");
    assert_eq!(ask(&mut client).await.header("x-evenkeel-model"), "gpt-4o-mini");
}

async fn two_failures(vendor: &MockVendor, policy: &str, status: u16) -> Running {
    let first = format!("url: 'http://{}/v1'", vendor.address());
    let gateway = gateway(&first, vendor.address(), policy);
    vendor.faults().set_all(Fault::status(StatusCode::from_u16(status).unwrap()));
    let mut client = Client::http1(gateway.address()).await;
    for model in ["gpt-4o", "gpt-4o-mini"] {
        let answer = ask(&mut client).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-evenkeel-model")), (status, model));
    }
    gateway
}

#[tokio::test(flavor = "multi_thread")]
async fn with_all_pairs_out_the_answer_says_when_to_come_back() {
    let vendor = vendor().await;
    let gateway = two_failures(&vendor, "suspend_duration: 30", 503).await;
    let mut client = Client::http1(gateway.address()).await;
    let answer = ask(&mut client).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "no_active_endpoints"));
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((25..=30).contains(&seconds), "{seconds}");
    assert_eq!(vendor.requests().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_suspend_duration_nothing_is_remembered() {
    let vendor = vendor().await;
    let gateway = two_failures(&vendor, "", 500).await;
    let mut client = Client::http1(gateway.address()).await;
    assert_eq!(ask(&mut client).await.header("x-evenkeel-model"), "gpt-4o");
}

/// What one caller provokes says nothing about the model.
#[tokio::test(flavor = "multi_thread")]
async fn a_404_or_400_suspends_nothing_unless_it_is_listed() {
    let vendor = vendor().await;
    for status in [400, 404] {
        vendor.faults().clear_all();
        let gateway = two_failures(&vendor, "suspend_duration: 30", status).await;
        let mut client = Client::http1(gateway.address()).await;
        assert_eq!(ask(&mut client).await.status.as_u16(), status);
    }
    vendor.faults().clear_all();
    let listed = "suspend_duration: 30\n          suspend_on: [404]";
    let gateway = two_failures(&vendor, listed, 404).await;
    let mut client = Client::http1(gateway.address()).await;
    assert_eq!(ask(&mut client).await.code(), "no_active_endpoints");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_listed_suspends() {
    let vendor = vendor().await;
    let listed = "suspend_duration: 30\n          suspend_on: [timeout, 429]";
    let gateway = two_failures(&vendor, listed, 500).await;
    let mut client = Client::http1(gateway.address()).await;
    assert_eq!(ask(&mut client).await.status, 500);
}

/// The same model at the same URL is another pair in the other environment.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_in_the_sandbox_never_touches_production() {
    let vendor = vendor().await;
    let url = format!("http://{}/v1", vendor.address());
    let prepared = Gateway::prepare(&format!(
        "
  - name: SmartChat
    context: /smartchat
    vendor: openai
    endpoints:
      production: [{{ name: Same, url: '{url}' }}]
      sandbox: [{{ name: Same, url: '{url}' }}]
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_round_robin
          production: [{{ model: gpt-4o }}]
          sandbox: [{{ model: gpt-4o }}]
          suspend_duration: 30
"
    ));
    let (production, sandbox) = (prepared.key("p", "production", &[]), prepared.key("s", "sandbox", &[]));
    let gateway = prepared.start();
    // A refusal that comes late closes its connection.
    let ask = async |key: &str| {
        Client::http1(gateway.address()).await.send(post(PATH, Some(key), chat("any"))).await
    };
    vendor.faults().set_all(Fault::status(StatusCode::INTERNAL_SERVER_ERROR));
    assert_eq!(ask(&sandbox).await.status, 500);
    vendor.faults().clear_all();
    ask(&sandbox).await.assert_refused(503, "no_active_endpoints");
    assert_eq!(ask(&production).await.status, 200);
}
