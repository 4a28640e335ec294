//! The gateway as a service: whichever process serves at its addresses.

use crate::load::Target;
use crate::sender::without_number;
use crate::support::{Client, binary, post, signal};
use evenkeel::mock::{MockVendor, Options};
use http_body_util::BodyExt;
use std::collections::HashMap;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Far more than anything takes.
pub const PATIENCE: Duration = Duration::from_secs(60);

const MODELS: [&str; 2] = ["gpt-4o", "gpt-4o-mini"];

/// How often to look whether something has happened.
const INTERVAL: Duration = Duration::from_millis(2);

/// A file, the processes that serve it one after another, and the vendor behind.
pub struct Service {
    directory: TempDir,
    vendor: MockVendor,
    /// How many chunks the vendor's streams have.
    chunks: usize,
    /// The first process.
    first: Child,
    plain: SocketAddr,
    secure: SocketAddr,
    /// All processes that have served, the one that serves last.
    pids: Vec<u32>,
}

impl Service {
    /// Starts one. The vendor's streams have so many chunks at this interval.
    pub async fn start(chunks: usize, interval: Duration) -> Self {
        let options = Options { stream_chunks: chunks, chunk_interval: interval, ..Options::default() };
        let vendor = MockVendor::start(any_port(), options).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        fs::write(directory.path().join("cert.pem"), made.cert.pem()).unwrap();
        fs::write(directory.path().join("key.pem"), made.key_pair.serialize_pem()).unwrap();
        // The addresses stay what the first process got: a successor is given its sockets by what the file asks for.
        let file = directory.path().join("evenkeel.yaml");
        fs::write(&file, text(&directory, vendor.address(), [2, 1])).unwrap();
        let log = directory.path().join("log");
        let first = run(&file, &log);
        let pids = vec![first.id()];
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut service = Self { directory, vendor, chunks, first, plain: nowhere, secure: nowhere, pids };
        service.serves().await;
        service
    }

    /// Waits until the process that was started last tells its addresses.
    async fn serves(&mut self) {
        self.wait_for_log("admin on http", 1).await;
        let log = self.log();
        let address = |scheme: &str| {
            let line = log.lines().rfind(|line| line.contains(&format!("listening on {scheme}://"))).unwrap();
            line.rsplit("//").next().unwrap().trim().parse().unwrap()
        };
        (self.plain, self.secure) = (address("http"), address("https"));
    }

    /// Kills all its processes, and starts one anew on the file.
    pub async fn kill_and_start_again(&mut self) {
        self.kill_all();
        fs::remove_file(self.path("log")).unwrap();
        self.first = run(&self.file(), &self.path("log"));
        self.pids = vec![self.first.id()];
        self.serves().await;
    }

    fn kill_all(&mut self) {
        for pid in self.pids.drain(..).filter(|pid| is_alive(*pid)) {
            let _ = Command::new("sh").arg("-c").arg(format!("kill -KILL {pid}")).status();
        }
        let _ = self.first.wait();
    }

    /// The address of the listener in the clear.
    pub fn plain(&self) -> SocketAddr {
        self.plain
    }

    /// The configuration file.
    pub fn file(&self) -> PathBuf {
        self.path("evenkeel.yaml")
    }

    /// A path in its directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The socket over which a new process takes over.
    pub fn upgrade_sock(&self) -> PathBuf {
        self.path("state/upgrade.sock")
    }

    /// The text of a file that a new process gets no further with than to take the sockets: its keys are a pipe that
    /// nobody writes to.
    pub fn text_that_hangs(&self) -> String {
        let state = self.path("hanging");
        let keys = state.join("keys.yaml");
        if !keys.exists() {
            fs::create_dir(&state).unwrap();
            assert!(Command::new("mkfifo").arg(&keys).status().unwrap().success());
        }
        let text = text(&self.directory, self.vendor.address(), [1, 1]);
        let (ours, theirs) = (self.path("state").display().to_string(), state.display().to_string());
        let server = format!("server: {{ upgrade_sock: {}, ", self.upgrade_sock().display());
        text.replace(&format!("state_dir: {ours}"), &format!("state_dir: {theirs}"))
            .replace("server: { ", &server)
    }

    /// Writes the file anew in one step, its pairs with these weights.
    pub fn set_weights(&self, weights: [u32; 2]) {
        let new = self.path("new.yaml");
        fs::write(&new, text(&self.directory, self.vendor.address(), weights)).unwrap();
        fs::rename(new, self.file()).unwrap();
    }

    /// Where clients go, and what they may expect there.
    pub async fn target(&self) -> Target {
        let options = Options { stream_chunks: self.chunks, ..Options::default() };
        let quick = MockVendor::start(any_port(), options).await.unwrap();
        let mut client = Client::http1(quick.address()).await;
        let mut streams = HashMap::new();
        for model in MODELS {
            let body = format!(r#"{{"model":"{model}","stream":true,"messages":[]}}"#);
            let answer = client.begin(post("/v1/chat/completions", None, body)).await;
            let stream = answer.into_body().collect().await.unwrap().to_bytes();
            assert!(stream.ends_with(b"data: [DONE]\n\n"));
            streams.insert(model.to_owned(), without_number(&stream));
        }
        Target { plain: self.plain, secure: self.secure, certificate: self.path("cert.pem"), streams }
    }

    /// The log of all processes.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap()
    }

    /// Waits until so many lines of the log have `text` in them.
    pub async fn wait_for_log(&self, text: &str, times: usize) {
        let start = Instant::now();
        while self.log().lines().filter(|line| line.contains(text)).count() < times {
            assert!(start.elapsed() < PATIENCE, "not {times} times {text:?} in the log:\n{}", self.log());
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// The process that serves.
    pub fn pid(&self) -> u32 {
        *self.pids.last().unwrap()
    }

    /// Runs `evenkeel upgrade` on the file with these arguments beside. Returns how it ended and what it printed. A
    /// process that has taken over is the service's from then on.
    pub async fn upgrade(&mut self, arguments: &[&str]) -> (ExitStatus, String) {
        let out = self.path("upgrade.out");
        let mut command = binary();
        command.arg("upgrade").arg("-c").arg(self.file()).args(arguments);
        // The new process has them from this one, and keeps them: a pipe would not end with it.
        command.stdout(File::create(&out).unwrap()).stderr(append(&self.path("log")));
        command.stdin(Stdio::null()).env("EVENKEEL_LOG", "info");
        let status = ended(&mut command.spawn().unwrap()).await;
        let said = fs::read_to_string(out).unwrap();
        let pid = said.strip_prefix("process ").and_then(|said| said.split(' ').next());
        if let Some(pid) = pid.filter(|_| status.success()) {
            self.pids.push(pid.parse().unwrap());
        }
        (status, said)
    }

    /// Starts a process that is to take over, on a file with this text.
    pub fn run_upgrade(&self, text: &str) -> Child {
        let file = self.path("another.yaml");
        fs::write(&file, text).unwrap();
        command(&file, &self.path("log")).arg("--upgrade").spawn().unwrap()
    }

    /// Ends the process that serves, and waits until all are gone.
    pub async fn end(mut self) {
        signal(self.pid(), "TERM");
        let start = Instant::now();
        while self.pids.iter().any(|pid| is_alive(*pid)) {
            let _ = self.first.try_wait();
            assert!(start.elapsed() < PATIENCE, "processes that do not end:\n{}", self.log());
            tokio::time::sleep(INTERVAL).await;
        }
        let log = self.log();
        for bad in ["panicked", "end here"] {
            assert!(!log.contains(bad), "{log}");
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill_all();
        if std::thread::panicking() {
            eprintln!("the log:\n{}", self.log());
        }
    }
}

/// Whether the process is there, and not only waiting for its parent to take notice of its end.
pub fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z'))
}

/// Waits until `child` has ended.
pub async fn ended(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(start.elapsed() < PATIENCE, "a process does not end");
        tokio::time::sleep(INTERVAL).await;
    }
}

fn any_port() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

fn append(log: &PathBuf) -> File {
    File::options().create(true).append(true).open(log).unwrap()
}

fn command(file: &PathBuf, log: &PathBuf) -> Command {
    let mut command = binary();
    command.arg("run").arg("-c").arg(file).env("EVENKEEL_LOG", "info");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(append(log));
    command
}

fn run(file: &PathBuf, log: &PathBuf) -> Child {
    command(file, log).spawn().unwrap()
}

fn text(directory: &TempDir, vendor: SocketAddr, weights: [u32; 2]) -> String {
    let path = |name: &str| directory.path().join(name).display().to_string();
    let [gpt, mini] = MODELS;
    let [one, other] = weights;
    format!(
        "
listeners:
  - address: 127.0.0.1:0
  - {{ address: '127.0.0.2:0', tls: {{ certificate: {cert}, key: {key} }} }}
admin: {{ address: '127.0.0.3:0' }}
state_dir: {state}
server: {{ threads: 2 }}
access_log: {{ format: off }}
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
        policy:
          type: model_weighted_round_robin
          production: [{{ model: {gpt}, weight: {one} }}, {{ model: {mini}, weight: {other} }}]
          suspend_duration: 1
",
        cert = path("cert.pem"),
        key = path("key.pem"),
        state = path("state"),
    )
}
