//! TLS and HTTP/2 on both sides.

use crate::support::{Client, Gateway, chat, post, vendor};
use http::Version;
use std::fs;

const PATH: &str = "/smartchat/chat/completions";

fn api(url: &str, endpoint: &str) -> String {
    format!(
        "
  - name: SmartChat
    context: /smartchat
    vendor: openai
    authentication: none
    endpoints:
      production: [{{ name: Primary, url: '{url}'{endpoint} }}]
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_round_robin
          production: [{{ model: gpt-4o }}]
"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vendor_is_spoken_to_in_the_version_that_the_endpoint_names() {
    let vendor = vendor().await;
    let url = format!("http://{}/v1", vendor.address());
    for (endpoint, version) in [
        ("", Version::HTTP_11),
        (", protocol: http1", Version::HTTP_11),
        (", protocol: http2", Version::HTTP_2),
    ] {
        let gateway = Gateway::start(&api(&url, endpoint));
        for mut client in [Client::http1(gateway.address()).await, Client::http2(gateway.address()).await] {
            for size in [10, 200_000] {
                let body = format!(r#"{{"model":"any","messages":[{{"content":"{}"}}]}}"#, "x".repeat(size));
                let answer = client.send(post(PATH, None, body.clone())).await;
                assert_eq!(answer.status, 200, "{answer:?}");
                assert_eq!(answer.json()["model"], "gpt-4o");
                let seen = vendor.requests().pop().unwrap();
                assert_eq!(seen.version, version);
                assert_eq!(seen.authority.as_deref(), Some(vendor.address().to_string().as_str()));
                assert_eq!(seen.body.len(), body.len() + "gpt-4o".len() - "any".len());
            }
        }
    }
}

/// A TLS listener of one gateway is the vendor of another, which verifies its certificate against `server.ca_file`.
#[tokio::test(flavor = "multi_thread")]
async fn tls_on_both_sides_with_a_private_authority() {
    let vendor = vendor().await;
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into(), "127.0.0.1".into()]).unwrap();
    let files = tempfile::tempdir().unwrap();
    let (certificate, key) = (files.path().join("cert.pem"), files.path().join("key.pem"));
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.key_pair.serialize_pem()).unwrap();
    let inner = Gateway::prepare_file(&format!(
        "listeners: [{{ address: '127.0.0.1:0', tls: {{ certificate: '{}', key: '{}' }} }}]\napis:\n{}",
        certificate.display(),
        key.display(),
        api(&format!("http://{}/v1", vendor.address()), "")
    ))
    .start();

    for (host, endpoint) in [("localhost", ""), ("127.0.0.1", ""), ("localhost", ", protocol: http2")] {
        let url = format!("https://{host}:{}/smartchat", inner.address().port());
        let trusting = format!(
            "server: {{ threads: 1, grace_period_seconds: 0, ca_file: '{}' }}",
            certificate.display()
        );
        let listeners = "listeners: [{ address: '127.0.0.1:0' }]";
        let outer =
            Gateway::prepare_file(&format!("{trusting}\n{listeners}\napis:\n{}", api(&url, endpoint)))
                .start();
        let mut client = Client::http1(outer.address()).await;
        let answer = client.send(post(PATH, None, chat("any"))).await;
        assert_eq!(answer.status, 200, "{host}{endpoint}: {answer:?}");

        // The same without the authority: the certificate is not to be trusted.
        let outer = Gateway::start(&api(&url, endpoint));
        let mut client = Client::http1(outer.address()).await;
        let answer = client.send(post(PATH, None, chat("any"))).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (502, "upstream_unreachable"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_share_one_http2_connection() {
    let vendor = vendor().await;
    let gateway = Gateway::start(&api(&format!("http://{}/v1", vendor.address()), ""));
    let Client::Http2(sender) = Client::http2(gateway.address()).await else { unreachable!() };
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let mut client = Client::Http2(sender.clone());
            tokio::spawn(async move { client.send(post(PATH, None, chat("any"))).await.status })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 200);
    }
}
