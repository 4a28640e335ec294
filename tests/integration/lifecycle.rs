//! Starting and ending.

use crate::support::{Client, Gateway, Prepared, Running, chat, post, read_chunk, signal, vendor};
use http_body_util::BodyExt;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

const PATH: &str = "/smartchat/chat/completions";
/// Far more than the binary needs to start or end on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn prepare(before: &str, vendor: SocketAddr) -> Prepared {
    Gateway::prepare_file(&format!(
        "{before}
apis:
  - name: SmartChat
    context: /smartchat
    vendor: openai
    authentication: none
    endpoints:
      production: [{{ name: Primary, url: 'http://{vendor}/v1' }}]
    operations:
      - method: POST
        path: /chat/completions
        policy: {{ type: model_round_robin, production: [{{ model: gpt-4o }}] }}
"
    ))
}

fn with_grace(seconds: u32, vendor: SocketAddr) -> Running {
    let server =
        format!("server: {{ grace_period_seconds: {seconds}, graceful_shutdown_timeout_seconds: 1 }}");
    prepare(&format!("{server}\nlisteners: [{{ address: '127.0.0.1:0' }}]"), vendor).start()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_taken_stops_the_start() {
    let vendor = vendor().await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    for settings in [
        format!("listeners: [{{ address: '127.0.0.1:0' }}, {{ address: '{address}' }}]"),
        format!("listeners: [{{ address: '127.0.0.1:0' }}]\nadmin: {{ address: '{address}' }}"),
    ] {
        let output = prepare(&settings, vendor.address()).call(&["run"], &[]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains(&format!("cannot listen on {address}")), "{told}");
        assert!(!told.contains("panicked"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_files_that_do_not_fit_stop_the_start() {
    let vendor = vendor().await;
    let files = tempfile::tempdir().unwrap();
    let path = |name: &str| files.path().join(name).display().to_string();
    for name in ["a", "b"] {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        fs::write(path(&format!("{name}.cert")), made.cert.pem()).unwrap();
        fs::write(path(&format!("{name}.key")), made.key_pair.serialize_pem()).unwrap();
    }
    fs::write(path("empty"), "").unwrap();
    for (certificate, key, named) in [
        ("a.cert", "b.key", "b.key"),
        ("a.key", "a.cert", "a.key"),
        ("empty", "a.key", "empty"),
        ("a.cert", "empty", "empty"),
        ("missing", "a.key", "missing"),
    ] {
        let tls = format!("tls: {{ certificate: '{}', key: '{}' }}", path(certificate), path(key));
        let settings = format!("listeners: [{{ address: '127.0.0.1:0', {tls} }}]");
        let output = prepare(&settings, vendor.address()).call(&["run"], &[]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(78), "{certificate} {key}: {told}");
        assert!(told.contains(&path(named)) && !told.contains("panicked"), "{told}");
    }
}

/// What is in flight goes on to its end, and new connections are not taken.
#[tokio::test(flavor = "multi_thread")]
async fn sigterm_lets_finish_what_is_in_flight() {
    let vendor = vendor().await;
    let gateway = with_grace(2, vendor.address());
    let gate = vendor.faults().hold_stream("gpt-4o");
    let mut client = Client::http1(gateway.address()).await;
    let body = r#"{"model":"any","stream":true}"#;
    let mut answer = client.begin(post(PATH, None, body)).await;
    read_chunk(answer.body_mut()).await.unwrap();
    let address = gateway.address();
    signal(gateway.pid(), "TERM");
    let start = Instant::now();
    while TcpStream::connect(address).is_ok() {
        assert!(start.elapsed() < PATIENCE, "it still takes connections");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(gate);
    let rest = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(rest.ends_with(b"data: [DONE]\n\n"));
    let (status, lines, log) = gateway.end("0");
    assert_eq!(status.code(), Some(0), "{log}");
    assert_eq!(lines.len(), 1);
}

/// A request that does not end is not waited for longer than the grace period.
#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_what_does_not_finish() {
    let vendor = vendor().await;
    let gateway = with_grace(1, vendor.address());
    let _gate = vendor.faults().hold_stream("gpt-4o");
    let mut client = Client::http1(gateway.address()).await;
    let mut answer = client.begin(post(PATH, None, r#"{"model":"any","stream":true}"#)).await;
    read_chunk(answer.body_mut()).await.unwrap();
    let (status, _, log) = gateway.end("TERM");
    assert_eq!(status.code(), Some(0), "{log}");
}

/// Though there would be an hour's grace.
#[tokio::test(flavor = "multi_thread")]
async fn sigint_ends_it_at_once() {
    let vendor = vendor().await;
    let gateway = with_grace(3600, vendor.address());
    let _gate = vendor.faults().hold_stream("gpt-4o");
    let mut client = Client::http1(gateway.address()).await;
    let mut answer = client.begin(post(PATH, None, r#"{"model":"any","stream":true}"#)).await;
    read_chunk(answer.body_mut()).await.unwrap();
    let (status, _, log) = gateway.end("INT");
    assert_eq!(status.code(), Some(0), "{log}");
}

/// Ends a process that is no child of the test's when the test does.
struct Daemon(u32);

impl Drop for Daemon {
    fn drop(&mut self) {
        signal(self.0, "INT");
    }
}

/// Twice: with a state directory that has to be made, and with the files of a former instance in it.
#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_writes_its_id_and_serves() {
    let vendor = vendor().await;
    let logs = tempfile::tempdir().unwrap();
    let log = logs.path().join("error.log");
    let server = format!("server: {{ error_log: '{}', grace_period_seconds: 0 }}", log.display());
    let prepared = prepare(&format!("{server}\nlisteners: [{{ address: '127.0.0.1:0' }}]"), vendor.address());
    for _ in 0..2 {
        let _ = fs::remove_file(&log);
        let output = prepared.call(&["run"], &["--daemon"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let told = until("the addresses", || {
            fs::read_to_string(&log).ok().filter(|told| told.contains("admin on http://"))
        })
        .await;
        let pid = fs::read_to_string(prepared.path("state/evenkeel.pid")).unwrap();
        let daemon = Daemon(pid.trim().parse().unwrap());
        let line = told.lines().find(|line| line.contains("listening on http://")).unwrap();
        let address = line.rsplit("//").next().unwrap().trim().parse().unwrap();
        let answer = Client::http1(address).await.send(post(PATH, None, chat("any"))).await;
        assert_eq!(answer.json()["model"], "gpt-4o");
        drop(daemon);
        until("the end", || TcpStream::connect(address).is_err().then_some(())).await;
    }
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
