//! The new process's side.

use super::wire::{self, DRAINING, Hello, SERVING, State, Wants};
use crate::gateway::Heritage;
use crate::server::sockets::Listening;
use log::{info, warn};
use socket2::Socket;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long the old process may take to answer.
const LIMIT: Duration = Duration::from_secs(30);

/// The process that served before this one, and does until it is told.
#[derive(Debug)]
pub struct Predecessor(UnixStream);

/// The listeners could not be taken over.
#[derive(Debug, thiserror::Error)]
#[error("the running process at {path} did not hand its listeners over: {reason}", path = .path.display())]
pub struct TakeError {
    path: PathBuf,
    reason: io::Error,
}

/// Takes over what the process that listens at `path` has; `None` if there is none.
pub fn take_over(path: &Path) -> Result<Option<(Predecessor, Vec<Listening>, Heritage)>, TakeError> {
    let stream = match UnixStream::connect(path) {
        Ok(stream) => stream,
        Err(error) if is_nobody(&error) => return Ok(None),
        Err(reason) => return Err(TakeError { path: path.to_owned(), reason }),
    };
    let taken = take(&stream).map_err(|reason| TakeError { path: path.to_owned(), reason })?;
    let (sockets, heritage) = taken;
    Ok(Some((Predecessor(stream), sockets, heritage)))
}

/// Whether a process listens at `path`.
pub fn is_running(path: &Path) -> bool {
    UnixStream::connect(path).is_ok()
}

fn is_nobody(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

fn take(stream: &UnixStream) -> io::Result<(Vec<Listening>, Heritage)> {
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    let hello = Hello { version: wire::VERSION, wants: Wants::Takeover { pid: std::process::id() } };
    wire::write_line(stream, &serde_json::to_string(&hello)?)?;
    let (sockets, State { listening, heritage }) = wire::receive(stream)?;
    let sockets = listening.into_iter().zip(sockets);
    let sockets = sockets.map(|(asked, socket)| Listening::of(asked, Socket::from(socket)));
    Ok((sockets.collect::<io::Result<_>>()?, heritage.into()))
}

impl Predecessor {
    /// Tells it that this process serves. It accepts no more connections when this returns.
    pub fn release(self) {
        let answer = wire::write_line(&self.0, SERVING).and_then(|()| wire::read_line(&self.0));
        match answer {
            Ok(answer) if answer == DRAINING => info!("took over from the process before, which finishes"),
            Ok(answer) => warn!("the process before did not say that it finishes, but: {answer}"),
            // It has ended by itself, so that there is nobody else to serve.
            Err(error) => warn!("the process before did not say that it finishes: {error}"),
        }
    }
}
