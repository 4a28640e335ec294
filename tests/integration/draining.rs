//! What a process that ends waits for beside requests.

use crate::support::{Gateway, chat, post, vendor};
use bytes::Bytes;
use evenkeel::mock::Fault;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::fs;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const PATH: &str = "/smartchat/chat/completions";

/// Its connection was taken by the process that ends, which is the only one that can go on with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_has_not_begun_with_tls_yet_is_waited_for() {
    let vendor = vendor().await;
    let files = tempfile::tempdir().unwrap();
    let path = |name: &str| files.path().join(name).display().to_string();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    fs::write(path("cert"), made.cert.pem()).unwrap();
    fs::write(path("key"), made.key_pair.serialize_pem()).unwrap();
    let old = Gateway::prepare_file(&format!(
        "
server: {{ threads: 2 }}
listeners: [{{ address: '127.0.0.1:0', tls: {{ certificate: '{}', key: '{}' }} }}]
apis:
  - name: SmartChat
    context: /smartchat
    vendor: openai
    authentication: none
    endpoints:
      production: [{{ name: Primary, url: 'http://{}/v1' }}]
    operations:
      - method: POST
        path: /chat/completions
        policy: {{ type: model_round_robin, production: [{{ model: gpt-4o }}] }}
",
        path("cert"),
        path("key"),
        vendor.address()
    ))
    .start_logging("debug,h2=info,hyper=info");
    let stream = TcpStream::connect(old.address()).await.unwrap();
    // Connections are taken in their order: with this one, that one has been taken.
    let mut after = TcpStream::connect(old.address()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut after, b"no TLS at all").await.unwrap();
    old.wait_for_log(0, "Downstream handshake error");
    let _new = old.successor();
    old.wait_for_log(0, "0 requests are in flight");
    // Far away, or busy.
    tokio::time::sleep(std::time::Duration::from_millis(800)).await;

    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(made.cert.der().to_vec())).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let answer = sender.send_request(post(PATH, None, chat("any"))).await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["connection"]), (200, &"close".parse().unwrap()));
    answer.into_body().collect().await.unwrap();
    let (status, log) = old.ended();
    assert!(status.success() && log.contains("nothing is in flight any more"), "{log}");
}

/// However slowly it reads, over HTTP/2, where the gateway holds what it has not read.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_gets_the_whole_of_its_answer() {
    const LENGTH: usize = 100_000;
    let vendor = vendor().await;
    let fault = Fault::Status {
        status: StatusCode::OK,
        headers: HeaderMap::new(),
        body: Some(vec![b'x'; LENGTH].into()),
    };
    vendor.faults().set_all(fault);
    let old = Gateway::prepare_file(&format!(
        "
server: {{ threads: 2 }}
listeners: [{{ address: '127.0.0.1:0' }}]
apis:
  - name: SmartChat
    context: /smartchat
    vendor: openai
    authentication: none
    endpoints:
      production: [{{ name: Primary, url: 'http://{}/v1' }}]
    operations:
      - method: POST
        path: /chat/completions
        policy: {{ type: model_round_robin, production: [{{ model: gpt-4o }}] }}
",
        vendor.address()
    ))
    .start();
    let stream = TcpStream::connect(old.address()).await.unwrap();
    let (mut sender, connection) =
        h2::client::Builder::new().initial_window_size(1024).handshake::<_, Bytes>(stream).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::post(format!("http://gateway.test{PATH}")).body(()).unwrap();
    let (answer, mut body) = sender.send_request(request, false).unwrap();
    body.send_data(chat("any").into(), true).unwrap();
    let mut body = answer.await.unwrap().into_body();
    let _new = old.successor();
    old.wait_for_log(0, "1 requests are in flight on 1 connections");
    // Longer than it waits for those who send nothing any more.
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    let mut read = 0;
    while let Some(chunk) = body.data().await {
        let length = chunk.expect("the answer is cut").len();
        body.flow_control().release_capacity(length).unwrap();
        read += length;
    }
    assert_eq!(read, LENGTH);
    assert!(old.ended().0.success());
}
