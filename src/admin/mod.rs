//! The admin address: whether the process lives, and whether it serves.

use async_trait::async_trait;
use http::{Method, Response, StatusCode, header};
use pingora_core::apps::http_app::ServeHttp;
use pingora_core::protocols::http::ServerSession;
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
pub struct Admin(Readiness);

impl Admin {
    /// An admin address that tells of `readiness`.
    pub fn new(readiness: Readiness) -> Self {
        Self(readiness)
    }

    fn answer(&self, method: &Method, path: &str) -> (StatusCode, &'static str) {
        let found = match path {
            "/livez" => (StatusCode::OK, "alive\n"),
            "/readyz" if self.0.is_set() => (StatusCode::OK, "ready\n"),
            "/readyz" => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
            _ => return (StatusCode::NOT_FOUND, "not found; here are /livez and /readyz\n"),
        };
        match *method {
            Method::GET | Method::HEAD => found,
            _ => (StatusCode::METHOD_NOT_ALLOWED, "use GET\n"),
        }
    }
}

#[async_trait]
impl ServeHttp for Admin {
    async fn response(&self, session: &mut ServerSession) -> Response<Vec<u8>> {
        let request = session.req_header();
        let (status, text) = self.answer(&request.method, request.uri.path());
        let body = if request.method == Method::HEAD { Vec::new() } else { text.into() };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert(header::CONTENT_LENGTH, text.len().into());
        if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(header::ALLOW, header::HeaderValue::from_static("GET, HEAD"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lives_at_once_and_is_ready_when_it_says_so() {
        let readiness = Readiness::default();
        let admin = Admin::new(readiness.clone());
        let status = |method: Method, path| admin.answer(&method, path).0.as_u16();
        assert_eq!(status(Method::GET, "/livez"), 200);
        assert_eq!(status(Method::GET, "/readyz"), 503);
        readiness.set();
        assert_eq!(status(Method::GET, "/readyz"), 200);
        assert_eq!(status(Method::HEAD, "/readyz"), 200);
        assert_eq!(status(Method::POST, "/livez"), 405);
        assert_eq!(status(Method::GET, "/"), 404);
    }
}
