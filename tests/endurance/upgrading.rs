//! Upgrades and reloads under load, and new processes that come to nothing: no client notices any of them.

use crate::alone;
use crate::load::Load;
use crate::service::{Service, ended};
use crate::support::signal;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tokio::time::sleep;

/// Streams at any time, each a few seconds long.
const STREAMS: usize = 50;
const CHUNKS: usize = 60;
const INTERVAL: Duration = Duration::from_millis(50);

#[tokio::test(flavor = "multi_thread")]
async fn twenty_upgrades_are_not_noticed() {
    let _alone = alone().await;
    let mut service = Service::start(CHUNKS, INTERVAL).await;
    let load = Load::begin(service.target().await, STREAMS);
    for number in 1..=20 {
        let (status, said) = service.upgrade(&[]).await;
        assert!(status.success(), "{number}: {status}: {said}");
        assert!(!load.has_failed(), "after {number}: {:#?}", load.end().await);
    }
    load.end().await.assert_unharmed();
    service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_reloads_are_not_noticed() {
    let _alone = alone().await;
    let service = Service::start(CHUNKS, INTERVAL).await;
    let load = Load::begin(service.target().await, STREAMS);
    for number in 1..=200 {
        service.set_weights(if number % 2 == 0 { [2, 1] } else { [1, 3] });
        signal(service.pid(), "HUP");
        service
            .wait_for_log(&format!("the configuration was reloaded; it is number {}", number + 1), 1)
            .await;
        assert!(!load.has_failed(), "after {number}: {:#?}", load.end().await);
    }
    load.end().await.assert_unharmed();
    service.end().await;
}

/// A new process may fail at any moment before it says that it serves, in any way and again and again.
#[tokio::test(flavor = "multi_thread")]
async fn new_processes_that_come_to_nothing_are_not_noticed() {
    let _alone = alone().await;
    let mut service = Service::start(CHUNKS, INTERVAL).await;
    let load = Load::begin(service.target().await, STREAMS);
    let mut random = fastrand::Rng::with_seed(4);
    let (fails, hangs) = (script(&service, "fails", "exit 1"), script(&service, "hangs", "exec sleep 100"));
    for _ in 0..4 {
        for (arguments, named) in [
            (["--binary", fails.as_str()].as_slice(), "exit status: 1"),
            (&["--binary", &hangs, "--timeout", "300ms"], "did not serve within 300ms"),
        ] {
            let (status, said) = service.upgrade(arguments).await;
            assert_eq!(status.code(), Some(1), "{said}");
            let told = said + &service.log();
            assert!(told.contains(named), "{told}");
        }
        let mut broken = service.run_upgrade("listeners: []\nnonsense: 1\n");
        assert_eq!(ended(&mut broken).await.code(), Some(78));
        for _ in 0..3 {
            let mut child = service.run_upgrade(&service.text_that_hangs());
            sleep(Duration::from_millis(random.u64(..300))).await;
            child.kill().unwrap();
            child.wait().unwrap();
        }
        for said in ["", "nonsense\n", HELLO, &format!("{HELLO}nonsense\n")] {
            stranger(&service, said, random.u64(..200)).await;
        }
        assert!(!load.has_failed(), "{:#?}", load.end().await);
    }
    // Even the last that held the sockets has changed nothing.
    let (status, said) = service.upgrade(&[]).await;
    assert!(status.success(), "{said}");
    load.end().await.assert_unharmed();
    service.end().await;
}

/// What a new process begins with.
const HELLO: &str = "{\"version\":1,\"wants\":{\"takeover\":{\"pid\":1}}}\n";

/// Goes to the upgrade socket, says this, takes what comes, and goes away after so many milliseconds.
async fn stranger(service: &Service, says: &str, after: u64) {
    let mut stream = UnixStream::connect(service.upgrade_sock()).unwrap();
    stream.write_all(says.as_bytes()).unwrap();
    sleep(Duration::from_millis(after)).await;
    stream.set_nonblocking(true).unwrap();
    let _ = stream.read(&mut [0; 4096]);
}

/// An executable that does this.
fn script(service: &Service, name: &str, does: &str) -> String {
    let path: PathBuf = service.path(name);
    fs::write(&path, format!("#!/bin/sh\n{does}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}
