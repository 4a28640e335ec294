//! What an operation of the admin address is: one type says how it is reached, what it takes, what it answers and what it
//! does, so that the document and the code that serves cannot say two things.

pub(super) use super::content::{Done, Input, Json, Nothing, Optional, Output, Required, Text};

use super::Desk;
use super::exchange::{Call, Reply};
use super::refusal::{Code, Refusal};
use http::{Method, StatusCode};
use schemars::{Schema, SchemaGenerator};

/// An operation. Handlers may block: they run apart from the tasks that serve connections, unless they are
/// [`IMMEDIATE`](Operation::IMMEDIATE).
pub(super) trait Operation {
    /// What it takes in the body of a request.
    type Body: Input;
    /// What it answers.
    type Answer: Output;
    /// Its method.
    const METHOD: Method;
    /// Its path, with names in braces.
    const PATH: &'static str;
    /// What programs call it.
    const ID: &'static str;
    /// What it does, in a line.
    const SUMMARY: &'static str;
    /// The statuses of its answer, each with its meaning; the first is that of a success.
    const STATUSES: &'static [(u16, &'static str)];
    /// What it may refuse a request for, beyond what any is refused for.
    const REFUSALS: &'static [Code];
    /// Whether it is over at once, without a lock or a file.
    const IMMEDIATE: bool = false;

    /// Does it.
    fn call(desk: &Desk, call: &Call, body: Self::Body) -> Result<Self::Answer, Refusal>;
}

/// What any request with a body may be refused for.
pub(super) const ANY_BODY: &[Code] =
    &[Code::InvalidBody, Code::RequestTimeout, Code::RequestTooLarge, Code::UnsupportedMediaType];

/// An operation without its types, for the table.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) statuses: &'static [(u16, &'static str)],
    pub(super) refusals: &'static [Code],
    pub(super) immediate: bool,
    pub(super) reads_body: bool,
    pub(super) requires_body: bool,
    pub(super) content_type: Option<&'static str>,
    pub(super) body: fn(&mut SchemaGenerator) -> Option<Schema>,
    pub(super) answer: fn(&mut SchemaGenerator) -> Schema,
    pub(super) run: fn(&Desk, &Call) -> Reply,
}

impl Route {
    /// The operation `O`.
    pub(super) fn of<O: Operation>() -> Self {
        Self {
            method: O::METHOD,
            path: O::PATH,
            id: O::ID,
            summary: O::SUMMARY,
            statuses: O::STATUSES,
            refusals: O::REFUSALS,
            immediate: O::IMMEDIATE,
            reads_body: O::Body::READ,
            requires_body: O::Body::REQUIRED,
            content_type: O::Answer::CONTENT_TYPE,
            body: O::Body::schema,
            answer: O::Answer::schema,
            run: run::<O>,
        }
    }

    /// Whether it is part of the management API, which is not for everyone who reaches the address.
    pub(super) fn is_guarded(&self) -> bool {
        is_guarded(self.path)
    }
}

/// Whether what is at `path`, or could be, is not for everyone.
pub(super) fn is_guarded(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

fn run<O: Operation>(desk: &Desk, call: &Call) -> Reply {
    let success = O::STATUSES.first().and_then(|(status, _)| StatusCode::from_u16(*status).ok());
    let answer = O::Body::read(&call.body).and_then(|body| O::call(desk, call, body));
    match answer {
        Ok(answer) => answer.reply(success.unwrap_or_default()),
        Err(refusal) => {
            let of_body = O::Body::READ && ANY_BODY.contains(&refusal.code());
            debug_assert!(
                of_body || O::REFUSALS.contains(&refusal.code()),
                "{} refuses for what it does not tell of: {refusal}",
                O::ID
            );
            refusal.reply()
        }
    }
}
