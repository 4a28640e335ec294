//! What goes over the upgrade socket.

use crate::gateway::HeritageRecord;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, BufReader, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

/// The version of the protocol.
pub const VERSION: u32 = 1;

/// The most sockets that one message can carry (`SCM_MAX_FD` of Linux).
pub const MAX_SOCKETS: usize = 253;

/// The longest state that is taken over, in bytes.
const MAX_STATE: u64 = 256 << 20;

/// The longest line, in bytes.
const MAX_LINE: u64 = 1024;

/// What the new process says when it serves.
pub const SERVING: &str = "serving";

/// What the old one answers.
pub const DRAINING: &str = "draining";

/// What whoever connects begins with.
#[derive(Debug, Serialize, Deserialize)]
pub struct Hello {
    /// The version of the protocol that it speaks.
    pub version: u32,
    /// What it is here for.
    pub wants: Wants,
}

/// What somebody connects for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wants {
    /// A new process: the sockets and the state.
    Takeover {
        /// Its id.
        pid: u32,
    },
    /// `evenkeel upgrade`: that a new process is started. Over this connection that one tells what becomes of it.
    Successor {
        /// The program.
        binary: PathBuf,
        /// The configuration that it is to serve.
        config: PathBuf,
    },
}

/// What the old process hands over.
#[derive(Debug, Serialize, Deserialize)]
pub struct State {
    /// The addresses of the sockets, in their order.
    pub listening: Vec<SocketAddr>,
    /// What its gateway leaves.
    pub heritage: HeritageRecord,
}

/// Writes one line.
pub fn write_line(mut stream: &UnixStream, line: &str) -> io::Result<()> {
    stream.write_all(format!("{line}\n").as_bytes())
}

/// Reads one line, without its end. Nothing may follow it until it is answered.
pub fn read_line(stream: &UnixStream) -> io::Result<String> {
    let mut line = String::new();
    BufReader::new(stream.take(MAX_LINE)).read_line(&mut line)?;
    match line.strip_suffix('\n') {
        Some(line) => Ok(line.to_owned()),
        None => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the other process has gone away")),
    }
}

/// Sends `state`, and `sockets` with it.
pub fn send(mut stream: &UnixStream, sockets: &[BorrowedFd<'_>], state: &State) -> io::Result<()> {
    let state = serde_json::to_vec(state)?;
    let length = (state.len() as u64).to_be_bytes();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_SOCKETS))];
    let mut with = SendAncillaryBuffer::new(&mut space);
    if !with.push(SendAncillaryMessage::ScmRights(sockets)) {
        return Err(io::Error::other(format!("more than {MAX_SOCKETS} sockets cannot be handed over")));
    }
    let sent = sendmsg(stream, &[IoSlice::new(&length)], &mut with, SendFlags::NOSIGNAL)?;
    stream.write_all(length.get(sent..).unwrap_or_default())?;
    stream.write_all(&state)
}

/// Receives a state and the sockets that came with it.
pub fn receive(mut stream: &UnixStream) -> io::Result<(Vec<OwnedFd>, State)> {
    let mut length = [0; 8];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_SOCKETS))];
    let mut with = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC;
    let message = recvmsg(stream, &mut [IoSliceMut::new(&mut length)], &mut with, flags)?;
    let mut sockets = Vec::new();
    for part in with.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = part {
            sockets.extend(received);
        }
    }
    if message.flags.contains(ReturnFlags::CTRUNC) {
        return Err(io::Error::other("not all sockets came over: too many files are open"));
    }
    stream.read_exact(length.get_mut(message.bytes..).unwrap_or_default())?;
    let length = u64::from_be_bytes(length);
    if length > MAX_STATE {
        return Err(io::Error::other("what came over is no state"));
    }
    let mut state = Vec::new();
    stream.take(length).read_to_end(&mut state)?;
    Ok((sockets, serde_json::from_slice(&state)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;

    #[test]
    fn sockets_and_state_come_over() {
        let (old, new) = UnixStream::pair().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = State { listening: vec![address], heritage: HeritageRecord::default() };
        send(&old, &[listener.as_fd()], &state).unwrap();
        drop(listener);
        let (sockets, state) = receive(&new).unwrap();
        assert_eq!(state.listening, [address]);
        let [socket] = <[OwnedFd; 1]>::try_from(sockets).unwrap();
        let listener = TcpListener::from(socket);
        let client = TcpStream::connect(address).unwrap();
        assert_eq!(listener.accept().unwrap().1, client.local_addr().unwrap());
    }

    #[test]
    fn a_process_that_goes_away_is_noticed() {
        for sent in ["", "serv", &"x".repeat(5000)] {
            let (old, new) = UnixStream::pair().unwrap();
            (&old).write_all(sent.as_bytes()).unwrap();
            drop(old);
            assert!(read_line(&new).is_err(), "{sent}");
        }
        let (old, new) = UnixStream::pair().unwrap();
        (&old).write_all(&[0, 0, 0, 0, 0, 0, 0, 9, b'{']).unwrap();
        drop(old);
        assert!(receive(&new).is_err());
        let (old, new) = UnixStream::pair().unwrap();
        (&old).write_all(&[0xff; 8]).unwrap();
        assert!(receive(&new).is_err(), "no memory is asked for");
    }
}
