//! The admin address: health, and the management API.
//!
//! `routes` is the one table of what there is; each entry is a type that implements `operation::Operation`, from which both
//! the answers and the OpenAPI document (`openapi`) are made. `guard` says who may use it. Pingora is named here and in
//! `body` alone: an operation sees an `exchange::Call`.

mod audit;
mod body;
mod content;
mod describe;
mod exchange;
mod guard;
mod keys;
mod metrics;
mod openapi;
mod operation;
mod probes;
mod refusal;
mod reload;
mod routes;
mod served;
mod span;
mod status;
mod steer;
mod template;

pub use span::{HoldSpan, HoldSpanError};

use crate::live::Live;

use async_trait::async_trait;
use exchange::{Call, Reply};
use guard::Lock;
use http::header::{self, HeaderValue};
use http::{Method, Response};
use pingora_core::apps::http_app::ServeHttp;
use pingora_core::protocols::http::ServerSession;
use refusal::{Code, Refusal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the server's listeners take connections.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// From now on they do.
    pub fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether they do.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Answers on the admin address.
pub struct Admin(Arc<Desk>);

/// What the operations work with.
struct Desk {
    live: Arc<Live>,
    readiness: Readiness,
    /// Whether only this machine reaches the address that the process has opened.
    loopback: bool,
}

impl Desk {
    fn asks_for_token(&self) -> bool {
        self.live.current().settings.admin.token.is_some()
    }

    fn lock(&self) -> Lock {
        Lock::new(self.loopback, self.live.current().settings.admin.token.as_deref())
    }
}

impl Admin {
    /// The admin address that `live` began with, which tells of it and of `readiness`.
    pub fn new(live: Arc<Live>, readiness: Readiness) -> Self {
        let loopback = live.current().settings.admin.address.ip().is_loopback();
        Self(Arc::new(Desk { live, readiness, loopback }))
    }

    async fn answer(&self, session: &mut ServerSession) -> Result<Reply, Refusal> {
        let peer = session.client_addr().and_then(|peer| peer.as_inet()).copied();
        let request = session.req_header();
        let path = request.uri.path();
        if operation::is_guarded(path) {
            self.0.lock().admit(&request.headers, request.uri.authority()).inspect_err(|refusal| {
                audit::refused(peer, format_args!("{} {}", request.method, audit::Shown(path)), refusal);
            })?;
        }
        let (route, names) = routes::find(&request.method, path)?;
        let body = if route.reads_body { body::read(session).await? } else { exchange::Body::default() };
        let call = Call { names, body, peer };
        if route.immediate {
            return Ok((route.run)(&self.0, &call));
        }
        let desk = Arc::clone(&self.0);
        // What waits for a lock or a file must not hold up the probes.
        let run = tokio::task::spawn_blocking(move || (route.run)(&desk, &call));
        run.await
            .map_err(|_| Refusal::new(Code::Internal, "the gateway has made a mistake; its log has more"))
    }
}

#[async_trait]
impl ServeHttp for Admin {
    async fn response(&self, session: &mut ServerSession) -> Response<Vec<u8>> {
        let answer = self.answer(session).await;
        let keep = !matches!(&answer, Err(refusal) if refusal.code().leaves_body());
        if !keep {
            session.set_keepalive(None);
        }
        respond(answer.unwrap_or_else(Refusal::reply), session.req_header().method == Method::HEAD)
    }
}

/// `reply` as Pingora sends it; without its body if `head_only`.
fn respond(reply: Reply, head_only: bool) -> Response<Vec<u8>> {
    let Reply { status, content_type, body, header } = reply;
    let length = body.len();
    let mut response = Response::new(if head_only { Vec::new() } else { body });
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(content_type) = content_type {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(header::CONTENT_LENGTH, length.into());
    }
    if let Some((name, value)) = header.and_then(|(name, value)| Some((name, value.parse().ok()?))) {
        headers.insert(name, value);
    }
    response
}

#[cfg(test)]
mod tests;
