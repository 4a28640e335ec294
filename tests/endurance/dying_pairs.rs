//! Three pairs under load, one of which dies and comes back every second, or fails all the time: no client sees it, and
//! the others' shares stay what they are.

use crate::alone;
use crate::support::{Client, Gateway, Running, post};
use evenkeel::mock::{Fault, MockVendor, Options};
use http::StatusCode;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::time::sleep;

const PATH: &str = "/smartchat/chat/completions";
const CONNECTIONS: usize = 64;
const LENGTH: Duration = Duration::from_secs(30);
/// How long a pair is dead, and how long it lives.
const PHASE: Duration = Duration::from_secs(1);
/// At the ends of a phase, what was under way belongs to neither.
const EDGE: Duration = Duration::from_millis(200);

/// Pairs `a` and `b`, weights 2 and 1, and `c`, weight 1, each at a vendor of its own.
fn gateway(vendors: [SocketAddr; 3]) -> Running {
    let [a, b, c] = vendors;
    Gateway::start(&format!(
        "
  - name: SmartChat
    context: /smartchat
    vendor: custom
    authentication: none
    endpoints:
      production:
        - {{ name: A, url: 'http://{a}/v1' }}
        - {{ name: B, url: 'http://{b}/v1' }}
        - {{ name: C, url: 'http://{c}/v1' }}
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_weighted_round_robin
          production:
            - {{ model: a, endpoint: A, weight: 2 }}
            - {{ model: b, endpoint: B, weight: 1 }}
            - {{ model: c, endpoint: C, weight: 1 }}
          suspend_duration: 300ms
vendors: {{ custom: {{}} }}
access_log: {{ format: off }}
server: {{ threads: 2, grace_period_seconds: 0 }}
"
    ))
}

async fn vendor_at(address: Option<SocketAddr>) -> MockVendor {
    let address = address.unwrap_or_else(|| "127.0.0.1:0".parse().unwrap());
    MockVendor::start(TcpListener::bind(address).unwrap(), Options::default()).await.unwrap()
}

/// An answer that a client got, and when it asked.
struct Served {
    asked: Instant,
    answered: Instant,
    model: String,
}

/// Asks on so many connections until `done`, and returns what was served. Any answer but 200 fails the test.
async fn load(gateway: SocketAddr, body: String, done: Arc<AtomicBool>) -> Vec<Served> {
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (body, done) = (body.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                let mut client = Client::http1(gateway).await;
                let mut served = Vec::new();
                while !done.load(Ordering::Relaxed) {
                    let asked = Instant::now();
                    let answer = client.send(post(PATH, None, body.clone())).await;
                    assert_eq!(answer.status, 200, "{answer:?}");
                    let model = answer.header("x-evenkeel-model").to_owned();
                    served.push(Served { asked, answered: Instant::now(), model });
                }
                served
            })
        })
        .collect();
    let mut served = Vec::new();
    for task in tasks {
        served.extend(task.await.expect("a client saw a failure"));
    }
    served
}

/// Of what was asked and answered within `spans`, `a` has twice the share of `b`, to one percent.
fn assert_shares(served: &[Served], spans: &[(Instant, Instant)]) {
    let within = |served: &&Served| {
        let inside = |(from, to): &(Instant, Instant)| *from <= served.asked && served.answered <= *to;
        spans.iter().any(inside)
    };
    let models: Vec<_> = served.iter().filter(within).map(|served| served.model.as_str()).collect();
    let count = |model: &str| models.iter().filter(|&&served| served == model).count() as f64;
    assert!(models.len() > 200, "only {} requests", models.len());
    assert_eq!(count("c"), 0.0);
    let share = count("a") / (count("a") + count("b"));
    assert!((share - 2.0 / 3.0).abs() <= 0.01, "{share} of {}", models.len());
}

/// Kills `c` and brings it back until the time is over.
async fn one_dies_and_comes_back(body: String) {
    let (a, b) = (vendor_at(None).await, vendor_at(None).await);
    let mut c = Some(vendor_at(None).await);
    let address = c.as_ref().unwrap().address();
    let gateway = gateway([a.address(), b.address(), address]);
    let done = Arc::new(AtomicBool::new(false));
    let clients = tokio::spawn(load(gateway.address(), body, Arc::clone(&done)));
    let start = Instant::now();
    let mut dead = Vec::new();
    while start.elapsed() < LENGTH {
        c.take().unwrap().stop().await;
        let died = Instant::now();
        sleep(PHASE).await;
        dead.push((died + EDGE, Instant::now()));
        c = Some(vendor_at(Some(address)).await);
        sleep(PHASE).await;
    }
    done.store(true, Ordering::Relaxed);
    let served = clients.await.unwrap();
    assert_shares(&served, &dead);
    let revived = served.iter().filter(|served| served.model == "c").count();
    assert!(revived > dead.len(), "the pair that came back served {revived} requests");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_that_dies_and_comes_back_every_second_is_not_noticed() {
    let _alone = alone().await;
    one_dies_and_comes_back(r#"{"model":"any","messages":[]}"#.to_owned()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_is_it_with_bodies_of_a_mebibyte() {
    let _alone = alone().await;
    let content = "x".repeat(1024 * 1024);
    one_dies_and_comes_back(format!(r#"{{"model":"any","messages":[{{"content":"{content}"}}]}}"#)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_that_answers_500_to_everything_is_not_noticed() {
    let _alone = alone().await;
    let (a, b, c) = (vendor_at(None).await, vendor_at(None).await, vendor_at(None).await);
    c.faults().set_all(Fault::status(StatusCode::INTERNAL_SERVER_ERROR));
    let gateway = gateway([a.address(), b.address(), c.address()]);
    let done = Arc::new(AtomicBool::new(false));
    let body = r#"{"model":"any","messages":[]}"#.to_owned();
    let clients = tokio::spawn(load(gateway.address(), body, Arc::clone(&done)));
    let start = Instant::now();
    sleep(LENGTH).await;
    done.store(true, Ordering::Relaxed);
    assert_shares(&clients.await.unwrap(), &[(start, Instant::now())]);
}
