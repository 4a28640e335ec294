//! The answers that are the gateway's own.
//!
//! They have OpenAI's shape, `{"error":{"message","type","param","code"}}`, so that SDKs raise the right exception. What
//! a client reads never shows the gateway's insides: no endpoint's URL, no address, no library's error.

use crate::coding::{DecodeError, Unsupported};
use crate::gateway::{Environment, NoRoute};
use crate::splice::query::QueryError;
use crate::splice::template::PathError;
use crate::splice::{FormError, LocateError};
use http::StatusCode;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// The content codings in which a request body is accepted where its model is to be replaced.
const DECODED_CODINGS: &str = "gzip, deflate, br, zstd";

/// Why a request is answered by the gateway itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The request is not HTTP as this gateway takes it.
    BadRequest(&'static str),
    /// The body of an operation with a policy is not one JSON object.
    InvalidJson(LocateError),
    /// It is a form of this type, where it is to be a JSON object.
    FormForJson(&'static str),
    /// The body of an operation with a policy is no form in which the model can be found.
    InvalidForm(FormError),
    /// The model in the path cannot be read.
    InvalidPath(PathError),
    /// The path fits none of those in which the vendor's model stands.
    NoModelInPath {
        /// The vendor's name.
        vendor: Arc<str>,
        /// Its paths.
        paths: String,
    },
    /// The model in the query cannot be read.
    InvalidQuery(QueryError),
    /// The body is not what its content coding says.
    InvalidEncoding(DecodeError),
    /// No key, or none that is known.
    InvalidApiKey(KeyFault),
    /// The key's environment has no endpoint.
    EnvironmentNotAvailable(Environment),
    /// The key is not for this AI API.
    ApiNotSubscribed {
        /// The AI API's name.
        api: String,
    },
    /// The path and method lead nowhere.
    NoRoute(NoRoute),
    /// The client was too slow in sending its body.
    RequestTimeout,
    /// The body is larger than is accepted.
    RequestTooLarge {
        /// The greatest body that is, in bytes.
        limit: usize,
    },
    /// The body of an operation with a policy has a content coding that cannot be decoded.
    UnsupportedContentEncoding(Unsupported),
    /// No try could connect, or the vendor broke off before a response.
    UpstreamUnreachable,
    /// Every pair is suspended.
    NoActiveEndpoints {
        /// How long it is until the first comes back; `None` if each waits for an operator.
        retry_after: Option<Duration>,
    },
    /// The vendor did not answer in time.
    UpstreamTimeout,
    /// Something that cannot happen did.
    Internal,
}

/// What is wrong with a client's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFault {
    /// There is none.
    Missing,
    /// Its checksum does not fit: a character is wrong or missing.
    Mistyped,
    /// It is not, or no longer, one of the gateway's.
    Unknown,
}

impl Refusal {
    /// As it is told of a body that is called a `form`: one that is sent for JSON looks like many a thing.
    pub fn told_of(self, form: Option<&'static str>) -> Self {
        match (&self, form) {
            (Self::InvalidJson(LocateError::NotAnObject { .. }), Some(form)) => Self::FormForJson(form),
            _ => self,
        }
    }

    /// The status it is answered with.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_)
            | Self::InvalidJson(_)
            | Self::FormForJson(_)
            | Self::InvalidForm(_)
            | Self::InvalidPath(_)
            | Self::NoModelInPath { .. }
            | Self::InvalidQuery(_) => StatusCode::BAD_REQUEST,
            Self::InvalidApiKey(_) => StatusCode::UNAUTHORIZED,
            Self::EnvironmentNotAvailable(_) | Self::ApiNotSubscribed { .. } => StatusCode::FORBIDDEN,
            Self::NoRoute(NoRoute::Method { .. }) => StatusCode::METHOD_NOT_ALLOWED,
            Self::NoRoute(_) => StatusCode::NOT_FOUND,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::RequestTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            // RFC 9110, 15.5.16: also for what is found when the content is looked at.
            Self::UnsupportedContentEncoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::InvalidEncoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::UpstreamUnreachable => StatusCode::BAD_GATEWAY,
            Self::NoActiveEndpoints { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::UpstreamTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The code by which a program tells it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "bad_request",
            Self::InvalidJson(_) | Self::FormForJson(_) => "invalid_json",
            Self::InvalidForm(_) => "invalid_multipart",
            Self::InvalidPath(_) | Self::NoModelInPath { .. } => "invalid_path",
            Self::InvalidQuery(_) => "invalid_query",
            Self::InvalidApiKey(_) => "invalid_api_key",
            Self::EnvironmentNotAvailable(_) => "environment_not_available",
            Self::ApiNotSubscribed { .. } => "api_not_subscribed",
            Self::NoRoute(NoRoute::Api) => "api_not_found",
            Self::NoRoute(NoRoute::Operation { .. }) => "operation_not_found",
            Self::NoRoute(NoRoute::Method { .. }) => "method_not_allowed",
            Self::RequestTimeout => "request_timeout",
            Self::RequestTooLarge { .. } => "request_too_large",
            Self::UnsupportedContentEncoding(_) | Self::InvalidEncoding(_) => "unsupported_content_encoding",
            Self::UpstreamUnreachable => "upstream_unreachable",
            Self::NoActiveEndpoints { .. } => "no_active_endpoints",
            Self::UpstreamTimeout => "upstream_timeout",
            Self::Internal => "internal_error",
        }
    }

    /// What a person reads: what is wrong, and what to do.
    pub fn message(&self) -> String {
        match self {
            Self::BadRequest(what) => format!("The request cannot be accepted: {what}."),
            Self::InvalidJson(error) => format!("The request body cannot be balanced: {error}."),
            Self::FormForJson(kind) => format!(
                "The request body cannot be balanced: its Content-Type is {kind}, and at this path it must be a JSON \
                 object. Send it as application/json."
            ),
            Self::InvalidForm(error) => format!("The form in the request body cannot be balanced: {error}."),
            Self::InvalidPath(error) => format!("The path cannot be balanced: {error}."),
            Self::NoModelInPath { vendor, paths } => format!(
                "The path cannot be balanced: no model stands in it as in those of `{vendor}`. These are {paths}."
            ),
            Self::InvalidQuery(error) => format!("The query cannot be balanced: {error}."),
            Self::InvalidEncoding(error) => format!(
                "The request body cannot be decoded: {error}. Send it again, or without `Content-Encoding`."
            ),
            Self::InvalidApiKey(KeyFault::Missing) => {
                "No API key was given. Send one of this gateway's keys as \
                 `Authorization: Bearer KEY`, `x-api-key`, `api-key`, `x-goog-api-key` or `apikey`."
                    .to_owned()
            }
            Self::InvalidApiKey(KeyFault::Mistyped) => {
                "The API key is mistyped: its checksum does not fit. Copy it again, in full.".to_owned()
            }
            Self::InvalidApiKey(KeyFault::Unknown) => {
                "The API key is not known to this gateway, or it was revoked.".to_owned()
            }
            Self::EnvironmentNotAvailable(environment) => {
                format!("This AI API has no {environment} endpoint, and the API key is a {environment} key.")
            }
            Self::ApiNotSubscribed { api } => format!("The API key is not for the AI API `{api}`."),
            Self::NoRoute(NoRoute::Api) => "No AI API is mounted at this path.".to_owned(),
            Self::NoRoute(NoRoute::Operation { api }) => {
                format!("The AI API `{api}` has no operation at this path.")
            }
            Self::NoRoute(NoRoute::Method { api, allow }) => {
                format!("The AI API `{api}` has this path under another method only: {allow}.")
            }
            Self::RequestTimeout => "The request body did not arrive in time.".to_owned(),
            Self::RequestTooLarge { limit } => {
                format!("The request body is larger than the {limit} bytes that this gateway accepts.")
            }
            Self::UnsupportedContentEncoding(what) => format!(
                "The request body cannot be decoded: {what}. Send it without `Content-Encoding`, or as one of \
                 {DECODED_CODINGS}."
            ),
            Self::UpstreamUnreachable => "The AI vendor could not be reached.".to_owned(),
            Self::NoActiveEndpoints { retry_after: None } => {
                "All models that could serve this request have been taken out of service.".to_owned()
            }
            Self::NoActiveEndpoints { retry_after: Some(retry_after) } => format!(
                "All models that could serve this request are suspended. The first is tried again in \
                 {} s.",
                whole_seconds(*retry_after)
            ),
            Self::UpstreamTimeout => "The AI vendor did not answer in time.".to_owned(),
            Self::Internal => "The gateway failed to handle the request.".to_owned(),
        }
    }

    /// The part of the request that is wrong, where one can be named.
    pub fn param(&self) -> Option<&'static str> {
        match self {
            Self::InvalidJson(LocateError::ModelNotString { .. } | LocateError::Twice { .. })
            | Self::InvalidPath(_)
            | Self::NoModelInPath { .. }
            | Self::InvalidQuery(_) => Some("model"),
            _ => None,
        }
    }

    /// The value of `Allow`, if the answer has one.
    pub fn allow(&self) -> Option<&str> {
        match self {
            Self::NoRoute(NoRoute::Method { allow, .. }) => Some(allow),
            _ => None,
        }
    }

    /// The value of `Accept-Encoding`, if the answer has one (RFC 9110, 12.5.3).
    pub fn accept_encoding(&self) -> Option<&'static str> {
        matches!(self, Self::UnsupportedContentEncoding(_)).then_some(DECODED_CODINGS)
    }

    /// The value of `Retry-After` in seconds, if the answer has one.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::NoActiveEndpoints { retry_after } => retry_after.map(whole_seconds),
            _ => None,
        }
    }

    /// The body of the answer, JSON.
    pub fn body(&self) -> Vec<u8> {
        let error = Body {
            error: Details {
                message: self.message(),
                kind: self.kind(),
                param: self.param(),
                code: self.code(),
            },
        };
        // Strings and nothing else: it cannot fail.
        serde_json::to_vec(&error).unwrap_or_default()
    }

    /// OpenAI's word for errors of this status.
    fn kind(&self) -> &'static str {
        match self {
            Self::InvalidApiKey(_) => "authentication_error",
            Self::EnvironmentNotAvailable(_) | Self::ApiNotSubscribed { .. } => "permission_error",
            Self::UpstreamUnreachable
            | Self::NoActiveEndpoints { .. }
            | Self::UpstreamTimeout
            | Self::Internal => "server_error",
            Self::BadRequest(_)
            | Self::InvalidJson(_)
            | Self::FormForJson(_)
            | Self::InvalidForm(_)
            | Self::InvalidPath(_)
            | Self::NoModelInPath { .. }
            | Self::InvalidQuery(_)
            | Self::InvalidEncoding(_)
            | Self::NoRoute(_)
            | Self::RequestTimeout
            | Self::RequestTooLarge { .. }
            | Self::UnsupportedContentEncoding(_) => "invalid_request_error",
        }
    }
}

#[derive(Serialize)]
struct Body {
    error: Details,
}

#[derive(Serialize)]
struct Details {
    message: String,
    #[serde(rename = "type")]
    kind: &'static str,
    param: Option<&'static str>,
    code: &'static str,
}

/// Rounded up, and at least 1: a client that waits for it never comes too early, and never at once.
fn whole_seconds(duration: Duration) -> u64 {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    seconds.max(1)
}

#[cfg(test)]
mod tests;
