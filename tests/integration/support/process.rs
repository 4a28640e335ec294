//! A command of the binary that runs until it is ended.

use super::binary;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// Far more than the binary needs to start or end on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running command; dropping it kills it.
pub struct Process {
    child: Child,
    out: Receiver<String>,
    err: Receiver<String>,
}

impl Process {
    /// Runs `evenkeel ARGUMENTS…`.
    pub fn start(arguments: &[&str]) -> Self {
        let mut command = binary();
        command.args(arguments).env("EVENKEEL_LOG", "info").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (out, err) = (lines(child.stdout.take().unwrap()), lines(child.stderr.take().unwrap()));
        Self { child, out, err }
    }

    /// The next line of its standard output that holds `text`.
    pub fn out(&self, text: &str) -> String {
        line_with(&self.out, text)
    }

    /// The next line of its standard error that holds `text`.
    pub fn err(&self, text: &str) -> String {
        line_with(&self.err, text)
    }

    /// Sends it a signal, such as `INT`, and waits until it has ended.
    pub fn end(mut self, name: &str) -> ExitStatus {
        signal(self.child.id(), name);
        ended(&mut self.child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal, such as `TERM`, to the process `pid`.
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("sh").arg("-c").arg(format!("kill -{name} {pid}")).status().unwrap();
    assert!(status.success(), "there is no process {pid}");
}

/// Waits until `child` has ended.
pub(super) fn ended(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(start.elapsed() < PATIENCE, "the process does not end");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The lines of `stream` as they come.
pub(super) fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let lines = BufReader::new(stream).lines().map_while(Result::ok);
        let _ = lines.map(|line| sender.send(line)).take_while(Result::is_ok).count();
    });
    receiver
}

fn line_with(lines: &Receiver<String>, text: &str) -> String {
    let mut seen = String::new();
    loop {
        let Ok(line) = lines.recv_timeout(PATIENCE) else {
            panic!("no line with {text:?} in:\n{seen}");
        };
        if line.contains(text) {
            return line;
        }
        seen += &format!("{line}\n");
    }
}
