//! A new process takes over from the running one.

use crate::support::{Client, Gateway, Prepared, Raw, Running, chat, post, read_chunk, signal, vendor};
use evenkeel::mock::{Fault, MockVendor};
use http::StatusCode;
use http_body_util::BodyExt;
use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

const PATH: &str = "/smartchat/chat/completions";
const STREAMED: &str = r#"{"model":"any","stream":true}"#;
/// Far more than anything here takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn prepare(vendor: SocketAddr, limit: u32, authentication: &str) -> Prepared {
    Gateway::prepare_file(&format!(
        "
server: {{ threads: 2, graceful_shutdown_timeout_seconds: {limit} }}
listeners: [{{ address: '127.0.0.1:0' }}]
apis:
  - name: SmartChat
    context: /smartchat
    vendor: openai
    authentication: {authentication}
    endpoints:
      production: [{{ name: Primary, url: 'http://{vendor}/v1' }}]
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_round_robin
          production: [{{ model: a }}, {{ model: b }}, {{ model: c }}]
          suspend_duration: 60s
          retry: {{ attempts: 0 }}
"
    ))
}

async fn gateway(limit: u32) -> (MockVendor, Running) {
    let vendor = vendor().await;
    let gateway = prepare(vendor.address(), limit, "none").start();
    (vendor, gateway)
}

async fn model(client: &mut Client) -> String {
    let answer = client.send(post(PATH, None, chat("any"))).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.header("x-evenkeel-model").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_new_process_has_the_addresses_and_goes_on_with_the_turns() {
    let (_vendor, old) = gateway(30).await;
    assert_eq!(model(&mut Client::http1(old.address()).await).await, "a");
    let new = old.successor();
    assert_eq!((new.address(), new.admin), (old.address(), old.admin));
    let start = Instant::now();
    let (status, log) = old.ended();
    assert!(status.success(), "{log}");
    assert!(start.elapsed() < Duration::from_secs(15), "with nothing in flight it ends soon: {log}");
    let mut client = Client::http1(new.address()).await;
    assert_eq!([model(&mut client).await, model(&mut client).await], ["b", "c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_keeps_its_end() {
    let (vendor, old) = gateway(30).await;
    vendor.faults().set_all(Fault::status(StatusCode::TOO_MANY_REQUESTS));
    let mut client = Client::http1(old.address()).await;
    let start = Instant::now();
    for _ in 0..3 {
        client.send(post(PATH, None, chat("any"))).await;
    }
    vendor.faults().clear_all();
    // Whole seconds are told, rounded up.
    let left = |answer: crate::support::Answer| -> u64 {
        answer.assert_refused(503, "no_active_endpoints");
        answer.header("retry-after").parse().unwrap()
    };
    let before = left(client.send(post(PATH, None, chat("any"))).await);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let new = old.successor();
    old.ended();
    let after = left(Client::http1(new.address()).await.send(post(PATH, None, chat("any"))).await);
    let passed = start.elapsed().as_secs();
    assert!(after < before && after <= 60, "{after} after {before}");
    assert!(after + passed + 1 >= 60 && after + passed <= 61, "{after} s are left after {passed} s");
    assert_eq!(vendor.requests().len(), 3, "nobody was asked again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_stays_revoked() {
    let vendor = vendor().await;
    let prepared = prepare(vendor.address(), 30, "api_key");
    let (kept, revoked) =
        (prepared.key("kept", "production", &[]), prepared.key("revoked", "production", &[]));
    let old = prepared.start();
    assert!(old.prepared().call(&["keys", "revoke"], &["revoked"]).status.success());
    let new = old.successor();
    let mut client = Client::http1(new.address()).await;
    client.send(post(PATH, Some(&revoked), chat("any"))).await.assert_refused(401, "invalid_api_key");
    assert_eq!(client.send(post(PATH, Some(&kept), chat("any"))).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_stream_finishes_on_the_old_process() {
    let (vendor, old) = gateway(30).await;
    let gate = vendor.faults().hold_stream("a");
    let mut http1 = Client::http1(old.address()).await;
    let mut stream = http1.begin(post(PATH, None, STREAMED)).await;
    read_chunk(stream.body_mut()).await.unwrap();
    let _new = old.successor();
    old.wait_for_log(0, "1 requests are in flight");
    drop(gate);
    let rest = stream.into_body().collect().await.unwrap().to_bytes();
    assert!(rest.ends_with(b"data: [DONE]\n\n"));
    let (status, log) = old.ended();
    assert!(status.success() && log.contains("nothing is in flight any more"), "{log}");
}

/// Over HTTP/1.1 by `Connection: close`, whether the response is passed on by a stand-in for the client or not.
#[tokio::test(flavor = "multi_thread")]
async fn kept_alive_clients_are_told_to_reconnect() {
    let (vendor, old) = gateway(30).await;
    let gates = ["a", "b"].map(|model| vendor.faults().hold_stream(model));
    // These keep the process.
    let mut streams = Vec::new();
    for _ in 0..2 {
        let mut client = Client::http1(old.address()).await;
        let mut stream = client.begin(post(PATH, None, STREAMED)).await;
        read_chunk(stream.body_mut()).await.unwrap();
        streams.push(stream);
    }
    let body = chat("any");
    let request = |more: &str| {
        format!(
            "POST {PATH} HTTP/1.1\r\nHost: gateway.test\r\nContent-Length: {}\r\n{more}\r\n{body}",
            body.len()
        )
    };
    let mut idle = Raw::connect(old.address()).await;
    idle.send(request("")).await;
    assert_ne!(idle.answer().await.header("connection"), "close");
    let mut unknown = Raw::connect(old.address()).await;
    unknown.send("POST /nowhere HTTP/1.1\r\nHost: gateway.test\r\nContent-Length: 0\r\n\r\n").await;
    unknown.answer().await;
    let _new = old.successor();
    old.wait_for_log(0, "2 requests are in flight");
    idle.send(request("")).await;
    let answer = idle.answer().await;
    assert_eq!((answer.status, answer.header("connection")), (StatusCode::OK, "close"), "{answer:?}");
    assert!(idle.rest().await.is_empty());
    unknown.send("POST /nowhere HTTP/1.1\r\nHost: gateway.test\r\nContent-Length: 0\r\n\r\n").await;
    let answer = unknown.answer().await;
    assert_eq!((answer.status.as_u16(), answer.header("connection")), (404, "close"), "{answer:?}");
    drop(gates);
    for stream in streams {
        stream.into_body().collect().await.unwrap();
    }
}

/// A client over HTTP/2 is told by GOAWAY: its stream goes on, and it opens no new one on the connection.
#[tokio::test(flavor = "multi_thread")]
async fn http2_clients_get_a_goaway() {
    let (vendor, old) = gateway(30).await;
    let gate = vendor.faults().hold_stream("a");
    let mut client = Client::http2(old.address()).await;
    let mut stream = client.begin(post(PATH, None, STREAMED)).await;
    read_chunk(stream.body_mut()).await.unwrap();
    let _new = old.successor();
    let Client::Http2(sender) = &mut client else { unreachable!() };
    let start = Instant::now();
    let refused = loop {
        let request = post(&format!("http://gateway.test{PATH}"), None, chat("any"));
        match sender.send_request(request).await {
            Ok(answer) => assert_eq!(answer.status(), StatusCode::OK),
            Err(error) => break error,
        }
        assert!(start.elapsed() < PATIENCE, "it was not told");
    };
    let reason = std::error::Error::source(&refused).and_then(|source| source.downcast_ref::<h2::Error>());
    let told =
        reason.is_some_and(|reason| reason.is_go_away() && reason.reason() == Some(h2::Reason::NO_ERROR));
    assert!(told || refused.is_canceled(), "{refused:?}");
    drop(gate);
    let rest = stream.into_body().collect().await.unwrap().to_bytes();
    assert!(rest.ends_with(b"data: [DONE]\n\n"));
    let (status, log) = old.ended();
    assert!(status.success() && log.contains("nothing is in flight any more"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_finish_is_ended_at_the_limit() {
    let (vendor, old) = gateway(1).await;
    let _gate = vendor.faults().hold_stream("a");
    let mut client = Client::http1(old.address()).await;
    let mut stream = client.begin(post(PATH, None, STREAMED)).await;
    read_chunk(stream.body_mut()).await.unwrap();
    let _new = old.successor();
    let (status, log) = old.ended();
    assert!(status.success() && log.contains("1 requests are in flight after 1s and end here"), "{log}");
    assert!(stream.into_body().collect().await.is_err());
}

/// SIGQUIT is what other servers of this framework begin an upgrade with: by itself it changes nothing here.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_new_process_the_old_one_serves_on() {
    let (_vendor, old) = gateway(30).await;
    signal(old.pid(), "QUIT");
    old.wait_for_log(0, "serves until another takes over");
    assert_eq!(model(&mut Client::http1(old.address()).await).await, "a");
    let new = old.successor();
    signal(new.pid(), "QUIT");
    assert!(old.ended().0.success());
    assert_eq!(model(&mut Client::http1(new.address()).await).await, "b");
}

/// Each way in which a new process can fail before it serves.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_process_that_fails_leaves_the_old_one_serving() {
    let (_vendor, old) = gateway(30).await;
    let mut client = Client::http1(old.address()).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let file = old.prepared().file();
    let good = fs::read_to_string(&file).unwrap();
    let listeners = "listeners: [{ address: '127.0.0.1:0' }]";
    let more = format!(
        "listeners: [{{ address: '127.0.0.1:0' }}, {{ address: '{}' }}]",
        taken.local_addr().unwrap()
    );
    for (text, code, named) in [
        (good.replace("apis:", "apis: ["), 78, "error"),
        (good.replace("{ model: a }", "{ model: a, endpoint: Nowhere }"), 78, "Nowhere"),
        (good.replace(listeners, &more), 1, "cannot listen on"),
    ] {
        fs::write(&file, text).unwrap();
        for command in [&["run", "--upgrade"][..], &["upgrade"]] {
            let output = old.prepared().call(command, &[]);
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(code), "{command:?}: {told}");
            assert!(told.contains(named), "{command:?}: {told}");
            model(&mut client).await;
        }
    }
    fs::write(&file, good).unwrap();
    assert!(!old.log().contains("in flight"), "it has not begun to end: {}", old.log());
    let new = old.successor();
    assert!(old.ended().0.success());
    model(&mut Client::http1(new.address()).await).await;
}

/// Whoever comes to the upgrade socket and says something else, or nothing.
#[tokio::test(flavor = "multi_thread")]
async fn strangers_at_the_upgrade_socket_change_nothing() {
    let (_vendor, old) = gateway(30).await;
    let path = old.prepared().path("state/upgrade.sock");
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for said in [
        &b""[..],
        b"\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"{\"version\":999,\"wants\":{\"takeover\":{\"pid\":1}}}\n",
        &[b'x'; 5000],
    ] {
        let mut stranger = UnixStream::connect(&path).unwrap();
        let _ = stranger.write_all(said);
    }
    // One that takes the sockets, and dies.
    let mut dying = UnixStream::connect(&path).unwrap();
    dying.write_all(b"{\"version\":1,\"wants\":{\"takeover\":{\"pid\":1}}}\n").unwrap();
    old.wait_for_log(0, "process 1 takes over");
    drop(dying);
    model(&mut Client::http1(old.address()).await).await;
    let new = old.successor();
    assert!(old.ended().0.success());
    model(&mut Client::http1(new.address()).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nothing_to_take_over_it_begins_by_itself() {
    let vendor = vendor().await;
    let prepared = prepare(vendor.address(), 30, "none");
    let output = prepared.call(&["upgrade"], &[]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("no process is running"), "{told}");
    let first = prepared.start().successor();
    // The one that it took over from was ended by the test: what it has left there is no process.
    drop(first);
}

/// A process that no test has started; dropping it ends it.
struct Successor(u32);

impl Drop for Successor {
    fn drop(&mut self) {
        signal(self.0, "TERM");
    }
}

/// `evenkeel upgrade`: the running process starts the new one, which is not its child, so that a service manager adopts it.
#[tokio::test(flavor = "multi_thread")]
async fn the_running_process_starts_its_successor() {
    let (_vendor, old) = gateway(30).await;
    assert_eq!(model(&mut Client::http1(old.address()).await).await, "a");
    let output = old.prepared().call(&["upgrade"], &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8(output.stdout).unwrap();
    let new = Successor(told.split(' ').nth(1).unwrap().parse().unwrap());
    let status = fs::read_to_string(format!("/proc/{}/status", new.0)).unwrap();
    assert!(!status.contains(&format!("\nPPid:\t{}\n", old.pid())), "{status}");
    // It logs where the old one does.
    old.wait_for_log(0, "took over from the process before");
    old.wait_for_log(0, "nothing is in flight any more");
    assert_eq!(model(&mut Client::http1(old.address()).await).await, "b");
    drop(new);
    assert!(old.ended().0.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_successor_that_nobody_waits_for_does_not_take_over() {
    let (_vendor, old) = gateway(30).await;
    let output = old.prepared().call(&["upgrade"], &["--timeout", "1ms"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && told.contains("did not serve within 1ms"), "{told}");
    old.wait_for_log(0, "nobody waits for this process any more");
    old.wait_for_log(0, "this one serves on");
    assert_eq!(model(&mut Client::http1(old.address()).await).await, "a");
    let new = old.successor();
    assert!(old.ended().0.success());
    assert_eq!(model(&mut Client::http1(new.address()).await).await, "b");
}
