//! From a request to its answer.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;

use super::Options;
use super::answer::{Words, error, models};
use super::body::AnswerBody;
use super::delivery;
use super::fail_rate::FailSchedule;
use super::faults::{Fault, Faults, Met};
use super::ledger::{Ledger, SeenRequest, UnderWay};
use super::pause::pause;
use super::request::{Ask, EmbeddingsAsk, Route};
use super::script::{ChunkShape, Script, UsageChunk};

/// Larger bodies get 413: a vendor has its limit too, and this one holds a body in memory.
const MAX_BODY: usize = 64 * 1024 * 1024;
const GREETING: &str = "evenkeel mock vendor\n";

/// What all connections of one vendor share.
#[derive(Debug)]
pub(super) struct Vendor {
    pub(super) options: Options,
    pub(super) ledger: Ledger,
    pub(super) faults: Faults,
    /// `Bearer …`, as it must be presented.
    authorization: Option<String>,
    failing: Option<FailSchedule>,
    answered: AtomicU64,
}

/// No answer: the connection or stream is to be closed. hyper does so when a service fails.
#[derive(Debug, thiserror::Error)]
#[error("closed before any answer, as switched")]
pub(super) struct Closed;

/// An answer with a whole body that is no success.
struct Refusal {
    status: StatusCode,
    json: String,
}

impl Vendor {
    pub(super) fn new(options: Options) -> Self {
        Self {
            authorization: options.credential.as_ref().map(|credential| format!("Bearer {credential}")),
            failing: options.fail.map(FailSchedule::new),
            options,
            ledger: Ledger::default(),
            faults: Faults::default(),
            answered: AtomicU64::new(0),
        }
    }

    pub(super) async fn answer(&self, request: Request<Incoming>) -> Result<Response<AnswerBody>, Closed> {
        let under_way = self.ledger.begin();
        let (parts, body) = request.into_parts();
        let body = match Limited::new(body, MAX_BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(cause) if cause.is::<LengthLimitError>() => {
                let message = format!("The request's body is larger than {MAX_BODY} bytes.");
                let refusal = Refusal::invalid(StatusCode::PAYLOAD_TOO_LARGE, &message, None);
                return Ok(refusal.into_response(under_way));
            }
            // The client broke off: nobody is there to be answered.
            Err(_) => return Err(Closed),
        };
        if self.options.record {
            self.ledger.record(seen(&parts, body.clone()));
        }
        let route = Route::of(&parts.method, parts.uri.path());
        if let Route::Greeting = route {
            return Ok(response(
                StatusCode::OK,
                "text/plain; charset=utf-8",
                AnswerBody::whole(Bytes::from_static(GREETING.as_bytes()), under_way),
            ));
        }
        if let Err(refusal) = self.admit(&parts.headers) {
            return Ok(refusal.into_response(under_way));
        }
        self.serve(route, parts.uri.path(), body, under_way).await
    }

    fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(expected) = &self.authorization else {
            return Ok(());
        };
        let presented = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        if presented == Some(expected.as_bytes()) {
            return Ok(());
        }
        let message = match presented {
            Some(_) => "Incorrect API key provided.",
            None => "You didn't provide an API key.",
        };
        Err(Refusal::invalid(StatusCode::UNAUTHORIZED, message, Some("invalid_api_key")))
    }

    async fn serve(
        &self,
        route: Route,
        path: &str,
        body: Bytes,
        under_way: UnderWay,
    ) -> Result<Response<AnswerBody>, Closed> {
        let asked = match Asked::read(route, path, &body) {
            Ok(asked) => asked,
            Err(refusal) => return Ok(refusal.into_response(under_way)),
        };
        if let Some(model) = asked.model() {
            self.ledger.count(model);
        }
        let met = self.faults.met_by(asked.model());
        if !self.options.latency.is_zero() {
            pause(self.options.latency).await;
        }
        match met.fault {
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::CloseBeforeHeaders) => return Err(Closed),
            Some(Fault::Status { status, headers, body }) => {
                return Ok(failure(status, headers, body, under_way));
            }
            // What the others do to a good answer, `delivery` knows.
            _ => {}
        }
        if let Some(status) = self.failing.as_ref().and_then(FailSchedule::next) {
            return Ok(failure(status, HeaderMap::new(), None, under_way));
        }
        Ok(self.succeed(&asked, body.len(), met, under_way))
    }

    fn succeed(
        &self,
        asked: &Asked<'_>,
        body_length: usize,
        met: Met,
        under_way: UnderWay,
    ) -> Response<AnswerBody> {
        let number = self.answered.fetch_add(1, Ordering::Relaxed);
        let words = |ask: &Ask<'_>| Words::new(&ask.model, body_length, number);
        let whole = |ask: &Ask<'_>| words(ask).at_least(self.options.answer_bytes);
        let json = match asked {
            Asked::Completion(ask, shape) if ask.is_streamed() => {
                let usage = if ask.wants_usage() { UsageChunk::Sent } else { UsageChunk::LeftOut };
                let chunks = self.options.stream_chunks;
                let script = Script::new(&words(ask), *shape, chunks, usage);
                let extra = extra_headers(&met);
                let body = delivery::streamed(script, met, self.options.chunk_interval, under_way);
                let mut response = response(StatusCode::OK, "text/event-stream", body);
                response.headers_mut().extend(extra);
                response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
                return response;
            }
            Asked::Completion(ask, ChunkShape::Chat) => whole(ask).chat_completion(),
            Asked::Completion(ask, ChunkShape::Text) => whole(ask).completion(),
            Asked::Embeddings(ask, further) => words(ask).embeddings(further.input, further.encoding_format),
            Asked::Response(ask) => whole(ask).response(),
            Asked::Models => models(),
        };
        let extra = extra_headers(&met);
        let body = delivery::whole(Bytes::from(json), met, under_way);
        let mut response = response(StatusCode::OK, "application/json", body);
        response.headers_mut().extend(extra);
        response
    }
}

fn extra_headers(met: &Met) -> HeaderMap {
    match &met.fault {
        Some(Fault::Headers(headers)) => headers.clone(),
        _ => HeaderMap::new(),
    }
}

/// A request that can be answered.
enum Asked<'a> {
    Completion(Ask<'a>, ChunkShape),
    Embeddings(Ask<'a>, EmbeddingsAsk),
    Response(Ask<'a>),
    Models,
}

impl<'a> Asked<'a> {
    fn read(route: Route, path: &str, body: &'a [u8]) -> Result<Self, Refusal> {
        match route {
            Route::ChatCompletions => Ok(Self::Completion(parse(body)?, ChunkShape::Chat)),
            Route::Completions => Ok(Self::Completion(parse(body)?, ChunkShape::Text)),
            Route::Embeddings => Ok(Self::Embeddings(parse(body)?, parse(body)?)),
            Route::Responses => {
                let ask: Ask<'_> = parse(body)?;
                if ask.is_streamed() {
                    let message = "The mock vendor answers the Responses API whole, not streamed.";
                    return Err(Refusal::invalid(StatusCode::BAD_REQUEST, message, None));
                }
                Ok(Self::Response(ask))
            }
            Route::Models => Ok(Self::Models),
            Route::Greeting | Route::Unknown => {
                let message = format!("The mock vendor has no such operation: {path}");
                let code = Some("unknown_url");
                Err(Refusal::invalid(StatusCode::NOT_FOUND, &message, code))
            }
        }
    }

    fn model(&self) -> Option<&str> {
        match self {
            Self::Completion(ask, _) | Self::Embeddings(ask, _) | Self::Response(ask) => Some(&ask.model),
            Self::Models => None,
        }
    }
}

fn parse<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|cause| {
        let message = format!("The request's body cannot be read: {cause}");
        Refusal::invalid(StatusCode::BAD_REQUEST, &message, None)
    })
}

impl Refusal {
    fn invalid(status: StatusCode, message: &str, code: Option<&str>) -> Self {
        Self { status, json: error(message, "invalid_request_error", code) }
    }

    fn into_response(self, under_way: UnderWay) -> Response<AnswerBody> {
        let body = AnswerBody::whole(Bytes::from(self.json), under_way);
        response(self.status, "application/json", body)
    }
}

/// The answer of a request that was switched to fail. `headers` go before ours.
fn failure(
    status: StatusCode,
    headers: HeaderMap,
    body: Option<Bytes>,
    under_way: UnderWay,
) -> Response<AnswerBody> {
    let body = body.unwrap_or_else(|| {
        let message = format!("The mock vendor was told to answer {}.", status.as_str());
        let kind = match status {
            StatusCode::TOO_MANY_REQUESTS => "requests",
            _ if status.is_client_error() => "invalid_request_error",
            _ => "server_error",
        };
        Bytes::from(error(&message, kind, None))
    });
    let body = AnswerBody::whole(body, under_way);
    let mut response = response(status, "application/json", body);
    response.headers_mut().extend(headers);
    response
}

fn response(status: StatusCode, content_type: &'static str, body: AnswerBody) -> Response<AnswerBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn seen(parts: &http::request::Parts, body: Bytes) -> SeenRequest {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    SeenRequest {
        method: parts.method.clone(),
        path: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
        authority: parts
            .uri
            .authority()
            .map(ToString::to_string)
            .or_else(|| parts.headers.get(HOST).map(text)),
        headers: parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
        body,
        version: parts.version,
    }
}
