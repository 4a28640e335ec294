//! How spans are exported, by a build with the feature `otlp`: as the environment says, from a daemon, to a collector that
//! fails.

use super::spans::{gateway, spans};
use super::{CLIENTS, apis, patient, request, values};
use crate::support::{Client, Collector, Gateway, RawVendor, Step, binary, signal, vendor};
use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Far more than the binary needs to start or end on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_says_what_the_exporter_sends() {
    let (vendor, collector) = (vendor().await, Collector::start().await);
    let gateway = gateway(
        &vendor,
        &collector,
        &[
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=one,authorization=Bearer%20two"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"),
            ("OTEL_SERVICE_NAME", "gateway-1"),
        ],
    );
    Client::http1(gateway.address()).await.send(request(&[])).await;
    assert_eq!(spans(gateway, &collector).len(), 2);
    let headers = collector.headers();
    assert_eq!(
        (&headers["x-tenant"], &headers["authorization"]),
        (&"one".parse().unwrap(), &"Bearer two".parse().unwrap())
    );
    assert_eq!(headers["content-encoding"], "gzip");
    let resource = collector.resource();
    assert_eq!(resource["service.name"], "gateway-1");
    assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(resource["deployment.environment.name"], "test");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_is_evenkeel_where_nothing_says_otherwise() {
    let (vendor, collector) = (vendor().await, Collector::start().await);
    let gateway = gateway(&vendor, &collector, &[]);
    Client::http1(gateway.address()).await.send(request(&[])).await;
    assert_eq!(spans(gateway, &collector).len(), 2);
    assert_eq!(collector.resource()["service.name"], "evenkeel");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_environment_asks_for_in_vain_is_told_and_the_gateway_serves() {
    let (vendor, collector) = (vendor().await, Collector::start().await);
    for (variable, expected) in [
        (("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), "only `http/protobuf` is spoken"),
        (("OTEL_TRACES_EXPORTER", "zipkin"), "OTEL_TRACES_EXPORTER is `zipkin`"),
        (("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"), "zstd"),
        (
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector:4318 nonsense"),
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        ),
    ] {
        let gateway = gateway(&vendor, &collector, &[variable]);
        let answer = Client::http1(gateway.address()).await.send(request(&[("traceparent", CLIENTS)])).await;
        assert_eq!(answer.status, 200);
        assert_eq!(values(&vendor.requests().pop().unwrap(), "traceparent"), [CLIENTS], "{variable:?}");
        let (_, _, log) = gateway.end("TERM");
        let line = log.lines().find(|line| line.contains("no spans are exported: ")).unwrap_or_default();
        assert!(line.contains(expected), "{variable:?}: {log}");
    }
    assert!(collector.spans().is_empty());
}

/// One that is not there, and one that takes what it gets and never answers.
#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_fails_holds_nothing_up() {
    let vendor = vendor().await;
    let hanging = RawVendor::start(&[Step::Hang]).await;
    for address in ["127.0.0.1:1".to_owned(), hanging.address().to_string()] {
        let endpoint = format!("http://{address}");
        let gateway = Gateway::prepare(&patient(vendor.address())).start_with(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "200"),
            ("OTEL_BSP_SCHEDULE_DELAY", "1"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "4"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2"),
        ]);
        let mut client = Client::http1(gateway.address()).await;
        for _ in 0..50 {
            assert_eq!(client.send(request(&[])).await.status, 200);
        }
        drop(client);
        let begun = Instant::now();
        let (status, _, log) = gateway.end("TERM");
        assert!(status.success() || status.code().is_none(), "{status}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        let told: Vec<_> = log.lines().filter(|line| line.contains("spans cannot be exported")).collect();
        assert_eq!(told.len(), 1, "once: {log}");
    }
}

/// A TLS listener of another gateway stands before the collector.
#[tokio::test(flavor = "multi_thread")]
async fn a_collector_behind_tls_is_verified() {
    let (vendor, collector) = (vendor().await, Collector::start().await);
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let files = tempfile::tempdir().unwrap();
    let (certificate, key) = (files.path().join("cert.pem"), files.path().join("key.pem"));
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.key_pair.serialize_pem()).unwrap();
    let front = Gateway::prepare_file(&format!(
        "
listeners: [{{ address: '127.0.0.1:0', tls: {{ certificate: '{}', key: '{}' }} }}]
apis:
  - name: Collector
    context: /otlp
    vendor: openai
    authentication: none
    endpoints: {{ production: [{{ name: Collector, url: '{}' }}] }}
    operations: [{{ method: POST, path: /v1/traces }}]
",
        certificate.display(),
        key.display(),
        collector.endpoint()
    ))
    .start();
    let endpoint = format!("https://localhost:{}/otlp", front.address().port());
    let trusted = certificate.display().to_string();
    for (trusted, expected) in [(None, 0), (Some(("SSL_CERT_FILE", trusted.as_str())), 2)] {
        let mut variables = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
        variables.extend(trusted);
        let gateway = Gateway::prepare(&patient(vendor.address())).start_with(&variables);
        Client::http1(gateway.address()).await.send(request(&[])).await;
        let (_, _, log) = gateway.end("TERM");
        assert_eq!(collector.spans().len(), expected, "{log}");
        assert_eq!(log.contains("spans cannot be exported"), expected == 0, "{log}");
    }
}

/// A thread of the exporter's that was there before the fork would be lost. SIGINT ends it, with a last export.
#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_exports() {
    let (vendor, collector) = (vendor().await, Collector::start().await);
    let logs = tempfile::tempdir().unwrap();
    let log = logs.path().join("error.log");
    let server = format!("server: {{ error_log: '{}', grace_period_seconds: 0 }}", log.display());
    let listeners = "listeners: [{ address: '127.0.0.1:0' }]";
    let apis = apis(vendor.address());
    let prepared = Gateway::prepare_file(&format!("{server}\n{listeners}\napis:\n{apis}"));
    let mut command = binary();
    command.args(["run", "--daemon", "-c"]).arg(prepared.file());
    let output = command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let address: SocketAddr = until("the address", || {
        let told = fs::read_to_string(&log).ok().filter(|told| told.contains("admin on http://"))?;
        let line = told.lines().find(|line| line.contains("listening on http://"))?;
        line.rsplit("//").next()?.trim().parse().ok()
    })
    .await;
    let pid = fs::read_to_string(prepared.path("state/evenkeel.pid")).unwrap().trim().parse().unwrap();
    let answer = Client::http1(address).await.send(request(&[])).await;
    signal(pid, "INT");
    assert_eq!(answer.status, 200);
    until("the last export", || (collector.spans().len() == 2).then_some(())).await;
}

/// What `look` finds, once it finds it.
async fn until<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "{what} does not come");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
