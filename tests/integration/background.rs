//! Processes in the background.

use crate::support::{Client, Gateway, Prepared, chat, post, signal, vendor};
use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const PATH: &str = "/smartchat/chat/completions";

/// Far more than anything here takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn prepare(server: &str, vendor: SocketAddr) -> Prepared {
    let prepared = Gateway::prepare_file(&format!(
        "
server: {{ {server} }}
listeners: [{{ address: '127.0.0.1:0' }}]
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
    ));
    let text = fs::read_to_string(prepared.file()).unwrap();
    fs::write(prepared.file(), text.replace("LOG", &prepared.path("log").display().to_string())).unwrap();
    prepared
}

/// Kills whatever is in the background at the end.
struct Background(Prepared);

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(pid) = self.pid() {
            signal(pid, "KILL");
        }
        if std::thread::panicking() {
            eprintln!("the log:\n{}", self.log());
        }
    }
}

impl Background {
    /// The process that the pid file names.
    fn pid(&self) -> Option<u32> {
        fs::read_to_string(self.0.path("state/evenkeel.pid")).ok()?.trim().parse().ok()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.0.path("log")).unwrap_or_default()
    }

    fn call(&self, command: &[&str], arguments: &[&str]) -> String {
        let output = self.0.call(command, arguments);
        let (out, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{}: {out}{told}", output.status);
        out.into_owned()
    }

    /// The address that the process told last.
    fn address(&self) -> SocketAddr {
        let log = self.log();
        let line = log.lines().rfind(|line| line.contains("listening on http://")).unwrap();
        line.rsplit("//").next().unwrap().trim().parse().unwrap()
    }

    async fn assert_serves(&self, address: SocketAddr) {
        let answer = Client::http1(address).await.send(post(PATH, None, chat("any"))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

fn is_gone(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.map_or(true, |stat| stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z'))
}

fn wait_until_gone(pid: u32) {
    let start = Instant::now();
    while !is_gone(pid) {
        assert!(start.elapsed() < PATIENCE, "process {pid} does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The command returns when the new process serves, so that a service manager may go on.
#[tokio::test(flavor = "multi_thread")]
async fn one_process_in_the_background_takes_over_from_another() {
    let vendor = vendor().await;
    let server = "error_log: 'LOG', daemon_wait_for_ready: true, daemon_ready_timeout_seconds: 30";
    let background = Background(prepare(server, vendor.address()));
    background.call(&["run"], &["--daemon"]);
    let address = background.address();
    background.assert_serves(address).await;
    for _ in 0..5 {
        let before = background.pid().unwrap();
        background.call(&["run"], &["--daemon", "--upgrade"]);
        assert_ne!(background.pid(), Some(before));
        assert_eq!(background.address(), address);
        background.assert_serves(address).await;
        wait_until_gone(before);
    }
    assert!(!background.log().contains("ERROR"), "{}", background.log());
}

/// With `evenkeel upgrade`, where the file says that the process goes to the background.
#[tokio::test(flavor = "multi_thread")]
async fn the_upgrade_command_waits_for_a_process_in_the_background() {
    let vendor = vendor().await;
    let background =
        Background(prepare("error_log: 'LOG', daemon: true, daemon_wait_for_ready: true", vendor.address()));
    background.call(&["run"], &[]);
    let address = background.address();
    for _ in 0..3 {
        let before = background.pid().unwrap();
        let said = background.call(&["upgrade"], &[]);
        assert_eq!(said, format!("process {} serves\n", background.pid().unwrap()));
        background.assert_serves(address).await;
        wait_until_gone(before);
    }
}

/// Each serves, and the one that came last is the one that others take over from.
#[tokio::test(flavor = "multi_thread")]
async fn two_processes_with_one_state_directory() {
    let vendor = vendor().await;
    let one = prepare("threads: 1", vendor.address());
    let text = fs::read_to_string(one.file()).unwrap();
    let (one, other) = (one.start(), Gateway::prepare_file(&text));
    // The same state directory, as the file has it.
    fs::write(other.file(), text).unwrap();
    let other = other.start();
    assert!(other.log().contains("another process waits at"), "{}", other.log());
    let new = other.successor();
    assert_eq!(new.address(), other.address());
    let (status, log) = other.ended();
    assert!(status.success(), "{log}");
    for address in [one.address(), new.address()] {
        let answer = Client::http1(address).await.send(post(PATH, None, chat("any"))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}
