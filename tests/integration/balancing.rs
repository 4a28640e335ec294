//! Which model serves.

use crate::support::{Client, Gateway, chat, post, vendor};
use std::collections::HashMap;

/// The source system's first example: three models of one vendor in turn.
#[tokio::test(flavor = "multi_thread")]
async fn round_robin_over_three_models_asked_as_one_of_them() {
    let vendor = vendor().await;
    let gateway = Gateway::start(&format!(
        "
  - name: Mistral
    context: /mistral
    vendor: mistral
    authentication: none
    endpoints:
      production: [{{ name: Primary, url: 'http://{}/v1', credential: sk-vendor }}]
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_round_robin
          production:
            - {{ model: mistral-small-latest }}
            - {{ model: mistral-medium }}
            - {{ model: open-mistral-7b }}
",
        vendor.address()
    ));
    let mut client = Client::http1(gateway.address()).await;
    let mut served = Vec::new();
    for _ in 0..999 {
        let answer = client.send(post("/mistral/chat/completions", None, chat("open-mistral-7b"))).await;
        assert_eq!(answer.status, 200);
        let model = answer.json()["model"].as_str().unwrap().to_owned();
        assert_eq!(answer.header("x-evenkeel-model"), model);
        assert_eq!(answer.header("x-evenkeel-endpoint"), "Primary");
        served.push(model);
    }
    for three in served.chunks(3) {
        assert_eq!(three, ["mistral-small-latest", "mistral-medium", "open-mistral-7b"]);
    }
    assert!(
        vendor.requests().iter().all(|request| request.header("authorization") == Some("Bearer sk-vendor"))
    );
}

/// The source system's second example: two models, half and half, asked as a third.
#[tokio::test(flavor = "multi_thread")]
async fn weighted_round_robin_has_exact_shares_under_concurrency() {
    let vendor = vendor().await;
    let gateway = Gateway::start(&weighted(vendor.address(), 50, 50));
    let counts = serve_concurrently(gateway.address(), 200, 5).await;
    assert_eq!(counts["gpt-4o"], 500);
    assert_eq!(counts["gpt-4o-mini"], 500);
    assert_eq!(vendor.counts(), counts);
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_that_differ_are_exact_too() {
    let vendor = vendor().await;
    let gateway = Gateway::start(&weighted(vendor.address(), 70, 30));
    let counts = serve_concurrently(gateway.address(), 50, 20).await;
    assert_eq!((counts["gpt-4o"], counts["gpt-4o-mini"]), (700, 300));
}

fn weighted(vendor: std::net::SocketAddr, first: u32, second: u32) -> String {
    format!(
        "
  - name: SmartChat
    context: /smartchat
    vendor: openai
    authentication: none
    endpoints:
      production: [{{ name: Default Production Endpoint, url: 'http://{vendor}/v1' }}]
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_weighted_round_robin
          production:
            - {{ model: gpt-4o, endpoint: Default Production Endpoint, weight: {first} }}
            - {{ model: gpt-4o-mini, weight: {second} }}
          sandbox: disabled
          suspend_duration: 30
"
    )
}

/// So many clients at once, each with so many requests on one connection.
async fn serve_concurrently(
    gateway: std::net::SocketAddr,
    clients: usize,
    requests: usize,
) -> HashMap<String, u64> {
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            tokio::spawn(async move {
                let mut client = Client::http1(gateway).await;
                let mut served = Vec::new();
                for _ in 0..requests {
                    let answer =
                        client.send(post("/smartchat/chat/completions", None, chat("o3-mini"))).await;
                    assert_eq!(answer.status, 200);
                    served.push(answer.json()["model"].as_str().unwrap().to_owned());
                }
                served
            })
        })
        .collect();
    let mut counts = HashMap::new();
    for task in tasks {
        for model in task.await.unwrap() {
            *counts.entry(model).or_default() += 1;
        }
    }
    counts
}
