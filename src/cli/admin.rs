//! Talking to a running instance over its admin address.

use super::Failure;
use crate::config::AdminAccess;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::TcpStream;

/// How long connecting may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);

/// How long an answer may take. A reload reads files and loads certificates.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// The greatest answer, in bytes: far more than thousands of pairs take.
const GREATEST_ANSWER: usize = 64 << 20;

/// What stands as it is in a segment of a path (RFC 3986, 2.3).
const IN_SEGMENTS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Which instance is meant.
#[derive(Debug, clap::Args)]
pub struct Instance {
    /// The configuration file that it serves, which names the admin address and the token.
    #[arg(short, long, value_name = "FILE", required_unless_present = "admin")]
    config: Option<PathBuf>,
    /// The admin address, where it is not that of the file.
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<SocketAddr>,
    /// A file with the token, where it is not that of the configuration.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// A running instance, as far as is known.
pub struct Client {
    address: SocketAddr,
    authorization: Option<HeaderValue>,
    /// What is wrong with the configuration file.
    pub problem: Option<String>,
}

/// What an instance answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body; null if there is none.
    pub body: Value,
}

impl Instance {
    /// The one that serves this file, or that is at this address.
    pub fn new(config: Option<PathBuf>, admin: Option<SocketAddr>) -> Self {
        Self { config, admin, token_file: None }
    }

    /// The instance. A file with errors is no hindrance: the running process has loaded it when it had none.
    pub fn client(&self) -> Result<Client, Failure> {
        let (address, token, problem) = match (self.admin, self.config.as_deref().map(AdminAccess::of_file)) {
            (admin, Some(Ok(access))) => (admin.or(access.address), access.token, access.problem),
            (admin, Some(Err(report))) => (admin, None, Some(report)),
            (admin, None) => (admin, None, None),
        };
        let address = match (address, &problem) {
            (Some(address), _) => address,
            (None, Some(report)) => {
                let message = format!(
                    "{report}\n\nThe file does not tell the admin address: mend it, or give --admin."
                );
                return Err(Failure::Configuration(message));
            }
            (None, None) => return Err(Failure::Usage("give --config or --admin".to_owned())),
        };
        if address.port() == 0 {
            let message = "the file leaves the port of the admin address to the system; give --admin";
            return Err(Failure::Usage(message.to_owned()));
        }
        let token = match &self.token_file {
            Some(file) => Some(std::fs::read_to_string(file).map_err(|error| {
                Failure::Other(format!("the token file {} cannot be read: {error}", file.display()))
            })?),
            None => token,
        };
        let authorization = token.map(|token| bearer(token.trim())).transpose()?;
        Ok(Client { address, authorization, problem: problem.map(|report| report.to_string()) })
    }
}

fn bearer(token: &str) -> Result<HeaderValue, Failure> {
    let value = HeaderValue::try_from(format!("Bearer {token}"));
    let mut value =
        value.map_err(|_| Failure::Usage("the token holds what no header can hold".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

impl Client {
    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends a request, and waits for the answer.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, Failure> {
        let sent = within(CONNECT_LIMIT, async { Ok(TcpStream::connect(self.address).await?) });
        let answered = match sent.await {
            Ok(stream) => within(ANSWER_LIMIT, self.exchange(stream, method, path, body)).await,
            Err(error) => Err(error),
        };
        let unreachable = |error| format!("no instance can be reached at {}: {error}", self.address);
        answered.map_err(|error| Failure::Other(unreachable(error)))
    }

    /// The same, and turns an answer that tells of an error into a failure.
    pub async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let answer = self.send(method, path, body).await?;
        if answer.status.is_success() { Ok(answer.body) } else { Err(self.failure(&answer)) }
    }

    /// What an answer that tells of an error says.
    pub fn failure(&self, answer: &Answer) -> Failure {
        let message = answer.body.pointer("/error/message").and_then(Value::as_str);
        let address = self.address;
        let text = match (answer.status, message) {
            (StatusCode::UNAUTHORIZED, Some(message)) => format!(
                "{address} does not let us in: {message}\nIf the token in the file is new, the process knows the former \
                 one until it is reloaded: give that one with --token-file, or send the process SIGHUP."
            ),
            (_, Some(message)) => message.to_owned(),
            (status, None) => format!("{address} answered {status}; is it the admin address of Evenkeel?"),
        };
        match answer.status {
            StatusCode::UNPROCESSABLE_ENTITY => Failure::Configuration(text),
            _ => Failure::Other(text),
        }
    }

    async fn exchange(
        &self,
        stream: TcpStream,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Error> {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // It ends with the connection.
        drop(tokio::spawn(connection));
        let mut request = Request::builder().method(method).uri(path).header(HOST, self.address.to_string());
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let bytes = match body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                Bytes::from(serde_json::to_vec(body)?)
            }
            None => Bytes::new(),
        };
        let (parts, body) = sender.send_request(request.body(Full::new(bytes))?).await?.into_parts();
        let body = Limited::new(body, GREATEST_ANSWER).collect().await?;
        // What is not JSON is not ours; the status tells.
        let body = serde_json::from_slice(&body.to_bytes()).unwrap_or(Value::Null);
        Ok(Answer { status: parts.status, body })
    }
}

/// Why nothing was answered.
type Error = Box<dyn std::error::Error + Send + Sync>;

async fn within<T>(limit: Duration, future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match tokio::time::timeout(limit, future).await {
        Ok(result) => result,
        Err(_) => Err(format!("nothing came within {} s", limit.as_secs()).into()),
    }
}

/// A name as a segment of a path.
pub fn segment(name: &str) -> String {
    utf8_percent_encode(name, IN_SEGMENTS).to_string()
}

/// Runs a command that talks to an instance.
pub fn run<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(command)
}
