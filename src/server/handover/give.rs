//! The old process's side.

use super::successor;
use super::wire::{self, DRAINING, Hello, SERVING, State, Wants};
use crate::live::Live;
use crate::server::make_private;
use crate::server::sockets::{Listening, Sockets};
use log::{error, info, warn};
use parking_lot::Mutex;
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// How long the new process may take for each step but the last.
const STEP: Duration = Duration::from_secs(10);

/// How long it may take until it serves.
const START: Duration = Duration::from_secs(120);

/// What is handed over, and to whom to tell of it.
pub struct Giver {
    live: Arc<Live>,
    /// Those of the listeners are closed when the process is about to end, so that nobody waits at an address that is not
    /// served.
    sockets: Mutex<Sockets>,
    path: PathBuf,
    /// The device and inode of our socket there, once there is one.
    place: Mutex<Option<(u64, u64)>>,
    handed_over: Notify,
}

impl Giver {
    /// Hands `sockets` over to the process that connects at `path`.
    pub fn new(live: Arc<Live>, sockets: Sockets, path: PathBuf) -> Self {
        Self { live, sockets: Mutex::new(sockets), path, place: Mutex::new(None), handed_over: Notify::new() }
    }

    /// Waits until another process serves in the place of this one.
    pub async fn handed_over(&self) {
        self.handed_over.notified().await;
    }

    /// Closes the sockets of the listeners. That of the admin address stays open, as there is more to tell.
    pub fn close_listeners(&self) {
        self.sockets.lock().listeners.clear();
    }

    /// Opens the upgrade socket; `None`, which is told, if it cannot be, so that no process can take over.
    pub fn open(&self) -> Option<UnixListener> {
        match listen(&self.path) {
            Ok((listener, place)) => {
                *self.place.lock() = Some(place);
                Some(listener)
            }
            Err(error) => {
                warn!("no other process can take over from this one: {}: {error}", self.path.display());
                None
            }
        }
    }

    /// Removes our socket, unless another process has put its own in the place.
    pub fn clean_up(&self) {
        let there = fs::symlink_metadata(&self.path).ok().map(|there| (there.dev(), there.ino()));
        let ours = self.place.lock().take();
        if ours.is_some() && ours == there {
            let _ = fs::remove_file(&self.path);
        }
    }

    /// Serves one new process. Returns whether it has taken over.
    fn hand_over(&self, stream: &UnixStream) -> io::Result<bool> {
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(STEP))?;
        stream.set_write_timeout(Some(STEP))?;
        let hello = match wire::read_line(stream) {
            Ok(line) => line,
            // Somebody has looked whether anyone is here.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error),
        };
        let hello: Hello = serde_json::from_str(&hello)?;
        if hello.version != wire::VERSION || self.live.drain().is_draining() {
            let why =
                "this process does not hand over: it is draining, or speaks another version of the protocol";
            wire::write_line(stream, why)?;
            return Err(io::Error::other(why));
        }
        match hello.wants {
            Wants::Takeover { pid } => info!("process {pid} takes over"),
            Wants::Successor { binary, config } => {
                info!("a new process is started: {} run -c {}", binary.display(), config.display());
                return match successor::start(stream, &binary, &config) {
                    Ok(()) => Ok(false),
                    Err(error) => {
                        wire::write_line(stream, &format!("it cannot be started: {error}"))?;
                        Err(error)
                    }
                };
            }
        }
        self.send(stream)?;
        stream.set_read_timeout(Some(START))?;
        let said = wire::read_line(stream)?;
        if said != SERVING {
            return Err(io::Error::other(format!("it said `{}`", said.escape_debug())));
        }
        Ok(true)
    }

    fn send(&self, stream: &UnixStream) -> io::Result<()> {
        let sockets = self.sockets.lock();
        let listening: Vec<&Listening> = sockets.iter().collect();
        let descriptors: Vec<_> = listening.iter().map(|one| one.socket.as_fd()).collect();
        let heritage = self.live.current().gateway.heritage_record();
        let state = State { listening: listening.iter().map(|one| one.asked).collect(), heritage };
        wire::send(stream, &descriptors, &state)
    }

    /// Stops accepting, tells the new process so, and whoever waits for it.
    fn retire(&self, stream: &UnixStream) {
        // Ours is about to be replaced, and its inode may then become that of any later process's socket.
        self.place.lock().take();
        self.live.drain().begin();
        self.handed_over.notify_one();
        if let Err(error) = wire::write_line(stream, DRAINING) {
            warn!("the new process was not told that this one finishes: {error}");
        }
    }
}

/// Waits until a new process has taken over.
pub fn serve(giver: &Giver, listener: &UnixListener) {
    for stream in listener.incoming() {
        let handed_over = stream.and_then(|stream| Ok((giver.hand_over(&stream)?, stream)));
        match handed_over {
            Ok((true, stream)) => {
                giver.retire(&stream);
                break;
            }
            Ok((false, _)) => {}
            Err(error) => error!("the new process has not taken over, and this one serves on: {error}"),
        }
    }
}

/// Listens at `path`, for this user alone. What another process has left there is replaced in one step.
fn listen(path: &Path) -> io::Result<(UnixListener, (u64, u64))> {
    if let Some(directory) = path.parent() {
        make_private(directory)?;
    }
    let mut new = path.as_os_str().to_owned();
    new.push(format!(".{}", std::process::id()));
    let new = PathBuf::from(new);
    let _ = fs::remove_file(&new);
    let listener = UnixListener::bind(&new)?;
    fs::set_permissions(&new, fs::Permissions::from_mode(0o600))?;
    fs::rename(&new, path)?;
    let metadata = fs::symlink_metadata(path)?;
    Ok((listener, (metadata.dev(), metadata.ino())))
}
