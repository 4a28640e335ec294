//! What a new process does with the one before, played by the test.

use crate::support::{Gateway, Raw, binary};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use std::io::{BufRead, BufReader, ErrorKind, IoSlice, Write};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Stdio};
use std::time::Duration;
use std::{fs, thread};

/// Far more than the binary needs to start on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Hands these over as the process before does, and waits until the new one says that it serves.
fn hand_over(stream: &UnixStream, sockets: &[&TcpListener]) {
    let line = |of: &UnixStream| BufReader::new(of).lines().next().unwrap().unwrap();
    assert!(line(stream).starts_with(r#"{"version":1,"#));
    let listening: Vec<SocketAddr> = sockets.iter().map(|one| one.local_addr().unwrap()).collect();
    let state = serde_json::json!({ "listening": listening, "heritage": { "healths": [], "lists": [] } });
    let state = state.to_string();
    let descriptors: Vec<_> = sockets.iter().map(AsFd::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut with = SendAncillaryBuffer::new(&mut space);
    assert!(with.push(SendAncillaryMessage::ScmRights(&descriptors)));
    let length = (state.len() as u64).to_be_bytes();
    sendmsg(stream, &[IoSlice::new(&length)], &mut with, SendFlags::NOSIGNAL).unwrap();
    (&mut &*stream).write_all(state.as_bytes()).unwrap();
    assert_eq!(line(stream), "serving");
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What it accepted before would be lost if it died, though the process before it serves on.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_accepted_until_the_process_before_has_stopped() {
    let (listener, admin) =
        (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let (address, admin_address) = (listener.local_addr().unwrap(), admin.local_addr().unwrap());
    let prepared = Gateway::prepare_file(&format!(
        "
listeners: [{{ address: '{address}' }}]
admin: {{ address: '{admin_address}' }}
apis:
  - name: SmartChat
    context: /smartchat
    vendor: openai
    authentication: none
    endpoints:
      production: [{{ name: Primary, url: 'http://127.0.0.1:9/v1' }}]
    operations: [{{ method: GET, path: /models }}]
"
    ));
    fs::create_dir(prepared.path("state")).unwrap();
    let upgrade_sock = UnixListener::bind(prepared.path("state/upgrade.sock")).unwrap();
    let mut command = binary();
    command.arg("run").arg("--upgrade").arg("-c").arg(prepared.file()).stderr(Stdio::null());
    let _new = Killed(command.spawn().unwrap());
    let (stream, _) = upgrade_sock.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    hand_over(&stream, &[&listener, &admin]);

    let client = TcpStream::connect(address).unwrap();
    // Time for it to accept what it must not.
    thread::sleep(Duration::from_millis(200));
    listener.set_nonblocking(true).unwrap();
    let accepted = listener.accept().unwrap_or_else(|error| panic!("it has accepted the client: {error}"));
    assert_eq!(accepted.1, client.local_addr().unwrap());
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);

    let mut waiting = Raw::connect(address).await;
    waiting.send("GET /nowhere HTTP/1.1\r\nHost: gateway.test\r\n\r\n").await;
    (&stream).write_all(b"draining\n").unwrap();
    drop(listener);
    assert_eq!(waiting.answer().await.status.as_u16(), 404);
}
