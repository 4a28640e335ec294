//! Loading the file again while requests are served.

use crate::support::{Client, Gateway, Running, chat, post, read_chunk, vendor};
use evenkeel::mock::{Fault, MockVendor};
use http::StatusCode;
use http_body_util::BodyExt;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

const PATH: &str = "/smartchat/chat/completions";
/// Far more than anything here takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn apis(vendor: SocketAddr, pairs: &str) -> String {
    format!(
        "
  - name: SmartChat
    context: /smartchat
    vendor: openai
    authentication: none
    endpoints:
      production: [{{ name: Primary, url: 'http://{vendor}/v1' }}]
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_round_robin
          production: [{pairs}]
          suspend_duration: 60s
          retry: {{ attempts: 0 }}
"
    )
}

fn gateway(vendor: &MockVendor, pairs: &str) -> Running {
    Gateway::start(&apis(vendor.address(), pairs))
}

/// The models that serve the next `count` requests.
async fn models(client: &mut Client, count: usize) -> Vec<String> {
    let mut models = Vec::new();
    for _ in 0..count {
        let answer = client.send(post(PATH, None, chat("any"))).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        models.push(answer.header("x-evenkeel-model").to_owned());
    }
    models
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_file_says_is_served_and_turns_go_on() {
    let vendor = vendor().await;
    let gateway = gateway(&vendor, "{ model: a }, { model: b }, { model: c }");
    let mut client = Client::http1(gateway.address()).await;
    assert_eq!(models(&mut client, 4).await, ["a", "b", "c", "a"]);
    gateway.edit("{ model: c }", "{ model: d }");
    let told = gateway.reload();
    assert!(told.contains("the configuration was reloaded; it is number 2"), "{told}");
    assert_eq!(models(&mut client, 4).await, ["b", "d", "a", "b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn suspensions_stay_with_the_pairs_that_stay() {
    let vendor = vendor().await;
    vendor.faults().set("a", Fault::status(StatusCode::TOO_MANY_REQUESTS));
    let gateway = gateway(&vendor, "{ model: a }, { model: b }");
    let mut client = Client::http1(gateway.address()).await;
    let failed = client.send(post(PATH, None, chat("any"))).await;
    assert_eq!(failed.status, StatusCode::TOO_MANY_REQUESTS);
    vendor.faults().clear_all();
    gateway.edit("{ model: a }, { model: b }", "{ model: b }, { model: c }, { model: a }");
    gateway.reload();
    assert_eq!(models(&mut client, 4).await, ["b", "c", "b", "c"]);
}

/// A request under way goes on with what it began with, to its last byte.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_finishes_on_the_gateway_that_it_began_with() {
    let vendor = vendor().await;
    let gateway = gateway(&vendor, "{ model: a }");
    let gate = vendor.faults().hold_stream("a");
    let mut client = Client::http1(gateway.address()).await;
    let mut answer = client.begin(post(PATH, None, r#"{"model":"any","stream":true}"#)).await;
    read_chunk(answer.body_mut()).await.unwrap();
    gateway.edit("{ model: a }", "{ model: b }");
    gateway.reload();
    drop(gate);
    let rest = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(rest.ends_with(b"data: [DONE]\n\n"));
    assert_eq!(models(&mut client, 1).await, ["b"]);
    assert_eq!(gateway.access_line()["model"], "a");
}

/// Passes connections on to a vendor, and counts them.
async fn counting(vendor: SocketAddr) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, count) = (listener.local_addr().unwrap(), Arc::<AtomicUsize>::default());
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut vendor = TcpStream::connect(vendor).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut client, &mut vendor).await });
        }
    });
    (address, count)
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_to_vendors_survive() {
    let vendor = vendor().await;
    let (address, connections) = counting(vendor.address()).await;
    let gateway = Gateway::start(&apis(address, "{ model: a }"));
    let mut client = Client::http1(gateway.address()).await;
    models(&mut client, 3).await;
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    for generation in 2..5 {
        gateway.edit("{ model: a }", "{ model: a }, { model: a1 }");
        let told = gateway.reload();
        assert!(told.contains(&format!("it is number {generation}")), "{told}");
        models(&mut client, 3).await;
        gateway.edit("{ model: a }, { model: a1 }", "{ model: a }");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

/// Each way of breaking the file, and what is told of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_changes_nothing_and_is_told() {
    let vendor = vendor().await;
    let gateway = gateway(&vendor, "{ model: a }");
    let mut client = Client::http1(gateway.address()).await;
    let file = gateway.prepared().file();
    let good = fs::read_to_string(&file).unwrap();
    let broken = [
        (good.replace("apis:", "apis: ["), "expected"),
        (
            good.replace("{ model: a }", "{ model: a, endpoint: Nowhere }"),
            "there is no production endpoint `Nowhere`",
        ),
        (
            good.replace("name: Primary,", "name: Primary, credential: '${NOT_SET_ANYWHERE}',"),
            "NOT_SET_ANYWHERE",
        ),
        (good.replace("name: Primary,", "name: Primary, credential: '${file:/not/there}',"), "/not/there"),
        (good[..good.find("operations:").unwrap()].to_owned(), "operations"),
        (String::new(), "error"),
    ];
    for (text, named) in &broken {
        fs::write(&file, text).unwrap();
        let told = gateway.reload();
        assert!(told.contains("was not reloaded, and the one before stays"), "{told}");
        assert!(told.contains(named), "{named}: {told}");
        assert_eq!(models(&mut client, 1).await, ["a"]);
    }
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let told = gateway.reload();
    assert!(told.contains("cannot read the file"), "{told}");
    assert_eq!(models(&mut client, 1).await, ["a"]);
    fs::remove_dir(&file).unwrap();
    fs::write(&file, good.replace("{ model: a }", "{ model: z }")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let told = gateway.reload();
    assert!(told.contains("it is number 2"), "failed reloads are not counted: {told}");
    assert_eq!(models(&mut client, 1).await, ["z"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_a_restart_is_named() {
    let vendor = vendor().await;
    let gateway = gateway(&vendor, "{ model: a }");
    gateway.edit("threads: 2", "threads: 3");
    gateway.edit("listeners: [{ address: '127.0.0.1:0' }]", "listeners: [{ address: '127.0.0.1:1' }]");
    let told = gateway.reload();
    assert!(told.contains("with the next restart or upgrade only: server.threads, listeners"), "{told}");
    let mut client = Client::http1(gateway.address()).await;
    assert_eq!(models(&mut client, 1).await, ["a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_access_log_changes_its_format() {
    let vendor = vendor().await;
    let gateway = gateway(&vendor, "{ model: a }");
    let mut client = Client::http1(gateway.address()).await;
    models(&mut client, 1).await;
    assert_eq!(gateway.access_line()["model"], "a");
    gateway.edit("format: json", "format: logfmt");
    gateway.reload();
    models(&mut client, 1).await;
    assert!(gateway.access_text().contains(" model=a "));
}

/// A gateway that watches its file, which is reached through a symbolic link to a directory as in a mounted ConfigMap.
#[tokio::test(flavor = "multi_thread")]
async fn a_watched_file_is_loaded_when_it_has_changed() {
    let vendor = vendor().await;
    let text = format!(
        "reload: {{ watch: true }}\nlisteners: [{{ address: '127.0.0.1:0' }}]\napis:\n{}",
        apis(vendor.address(), "{ model: a }")
            .replace("name: Primary,", "name: Primary, credential: '${file:KEY}',")
    );
    let prepared = Gateway::prepare_file(&text);
    let (file, key) = (prepared.file(), prepared.path("key"));
    let whole = fs::read_to_string(&file).unwrap().replace("file:KEY", &format!("file:{}", key.display()));
    fs::remove_file(&file).unwrap();
    let version = |name: &str, text: &str| {
        fs::create_dir(prepared.path(name)).unwrap();
        fs::write(prepared.path(name).join("evenkeel.yaml"), text).unwrap();
    };
    version("v1", &whole);
    version("v2", &whole.replace("{ model: a }", "{ model: b }"));
    symlink("v1", prepared.path("..data")).unwrap();
    symlink("..data/evenkeel.yaml", &file).unwrap();
    fs::write(&key, "sk-1").unwrap();
    let (v2, data, new) = (prepared.path("v2"), prepared.path("..data"), prepared.path("..data_tmp"));
    let gateway = prepared.start();
    let mut client = Client::http1(gateway.address()).await;
    assert_eq!(models(&mut client, 1).await, ["a"]);

    // As the kubelet does it: a new directory, and a link that is swapped.
    let seen = gateway.log().len();
    symlink(&v2, &new).unwrap();
    fs::rename(&new, &data).unwrap();
    gateway.wait_for_log(seen, "it is number 2");
    assert_eq!(models(&mut client, 1).await, ["b"]);

    // What the file refers to.
    let seen = gateway.log().len();
    fs::write(&key, "sk-2").unwrap();
    gateway.wait_for_log(seen, "it is number 3");
    models(&mut client, 1).await;
    let last = vendor.requests().pop().unwrap();
    assert_eq!(last.header("authorization"), Some("Bearer sk-2"));

    // In place, broken, and put right again.
    let seen = gateway.log().len();
    fs::write(v2.join("evenkeel.yaml"), "listeners: [").unwrap();
    gateway.wait_for_log(seen, "was not reloaded");
    let seen = gateway.log().len();
    fs::write(v2.join("evenkeel.yaml"), whole.replace("watch: true", "watch: false")).unwrap();
    gateway.wait_for_log(seen, "it is number 4");
    assert_eq!(models(&mut client, 1).await, ["a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_being_written_is_loaded_when_it_is_whole() {
    let vendor = vendor().await;
    let text = format!(
        "reload: {{ watch: true }}\nlisteners: [{{ address: '127.0.0.1:0' }}]\napis:\n{}",
        apis(vendor.address(), "{ model: a }")
    );
    let gateway = Gateway::prepare_file(&text).start();
    let file = gateway.prepared().file();
    let whole = fs::read_to_string(&file).unwrap().replace("{ model: a }", "{ model: b }");
    let start = Instant::now();
    for part in 1..=10 {
        fs::write(&file, &whole[..whole.len() * part / 10]).unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let told = gateway.wait_for_log(0, "it is number 2");
    assert!(!told.contains("was not reloaded") || start.elapsed() > PATIENCE, "{told}");
    let mut client = Client::http1(gateway.address()).await;
    assert_eq!(models(&mut client, 1).await, ["b"]);
}

/// Whether the listener presents the certificate `made`.
async fn presents(address: SocketAddr, made: &rcgen::CertifiedKey) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn renewed_certificates_are_presented_and_broken_ones_are_not() {
    let vendor = vendor().await;
    let files = tempfile::tempdir().unwrap();
    let (certificate, key) = (files.path().join("cert.pem"), files.path().join("key.pem"));
    let make = || rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (first, second) = (make(), make());
    let write = |made: &rcgen::CertifiedKey| {
        fs::write(&certificate, made.cert.pem()).unwrap();
        fs::write(&key, made.key_pair.serialize_pem()).unwrap();
    };
    write(&first);
    let tls = format!("tls: {{ certificate: '{}', key: '{}' }}", certificate.display(), key.display());
    let text = format!(
        "listeners: [{{ address: '127.0.0.1:0', {tls} }}]\napis:\n{}",
        apis(vendor.address(), "{ model: a }")
    );
    let gateway = Gateway::prepare_file(&text).start();
    assert!(presents(gateway.address(), &first).await);
    write(&second);
    assert!(presents(gateway.address(), &first).await, "files alone change nothing");
    gateway.reload();
    assert!(presents(gateway.address(), &second).await);
    fs::write(&key, first.key_pair.serialize_pem()).unwrap();
    let told = gateway.reload();
    assert!(told.contains("was not reloaded") && told.contains("cannot use TLS"), "{told}");
    assert!(presents(gateway.address(), &second).await);
}
