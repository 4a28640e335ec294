//! The gateway: a configuration in a directory of its own, and the binary that serves it.

use super::process::{ended, lines, signal};
use parking_lot::Mutex;
use serde_json::Value;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Far more than the binary needs to start on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The ways to a running gateway.
pub struct Gateway;

/// A configuration file and the directory it stands in.
pub struct Prepared {
    directory: TempDir,
}

/// A gateway that serves.
pub struct Running {
    prepared: Arc<Prepared>,
    child: Child,
    /// The listeners, in the file's order.
    pub listeners: Vec<SocketAddr>,
    /// The admin address.
    pub admin: SocketAddr,
    access_log: Receiver<String>,
    log: Arc<Mutex<String>>,
    log_reader: Option<JoinHandle<()>>,
}

impl Gateway {
    /// A gateway with one listener that serves these entries of `apis`.
    pub fn start(apis: &str) -> Running {
        Self::prepare(apis).start()
    }

    /// The same, not yet started.
    pub fn prepare(apis: &str) -> Prepared {
        Self::prepare_file(&format!("listeners: [{{ address: '127.0.0.1:0' }}]\napis:\n{apis}"))
    }

    /// A file with this text; the addresses of the process and its directory are added.
    pub fn prepare_file(text: &str) -> Prepared {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("state");
        let mut whole = format!("{text}\nstate_dir: {}\n", state.display());
        for (key, line) in [
            ("admin:", "admin: { address: '127.0.0.1:0' }\n"),
            ("server:", "server: { threads: 2, grace_period_seconds: 0 }\n"),
            ("access_log:", "access_log: { format: json }\n"),
        ] {
            if !text.lines().any(|line| line.starts_with(key)) {
                whole.push_str(line);
            }
        }
        fs::write(directory.path().join("evenkeel.yaml"), whole).unwrap();
        Prepared { directory }
    }
}

impl Prepared {
    /// The configuration file.
    pub fn file(&self) -> PathBuf {
        self.directory.path().join("evenkeel.yaml")
    }

    /// A path in the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs `evenkeel COMMAND… -c FILE ARGUMENTS…`.
    pub fn call(&self, command: &[&str], arguments: &[&str]) -> Output {
        binary().args(command).arg("-c").arg(self.file()).args(arguments).output().unwrap()
    }

    /// Makes a key.
    pub fn key(&self, name: &str, environment: &str, apis: &[&str]) -> String {
        let mut arguments = vec!["--format", "json", "--name", name, "--environment", environment];
        for api in apis {
            arguments.extend(["--api", api]);
        }
        let output = self.call(&["keys", "create"], &arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let created: Value = serde_json::from_slice(&output.stdout).unwrap();
        created["key"].as_str().unwrap().to_owned()
    }

    /// Starts it, and waits until its addresses are open.
    pub fn start(self) -> Running {
        self.start_with(&[])
    }

    /// The same with a log of this level.
    pub fn start_logging(self, level: &str) -> Running {
        self.start_with(&[("EVENKEEL_LOG", level)])
    }

    /// The same with these variables in its environment.
    pub fn start_with(self, variables: &[(&str, &str)]) -> Running {
        Running::begin(Arc::new(self), variables, &[])
    }
}

impl Running {
    fn begin(prepared: Arc<Prepared>, variables: &[(&str, &str)], arguments: &[&str]) -> Self {
        let mut child = binary()
            .envs(variables.iter().copied())
            .arg("run")
            .arg("-c")
            .arg(prepared.file())
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let access_log = lines(child.stdout.take().unwrap());
        let (log, told) = (Arc::default(), lines(child.stderr.take().unwrap()));
        let (listeners, admin) = addresses(&told, &log);
        let kept = Arc::clone(&log);
        let log_reader =
            thread::spawn(move || told.iter().for_each(|line| *kept.lock() += &format!("{line}\n")));
        Self { prepared, child, listeners, admin, access_log, log, log_reader: Some(log_reader) }
    }

    /// Another process that takes over from this one, on the same file.
    pub fn successor(&self) -> Self {
        Self::begin(Arc::clone(&self.prepared), &[], &["--upgrade"])
    }

    /// Writes the file anew, `from` replaced by `to`.
    pub fn edit(&self, from: &str, to: &str) {
        let file = self.prepared.file();
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "there is no {from:?} in:\n{text}");
        fs::write(file, text.replace(from, to)).unwrap();
    }

    /// Tells it to load its file again, and waits until it says what came of it. Returns what it said from there on.
    pub fn reload(&self) -> String {
        let before = self.log().len();
        signal(self.pid(), "HUP");
        self.wait_for_log(before, "reloaded")
    }

    /// Waits until the log holds `text` after its first `from` bytes. Returns the log from there on.
    pub fn wait_for_log(&self, from: usize, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let log = self.log();
            if log[from..].contains(text) {
                return log[from..].to_owned();
            }
            assert!(Instant::now() < deadline, "no {text:?} in the log:\n{log}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until it has ended by itself. Returns its log.
    pub fn ended(mut self) -> (ExitStatus, String) {
        let status = ended(&mut self.child);
        let _ = self.log_reader.take().map(JoinHandle::join);
        (status, self.log())
    }

    /// The first listener.
    pub fn address(&self) -> SocketAddr {
        self.listeners[0]
    }

    /// Its file and directory.
    pub fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    /// The next line of the access log, as JSON.
    pub fn access_line(&self) -> Value {
        let line = self.access_text();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// The next line of the access log as it is.
    pub fn access_text(&self) -> String {
        self.access_log.recv_timeout(PATIENCE).expect("no line in the access log")
    }

    /// Sends it a signal, such as `TERM`, and waits until it has ended. Returns the lines of the access log that have
    /// not been read, and the whole log of the process.
    pub fn end(mut self, name: &str) -> (ExitStatus, Vec<String>, String) {
        signal(self.pid(), name);
        let status = ended(&mut self.child);
        let _ = self.log_reader.take().map(JoinHandle::join);
        (status, self.access_log.iter().collect(), self.log())
    }

    /// The process's own log so far.
    pub fn log(&self) -> String {
        self.log.lock().clone()
    }

    /// The id of the process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("the gateway's log:\n{}", self.log());
        }
    }
}

/// The binary under test, with an environment of its own.
pub fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_evenkeel"));
    command.env_clear().env("EVENKEEL_LOG", "debug,h2=info,hyper=info").env("NO_COLOR", "1");
    command
}

/// The addresses that the process tells of, the admin address last.
fn addresses(told: &Receiver<String>, log: &Mutex<String>) -> (Vec<SocketAddr>, SocketAddr) {
    let deadline = Instant::now() + PATIENCE;
    let mut listeners = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let Ok(line) = told.recv_timeout(left) else {
            panic!("the gateway did not start:\n{}", log.lock());
        };
        *log.lock() += &format!("{line}\n");
        let address = |text: &str| text.rsplit("//").next().unwrap().trim().parse().unwrap();
        if line.contains("listening on http") {
            listeners.push(address(&line));
        } else if line.contains("admin on http") {
            return (listeners, address(&line));
        }
    }
}
