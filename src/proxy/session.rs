//! A session that stands in the place of the client's own where Pingora's does not do what is needed:
//!
//! - it plays the retry buffer for a body of more than 64 KiB whose length was not known beforehand, so that
//!   `request_body_filter` is called for it ([`super::body`] tells why it would not be);
//! - it ends a try whose vendor is silent for longer than the shorter of two timeouts, of which Pingora knows only the
//!   longer ([`super::deadline`]);
//! - it lets a response on to the client only when nothing better can be had ([`super::gate`]).
//!
//! Everything else it passes on. The client's session goes back to its place before the request is over, so that its
//! connection is kept alive or closed as ever. Pingora keeps the trait out of its documentation;
//! `tests/integration/bodies.rs` holds it to what is relied on here.

use super::deadline::Watch;
use super::gate::Gate;
use crate::live::Drain;
use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use parking_lot::Mutex;
use pingora_core::Result;
use pingora_core::protocols::Digest;
use pingora_core::protocols::http::custom::CustomMessageWrite;
use pingora_core::protocols::http::custom::server::Session;
use pingora_core::protocols::http::{HttpTask, ServerSession};
use pingora_core::protocols::l4::socket::SocketAddr;
use pingora_http::{RequestHeader, ResponseHeader};
use std::sync::Arc;
use std::time::Duration;

/// The client's session, to be put back in its place.
pub struct Wrapped(Arc<Mutex<Option<Box<ServerSession>>>>);

impl Wrapped {
    /// Puts another session in the place of `session`: one that plays to every try what `replay` says, that ends a try
    /// when `watch` says so, and that lets of a response on what `gate` lets.
    pub fn wrap(
        session: &mut Box<ServerSession>,
        replay: Replay,
        watch: Watch,
        gate: Gate,
        drain: Arc<Drain>,
    ) -> Self {
        let home = Arc::new(Mutex::new(None));
        let client = std::mem::replace(session, nobody());
        let stand_in = StandIn { client, replay, watch, gate, drain, home: home.clone() };
        **session = ServerSession::new_custom(Box::new(stand_in));
        Self(home)
    }

    /// Puts the client's session back.
    pub fn unwrap(self, session: &mut Box<ServerSession>) {
        // The stand-in leaves the client's session at home when it is dropped.
        drop(std::mem::replace(session, nobody()));
        if let Some(client) = self.0.lock().take() {
            *session = client;
        }
    }
}

/// A session with nobody at the other end.
fn nobody() -> Box<ServerSession> {
    Box::new(ServerSession::new_custom(Box::new(())))
}

/// What a try is played as the client's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    /// What the client's own session has.
    Clients,
    /// [`STAND_IN_BODY`] in the place of one that has been read.
    Body,
}

/// What `request_body_filter` is called with in the place of a body that has been read, and replaces by the body.
const STAND_IN_BODY: Bytes = Bytes::from_static(b"-");

struct StandIn {
    client: Box<ServerSession>,
    replay: Replay,
    watch: Watch,
    gate: Gate,
    drain: Arc<Drain>,
    home: Arc<Mutex<Option<Box<ServerSession>>>>,
}

impl Drop for StandIn {
    fn drop(&mut self) {
        let client = std::mem::replace(&mut self.client, nobody());
        *self.home.lock() = Some(client);
    }
}

impl StandIn {
    /// Whether the client's body has been read.
    fn has_read(&self) -> bool {
        self.replay == Replay::Body
    }
}

type CustomMessages = Box<dyn futures::Stream<Item = Result<Bytes>> + Unpin + Send + Sync + 'static>;

#[async_trait]
impl Session for StandIn {
    fn req_header(&self) -> &RequestHeader {
        self.client.req_header()
    }

    fn req_header_mut(&mut self) -> &mut RequestHeader {
        self.client.req_header_mut()
    }

    async fn read_body_bytes(&mut self) -> Result<Option<Bytes>> {
        match self.replay {
            Replay::Body => Ok(None),
            Replay::Clients => self.client.read_request_body().await,
        }
    }

    async fn drain_request_body(&mut self) -> Result<()> {
        self.client.drain_request_body().await
    }

    async fn write_response_header(&mut self, header: Box<ResponseHeader>, _end: bool) -> Result<()> {
        self.client.write_response_header(header).await
    }

    async fn write_response_header_ref(&mut self, header: &ResponseHeader, _end: bool) -> Result<()> {
        self.client.write_response_header_ref(header).await
    }

    async fn write_body(&mut self, data: Bytes, end: bool) -> Result<()> {
        self.client.write_response_body(data, end).await
    }

    async fn write_trailers(&mut self, trailers: HeaderMap) -> Result<()> {
        self.client.write_response_trailers(trailers).await
    }

    async fn response_duplex_vec(&mut self, tasks: Vec<HttpTask>) -> Result<bool> {
        match self.gate.pass(tasks)? {
            Some(tasks) => {
                let begun = self.client.response_written().is_some_and(|it| !it.status.is_informational());
                if self.drain.is_draining() && !begun {
                    // Nobody else can reach the client's session to say so. Where the header has gone already, the
                    // client is told with its next answer: it may be sending that request now.
                    self.client.set_keepalive(None);
                }
                self.client.response_duplex_vec(tasks).await
            }
            None => Ok(false),
        }
    }

    fn set_read_timeout(&mut self, timeout: Option<Duration>) {
        self.client.set_read_timeout(timeout);
    }

    fn get_read_timeout(&self) -> Option<Duration> {
        self.client.get_read_timeout()
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) {
        self.client.set_write_timeout(timeout);
    }

    fn get_write_timeout(&self) -> Option<Duration> {
        self.client.get_write_timeout()
    }

    fn set_total_drain_timeout(&mut self, timeout: Option<Duration>) {
        self.client.set_total_drain_timeout(timeout);
    }

    fn get_total_drain_timeout(&self) -> Option<Duration> {
        self.client.get_total_drain_timeout()
    }

    fn request_summary(&self) -> String {
        self.client.request_summary()
    }

    fn response_written(&self) -> Option<&ResponseHeader> {
        self.client.response_written()
    }

    async fn shutdown(&mut self, _code: u32, _context: &str) {
        self.client.shutdown().await;
    }

    fn is_body_done(&mut self) -> bool {
        self.has_read() || self.client.is_body_done()
    }

    async fn finish(&mut self) -> Result<()> {
        self.client.finish_body().await
    }

    fn is_body_empty(&mut self) -> bool {
        !self.has_read() && self.client.is_body_empty()
    }

    async fn read_body_or_idle(&mut self, no_body_expected: bool) -> Result<Option<Bytes>> {
        let idle = no_body_expected || self.has_read();
        tokio::select! {
            body = self.client.read_body_or_idle(idle) => body,
            timed_out = self.watch.passed() => Err(timed_out),
        }
    }

    fn body_bytes_sent(&self) -> usize {
        self.client.body_bytes_sent()
    }

    fn body_bytes_read(&self) -> usize {
        self.client.body_bytes_read()
    }

    fn digest(&self) -> Option<&Digest> {
        self.client.digest()
    }

    fn digest_mut(&mut self) -> Option<&mut Digest> {
        self.client.digest_mut()
    }

    fn client_addr(&self) -> Option<&SocketAddr> {
        self.client.client_addr()
    }

    fn server_addr(&self) -> Option<&SocketAddr> {
        self.client.server_addr()
    }

    fn pseudo_raw_h1_request_header(&self) -> Bytes {
        self.client.to_h1_raw()
    }

    fn enable_retry_buffering(&mut self) {
        if !self.has_read() {
            self.client.enable_retry_buffering();
        }
    }

    fn retry_buffer_truncated(&self) -> bool {
        !self.has_read() && self.client.retry_buffer_truncated()
    }

    fn get_retry_buffer(&self) -> Option<Bytes> {
        match self.replay {
            Replay::Body => Some(STAND_IN_BODY),
            Replay::Clients => self.client.get_retry_buffer(),
        }
    }

    async fn finish_custom(&mut self) -> Result<()> {
        Ok(())
    }

    fn take_custom_message_reader(&mut self) -> Option<CustomMessages> {
        None
    }

    fn restore_custom_message_reader(&mut self, _reader: CustomMessages) -> Result<()> {
        Ok(())
    }

    fn take_custom_message_writer(&mut self) -> Option<Box<dyn CustomMessageWrite>> {
        None
    }

    fn restore_custom_message_writer(&mut self, _writer: Box<dyn CustomMessageWrite>) -> Result<()> {
        Ok(())
    }
}
