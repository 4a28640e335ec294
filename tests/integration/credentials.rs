//! Credentials that have to be fetched, and do not come.

use crate::support::{Answer, Client, Gateway, RawVendor, Reply, Running, Scripted, Step, post};
use serde_json::json;
use std::time::{Duration, Instant};

const PATH: &str = "/vertex/v1/projects/p/locations/l/publishers/google/models/any:generateContent";

/// Two pairs: `first` on `Account`, whose access tokens the one at `tokens` gives out, and `second` on `Fixed`.
fn gateway(tokens: &RawVendor, vendor: &Scripted) -> Running {
    let account = json!({
        "type": "service_account",
        "client_email": "a@b.c",
        "private_key": include_str!("../../src/credential/google/test_key.pem"),
        "token_uri": format!("http://{}/token", tokens.address()),
    });
    let url = format!("http://{}", vendor.address());
    Gateway::start(&format!(
        "
  - name: Vertex
    context: /vertex
    vendor: vertex-ai
    authentication: none
    endpoints:
      production:
        - {{ name: Account, url: '{url}', connect_timeout: 300ms, credential: '{account}' }}
        - {{ name: Fixed, url: '{url}', credential: {{ bearer: a-token }} }}
    operations:
      - method: POST
        path: /v1/*
        policy:
          type: model_round_robin
          production: [{{ model: first, endpoint: Account }}, {{ model: second, endpoint: Fixed }}]
          suspend_duration: 1
"
    ))
}

async fn ask(client: &mut Client) -> Answer {
    let answer = client.send(post(PATH, None, "{}")).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-evenkeel-model")), (200, "second"), "{answer:?}");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_fetch_hangs_is_waited_for_as_long_as_a_connection() {
    let (tokens, vendor) = (RawVendor::start(&[Step::Hang]).await, Scripted::start().await);
    vendor.always(Reply::json(200, "{}"));
    let gateway = gateway(&tokens, &vendor);
    let mut client = Client::http1(gateway.address()).await;
    let begun = Instant::now();
    ask(&mut client).await;
    let waited = begun.elapsed();
    assert!(waited >= Duration::from_millis(300), "{waited:?}");
    let line = gateway.access_line();
    assert_eq!(line["attempts"], "first@Account=connect, second@Fixed=200", "{line}");
    assert_eq!(line["suspended"], true, "{line}");
    ask(&mut client).await;
    let line = gateway.access_line();
    assert_eq!(line["attempts"], "second@Fixed=200", "{line}");
    // The one that looks whether the pair is back waits no longer than the first did, and is served, too.
    loop {
        let asked = Instant::now();
        ask(&mut client).await;
        if gateway.access_line()["attempts"] != "second@Fixed=200" {
            let waited = asked.elapsed();
            assert!(waited < Duration::from_secs(5), "waited for until the fetch ended: {waited:?}");
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "the pair was not tried again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
