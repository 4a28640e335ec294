//! A vendor that answers as no HTTP library would.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What it does, having read a request's header. After the last step the connection is closed.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Reads the body: a connection that is closed with bytes unread is reset.
    Read,
    /// Sends these bytes.
    Send(&'static str),
    /// Sends these, which are no text.
    SendBytes(&'static [u8]),
    /// Lets the gateway take in what was sent.
    Pause(Duration),
    /// Says nothing more, and reads what comes, until the gateway closes the connection.
    Hang,
    /// Resets the connection instead of closing it.
    Reset,
}

/// A vendor that takes the same steps with every request; dropping it closes its listener.
pub struct RawVendor {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl RawVendor {
    /// Listens on a port of the system's choice.
    pub async fn start(steps: &[Step]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let steps: Arc<[Step]> = steps.into();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&steps)));
            }
        });
        Self { address, accepting }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for RawVendor {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The gateway may close the connection at any step.
async fn answer(stream: TcpStream, steps: Arc<[Step]>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut stream = BufReader::new(stream);
    let length = read_header(&mut stream).await?;
    for step in steps.iter() {
        match step {
            Step::Read => drop(stream.read_exact(&mut vec![0; length]).await.ok()?),
            Step::Send(text) => stream.get_mut().write_all(text.as_bytes()).await.ok()?,
            Step::SendBytes(bytes) => stream.get_mut().write_all(bytes).await.ok()?,
            Step::Pause(length) => tokio::time::sleep(*length).await,
            Step::Hang => {
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
            Step::Reset => socket2::SockRef::from(stream.get_ref()).set_linger(Some(Duration::ZERO)).ok()?,
        }
    }
    Some(())
}

/// Reads the header of a request whose length is told, and returns that.
async fn read_header(stream: &mut BufReader<TcpStream>) -> Option<usize> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|&read| read > 0)?;
        if line == "\r\n" {
            return Some(length);
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
}
