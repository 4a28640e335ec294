//! A new process, started by the one that it takes over from.
//!
//! It is the running process that starts it, so that it is given what that one was given: its environment, its standard
//! error, the files that only it can see. A service manager's credentials are among them: what is started to ask for the
//! upgrade, such as by systemd's `ExecReload=`, cannot read them.
//!
//! Nor does it stay a child of the running process. systemd waits for the end of a main process only if that was its own
//! child when it became the main one, and would otherwise kill it in its drain. So one process is started that starts
//! another and ends (`run --apart`), and the other is adopted by the first process of the machine.
//!
//! The connection of whoever asks is the new process's standard input. It says there what becomes of it:
//!
//! ```text
//!   asks                                running                         new
//!    │ {"version":1,"wants":{"successor":…}}\n                           ·
//!    ├───────────────────────────────────▶│  starts ────────────────────▶│
//!    │ serves 4711\n, and the end when it has taken over                 │
//!    │◀──────────────────────────────────────────────────────────────────┤
//!    │ or: failed 78\n, and why                                          │
//!    │◀──────────────────────────────────────────────────────────────────┤
//! ```

use super::wire::{self, Hello, Wants};
use rustix::net::{RecvFlags, recv};
use rustix::process::{Pid, Signal, kill_process};
use std::fmt;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How often to look whether a process that should have ended has, and how many times.
const INTERVAL: Duration = Duration::from_millis(50);
const LOOKS: u32 = 200;

/// The longest answer, in bytes: all that is wrong with a file.
const MAX_ANSWER: u64 = 4 << 20;

/// What became of a successor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Became {
    /// It serves, and the process before finishes.
    Serving {
        /// Its id.
        pid: u32,
    },
    /// It has ended, and the process before serves on.
    Failed {
        /// Its exit code.
        code: u8,
        /// Why, for people.
        why: String,
    },
}

/// Asks the process that listens at `path` to start `binary` with `config` in its own place, and waits until that serves
/// or has failed. `None` if nothing has been heard for `limit`: the new process does not take over then.
///
/// # Errors
/// Those of the connection. `NotFound` or `ConnectionRefused`: no process listens there.
pub fn ask_for_successor(
    path: &Path,
    binary: PathBuf,
    config: PathBuf,
    limit: Duration,
) -> io::Result<Option<Became>> {
    let stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    let hello = Hello { version: wire::VERSION, wants: Wants::Successor { binary, config } };
    wire::write_line(&stream, &serde_json::to_string(&hello)?)?;
    let mut answer = String::new();
    match stream.take(MAX_ANSWER).read_to_string(&mut answer) {
        Ok(_) => Ok(Some(read(&answer))),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => Ok(None),
        Err(error) => Err(error),
    }
}

fn read(answer: &str) -> Became {
    let (line, rest) = answer.split_once('\n').unwrap_or((answer, ""));
    let failed = |code, why: &str| Became::Failed { code, why: why.trim_end().to_owned() };
    match line.split_once(' ').map(|(word, number)| (word, number.parse::<u32>())) {
        Some(("serves", Ok(pid))) => Became::Serving { pid },
        Some(("failed", Ok(code))) => failed(u8::try_from(code).unwrap_or(1), rest),
        _ if answer.is_empty() => failed(1, "it ended without a word"),
        // The process that was asked does not start one, and says why.
        _ => failed(1, answer),
    }
}

/// Starts it, with `asked` as its standard input.
pub fn start(asked: &UnixStream, binary: &Path, config: &Path) -> io::Result<()> {
    let stdin = Stdio::from(asked.as_fd().try_clone_to_owned()?);
    let between = run(binary, config).arg("--apart").stdin(stdin).spawn()?;
    match end_of(between, asked)? {
        status if status.success() => Ok(()),
        status => Err(io::Error::other(format!("{}: {status}", binary.display()))),
    }
}

/// How `between` has ended. It should at once; any program may have been named, and one that does not is ended, so that
/// the next that is asked for can be started.
fn end_of(mut between: Child, asked: &UnixStream) -> io::Result<ExitStatus> {
    let pid = i32::try_from(between.id()).ok().and_then(Pid::from_raw);
    let (tell, ended) = mpsc::channel();
    thread::spawn(move || tell.send(between.wait()));
    for _ in 0..LOOKS {
        match ended.recv_timeout(INTERVAL) {
            Ok(status) => return status,
            Err(_) if has_gone(asked) => break,
            Err(_) => {}
        }
    }
    if let Some(pid) = pid {
        let _ = kill_process(pid, Signal::KILL);
    }
    Err(io::Error::other("it neither starts a process nor ends"))
}

/// Whether nobody waits for an answer any more.
fn has_gone(asked: &UnixStream) -> bool {
    let mut next = [0];
    matches!(recv(asked, next.as_mut_slice(), RecvFlags::PEEK | RecvFlags::DONTWAIT), Ok((_, 0)))
}

/// `evenkeel run --apart`: starts the successor itself, and leaves it alone.
///
/// # Errors
/// That `binary` cannot be started.
pub fn start_apart(binary: &Path, config: &Path) -> io::Result<()> {
    // It goes on when the terminal that the process before was started at is interrupted.
    run(binary, config).process_group(0).spawn().map(drop)
}

fn run(binary: &Path, config: &Path) -> Command {
    let mut command = Command::new(binary);
    command.args(["run", "--upgrade", "--tell-over-stdin", "--config"]).arg(config);
    command
}

/// The successor's standard input: whoever has asked for it.
#[derive(Debug)]
pub struct Asker(UnixStream);

impl Asker {
    /// Whoever is at the other end of `socket`.
    pub fn new(socket: OwnedFd) -> Self {
        Self(UnixStream::from(socket))
    }

    /// Says that this process serves, before it takes over.
    ///
    /// # Errors
    /// Nobody waits for that any more.
    pub fn tell_serving(&self) -> io::Result<()> {
        wire::write_line(&self.0, &format!("serves {}", std::process::id()))
    }

    /// Says that this process has taken over.
    pub fn tell_taken_over(&self) {
        let _ = self.0.shutdown(Shutdown::Both);
    }

    /// Says that this process ends with `code`, and why.
    pub fn tell_failed(&self, code: u8, why: &dyn fmt::Display) {
        let _ = (&self.0).write_all(format!("failed {code}\n{why}\n").as_bytes());
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_understood() {
        let failed = |code, why: &str| Became::Failed { code, why: why.to_owned() };
        for (answer, became) in [
            ("serves 4711\n", Became::Serving { pid: 4711 }),
            ("failed 78\nline 3: no\nline 4: no\n", failed(78, "line 3: no\nline 4: no")),
            ("failed 999\nodd\n", failed(1, "odd")),
            ("", failed(1, "it ended without a word")),
            ("this process is draining\n", failed(1, "this process is draining")),
            ("serves nobody\n", failed(1, "serves nobody")),
        ] {
            assert_eq!(read(answer), became, "{answer}");
        }
    }

    #[test]
    fn whoever_has_asked_is_told() {
        let told = |tell: &dyn Fn(&Asker)| {
            let (asker, mut other) = UnixStream::pair().unwrap();
            tell(&Asker::new(asker.into()));
            let mut answer = String::new();
            other.read_to_string(&mut answer).unwrap();
            read(&answer)
        };
        let serving = told(&|asker| {
            asker.tell_serving().unwrap();
            asker.tell_taken_over();
        });
        assert_eq!(serving, Became::Serving { pid: std::process::id() });
        assert_eq!(
            told(&|asker| asker.tell_failed(78, &"no")),
            Became::Failed { code: 78, why: "no".to_owned() }
        );
        assert_eq!(told(&|_| {}), Became::Failed { code: 1, why: "it ended without a word".to_owned() });
    }

    #[test]
    fn nobody_waits_any_more() {
        let (asker, other) = UnixStream::pair().unwrap();
        drop(other);
        assert!(Asker::new(asker.into()).tell_serving().is_err());
    }
}
