//! A client that sends what no HTTP library would.

use super::Answer;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Far more than an answer needs on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to the gateway on which every byte is the test's own.
pub struct Raw(BufReader<TcpStream>);

impl Raw {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Self {
        Self(BufReader::new(TcpStream::connect(address).await.unwrap()))
    }

    /// Sends these bytes.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(bytes.as_ref()).await.unwrap();
    }

    /// The same, to a gateway that may not want all of them.
    pub async fn try_send(&mut self, bytes: &[u8]) {
        let _ = self.0.get_mut().write_all(bytes).await;
    }

    /// Sends no more.
    pub async fn finish(&mut self) {
        let _ = self.0.get_mut().shutdown().await;
    }

    /// The next answer with the body that its `Content-Length` tells.
    pub async fn answer(&mut self) -> Answer {
        let mut answer = self.header().await;
        let length = answer.header("content-length").parse().unwrap();
        let mut body = vec![0; length];
        timeout(PATIENCE, self.0.read_exact(&mut body)).await.expect("no body came").unwrap();
        answer.body = body.into();
        answer
    }

    /// The header of the next answer.
    pub async fn header(&mut self) -> Answer {
        let line = self.line().await;
        let status = line.split(' ').nth(1).unwrap_or_else(|| panic!("no status line: {line:?}"));
        let status: StatusCode = status.parse().unwrap();
        let mut headers = HeaderMap::new();
        loop {
            let line = self.line().await;
            if line.is_empty() {
                return Answer { status, headers, body: Bytes::new() };
            }
            let (name, value) = line.split_once(':').unwrap();
            let name = HeaderName::try_from(name).unwrap();
            headers.append(name, HeaderValue::try_from(value.trim()).unwrap());
        }
    }

    /// Whatever else comes until the gateway closes the connection.
    pub async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A reset closes it, too.
        let _ = timeout(PATIENCE, self.0.read_to_end(&mut rest)).await.expect("it is not closed");
        rest
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        timeout(PATIENCE, self.0.read_line(&mut line)).await.expect("no answer came").unwrap();
        let Some(text) = line.strip_suffix("\r\n") else {
            panic!("the connection was closed after {line:?}");
        };
        text.to_owned()
    }
}
