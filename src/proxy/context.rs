//! What is known of one request while it is served.

use super::deadline::Deadline;
use super::gate::{Gate, Kept};
use super::headers::request_id;
use super::refusal::Refusal;
use super::session::Wrapped;
use super::stopwatch::Stopwatch;
use super::told::Told;
use crate::balance::{Choice, Finding, Outcome, Tick, Trail};
use crate::gateway::{AiApi, Endpoint, Environment, Operation, Pair, Pairs, Timeouts};
use crate::keys::KeyRecord;
use crate::live::{Serving, UnderWay};
use crate::observe::trace::{AttemptSpan, Trace, Tracing};
use crate::splice;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use pingora_core::protocols::l4::socket::SocketAddr;
use std::fmt::Write as _;
use std::sync::Arc;

/// One request, from its first byte to its line in the access log.
pub struct RequestContext {
    /// What it is served with, from its beginning to its end.
    pub serving: Arc<Serving>,
    /// It is under way.
    pub under_way: UnderWay,
    /// When it began.
    pub began: Tick,
    /// Its id; `None` until the first hook.
    pub id: Option<HeaderValue>,
    /// The trace that it belongs to; `None` until the first hook.
    pub trace: Option<Trace>,
    /// The AI API at its path.
    pub api: Option<Arc<AiApi>>,
    /// The key it presented.
    pub key: Option<Arc<KeyRecord>>,
    /// Where it goes; `None` if it was refused.
    pub admitted: Option<Admitted>,
    /// The model that it asks for outside of its body.
    pub asked: Option<Box<str>>,
    /// Its body.
    pub body: RequestBody,
    /// Whether the body has lost its content coding.
    pub decoded: bool,
    /// The latest try.
    pub attempt: Option<Attempt>,
    /// The pairs that were tried, and what came of each.
    pub trail: Trail,
    /// The gateway's own answer, if it gets one.
    pub refusal: Option<Refusal>,
    /// The vendor's answer to the latest try.
    pub response: Option<Response>,
    /// What that answer tells.
    pub told: Told,
    /// Whether it is a stream that has told of an error.
    pub has_failed: bool,
    /// The latest error that a vendor answered an earlier try with, for want of anything better.
    pub kept: Option<Kept>,
    /// The client's session, while another stands in its place.
    pub wrapped: Option<Wrapped>,
    /// The deadline that the stand-in keeps.
    pub deadline: Option<Deadline>,
    /// What the stand-in lets on.
    pub gate: Gate,
    /// Whether a pair was suspended for what came of this request.
    pub suspended: bool,
    /// How much of its time is the gateway's own.
    pub stopwatch: Stopwatch,
}

/// Where a request goes.
pub struct Admitted {
    /// The environment its key belongs to.
    pub environment: Environment,
    /// The pairs that it is balanced over, or the endpoint that it goes to.
    pub destination: Destination,
    /// What of the AI API it asks for.
    pub operation: Arc<Operation>,
    /// How many bytes of its path are the context.
    pub context_len: usize,
}

/// [`crate::gateway::Target`], owned.
pub enum Destination {
    /// The pair whose turn it is.
    Balanced(Arc<Pairs>),
    /// One endpoint, the model untouched.
    Primary(Arc<Endpoint>),
    /// Nowhere: the gateway lists the models.
    Models,
}

/// The body of a request.
pub enum RequestBody {
    /// It passes through as it arrives; so many bytes have.
    Streamed(usize),
    /// It was read whole, and the model found in it if it stands there.
    Whole(splice::Body),
}

impl RequestBody {
    /// The model that the client asked for, if it was looked for and is there.
    pub fn asked_model(&self) -> Option<&str> {
        match self {
            Self::Streamed(_) => None,
            Self::Whole(body) => body.asked(),
        }
    }
}

/// One try of a request at an endpoint.
pub struct Attempt {
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// The pair, chosen from a list; `None` where there is no policy.
    pub chosen: Option<(Arc<Pairs>, Choice)>,
    /// How long the endpoint may take.
    pub timeouts: Timeouts,
    /// The addresses of the endpoint that have not been tried; `None` until one cannot be connected to.
    pub addresses: Option<Vec<SocketAddr>>,
    /// The body to be sent, until it is.
    pub outgoing: Option<Bytes>,
    /// How many pooled connections turned out to be dead.
    pub stale_connections: u8,
    /// Whether what came of it was told to the pool.
    pub reported: bool,
    /// What is told of it in the trace.
    pub span: AttemptSpan,
    /// When it began.
    pub began: Tick,
    /// When the first part of a response's body came.
    pub first_chunk: Option<Tick>,
    /// What has come of it so far.
    pub outcome: Option<Outcome>,
    /// Whether it has been counted.
    pub counted: bool,
}

impl Attempt {
    /// A try at `endpoint` that begins at `began`.
    pub fn new(
        endpoint: Arc<Endpoint>,
        timeouts: Timeouts,
        chosen: Option<(Arc<Pairs>, Choice)>,
        began: Tick,
    ) -> Self {
        Self {
            endpoint,
            chosen,
            timeouts,
            addresses: None,
            outgoing: None,
            stale_connections: 0,
            reported: false,
            span: AttemptSpan::default(),
            began,
            first_chunk: None,
            outcome: None,
            counted: false,
        }
    }

    /// The pair that is tried; `None` where there is no policy.
    pub fn pair(&self) -> Option<&Pair> {
        let (pairs, choice) = self.chosen.as_ref()?;
        pairs.pair(choice.place)
    }

    /// The body for this try, made of the client's. If the model `stands_elsewhere` in the request, a body without one is
    /// left without.
    pub fn body_of(&self, body: &mut RequestBody, stands_elsewhere: bool) -> Option<Bytes> {
        let RequestBody::Whole(body) = body else {
            return None;
        };
        Some(match self.pair() {
            Some(pair) if stands_elsewhere => body.with_if_there(pair.model.token()),
            Some(pair) => body.with(pair.model.token()),
            None => body.as_it_is(),
        })
    }

    /// Tells the pool what came of it at `now`. Returns whether the pair was suspended for it.
    pub fn report(&mut self, finding: &Finding, now: Tick) -> bool {
        self.reported = true;
        let Some((pairs, choice)) = &self.chosen else {
            return false;
        };
        pairs.pool().report(*choice, finding, now)
    }
}

impl Drop for Attempt {
    /// A client that goes before anything came of its request leaves no probe open.
    fn drop(&mut self) {
        if let Some((pairs, choice)) = self.chosen.as_ref().filter(|_| !self.reported) {
            pairs.pool().abandon(*choice);
        }
    }
}

/// The vendor's answer.
pub struct Response {
    /// Its status.
    pub status: StatusCode,
    /// When its header came.
    pub came: Tick,
    /// The vendor's own id of the request, which ours replaces.
    pub vendor_request_id: Option<HeaderValue>,
}

impl RequestContext {
    /// Whether a policy says where the request goes.
    pub fn is_balanced(&self) -> bool {
        self.admitted
            .as_ref()
            .is_some_and(|admitted| matches!(admitted.destination, Destination::Balanced(_)))
    }

    /// Whether the gateway answers with the list of models.
    pub fn is_for_models(&self) -> bool {
        self.admitted.as_ref().is_some_and(|admitted| matches!(admitted.destination, Destination::Models))
    }

    /// The model that the client asked for, if it was looked for and is there.
    pub fn asked_model(&self) -> Option<&str> {
        self.asked.as_deref().or_else(|| self.body.asked_model())
    }

    /// The latest try has come to `outcome`. Something worse may still come of it.
    pub fn end_try(&mut self, outcome: Outcome) {
        self.trail.end(outcome);
        if let Some(attempt) = &mut self.attempt {
            attempt.outcome = Some(outcome);
        }
    }

    /// The pairs that were tried, in order, as `model@endpoint=outcome`, names percent-encoded; `None` where no pair was.
    pub fn attempts(&self) -> Option<String> {
        let (pairs, _) = self.attempt.as_ref()?.chosen.as_ref()?;
        let mut text = String::with_capacity(64);
        for (place, outcome) in self.trail.tries() {
            let Some((pair, outcome)) = pairs.pair(*place).zip(outcome.as_ref()) else {
                continue;
            };
            if !text.is_empty() {
                text.push_str(", ");
            }
            text.push_str(&pair.label);
            text.push('=');
            match outcome {
                Outcome::Status(status) => push_status(&mut text, *status),
                named => text.push_str(named.name().unwrap_or_default()),
            }
        }
        (!text.is_empty()).then_some(text)
    }

    /// The request has come with these headers.
    pub fn begin(&mut self, headers: &HeaderMap, tracing: &Tracing) {
        self.stopwatch.start(self.began);
        self.id = Some(request_id(headers));
        self.trace = Some(Trace::begin(headers, tracing));
    }

    /// A request that begins at `began`.
    pub fn new(serving: Arc<Serving>, under_way: UnderWay, began: Tick) -> Self {
        Self {
            serving,
            under_way,
            began,
            id: None,
            trace: None,
            api: None,
            key: None,
            admitted: None,
            asked: None,
            body: RequestBody::Streamed(0),
            decoded: false,
            attempt: None,
            trail: Trail::new(began),
            refusal: None,
            response: None,
            told: Told::Nothing,
            has_failed: false,
            kept: None,
            wrapped: None,
            deadline: None,
            gate: Gate::default(),
            suspended: false,
            stopwatch: Stopwatch::default(),
        }
    }
}

/// Almost every request has a status to be told of, and Rust's own formatting takes longer than to look its digits up.
fn push_status(text: &mut String, status: u16) {
    match StatusCode::from_u16(status) {
        Ok(status) => text.push_str(status.as_str()),
        // Writing to a string cannot fail.
        Err(_) => write!(text, "{status}").unwrap_or_default(),
    }
}
