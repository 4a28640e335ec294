//! Why a request to the admin address is refused, and the one shape in which that is told.

use super::exchange::Reply;
use http::header::{ALLOW, HeaderName, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt;

/// What is wrong, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Code {
    /// The request is not one that HTTP allows.
    InvalidRequest,
    /// The body is not JSON, or not what this operation takes.
    InvalidBody,
    /// There is no token, or it is wrong.
    Unauthorized,
    /// The request comes from a page of another site.
    CrossSite,
    /// There is nothing at this path.
    NotFound,
    /// There is no such AI API.
    ApiNotFound,
    /// The AI API has no such pair.
    PairNotFound,
    /// There is no key of this name.
    KeyNotFound,
    /// The path is there under another method.
    MethodNotAllowed,
    /// The body did not come in time.
    RequestTimeout,
    /// The pair is there in both environments.
    EnvironmentRequired,
    /// A key has this name already.
    NameTaken,
    /// The process finishes what it has begun, and changes nothing more.
    Draining,
    /// The body is too large.
    RequestTooLarge,
    /// The body says that it is not JSON.
    UnsupportedMediaType,
    /// The configuration file cannot be used; the former one serves on.
    ConfigurationInvalid,
    /// The configuration came from no file.
    NoFile,
    /// The keys cannot be read or written.
    KeysUnavailable,
    /// A mistake of the gateway's own.
    Internal,
}

impl Code {
    /// The status that it is answered with.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::InvalidRequest | Self::InvalidBody => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::CrossSite => StatusCode::FORBIDDEN,
            Self::NotFound | Self::ApiNotFound | Self::PairNotFound | Self::KeyNotFound => {
                StatusCode::NOT_FOUND
            }
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::EnvironmentRequired | Self::NameTaken | Self::Draining | Self::NoFile => {
                StatusCode::CONFLICT
            }
            Self::RequestTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::ConfigurationInvalid => StatusCode::UNPROCESSABLE_ENTITY,
            Self::KeysUnavailable | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether something of the request's body may not have been read, so that no other request can follow.
    pub(super) fn leaves_body(self) -> bool {
        matches!(self, Self::InvalidRequest | Self::RequestTimeout | Self::RequestTooLarge)
    }

    /// When it is answered, for the document.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::InvalidRequest => "The request has no host, or several.",
            Self::InvalidBody => "The body is not one JSON object, or has a member that is unknown or wrong.",
            Self::Unauthorized => "There is no token, or it is wrong.",
            Self::CrossSite => "The request comes from a page of another site, or names a foreign host.",
            Self::NotFound => "There is nothing at this path.",
            Self::ApiNotFound => "There is no AI API of this name.",
            Self::PairNotFound => "The AI API has no such pair.",
            Self::KeyNotFound => "There is no key of this name.",
            Self::MethodNotAllowed => "The path is there under another method, which `Allow` names.",
            Self::RequestTimeout => "The body did not come in time.",
            Self::EnvironmentRequired => {
                "The pair is there in both environments, and `environment` is missing."
            }
            Self::NameTaken => "A key has this name already.",
            Self::Draining => "The process finishes what it has begun, and changes nothing more.",
            Self::RequestTooLarge => "The body is larger than 64 KiB.",
            Self::UnsupportedMediaType => "The body's type is not JSON.",
            Self::ConfigurationInvalid => {
                "The configuration file cannot be used. The former configuration serves on; the message is the report."
            }
            Self::NoFile => "The process serves a configuration of its own, not a file.",
            Self::KeysUnavailable => "The keys cannot be read or written.",
            Self::Internal => "The gateway has made a mistake.",
        }
    }
}

/// A refusal: what is wrong, for programs and for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    code: Code,
    message: String,
    header: Option<(HeaderName, String)>,
}

/// The body of every answer that tells of an error.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Error")]
pub(super) struct ErrorBody {
    /// What is wrong.
    error: ErrorText,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct ErrorText {
    /// What is wrong and what to do, for people.
    message: String,
    /// What is wrong, for programs.
    code: Code,
}

impl Refusal {
    /// A refusal that says `message`.
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), header: None }
    }

    /// There is no token, or it is wrong.
    pub(super) fn unauthorized(message: &str) -> Self {
        let challenge = "Bearer realm=\"evenkeel admin\"".to_owned();
        Self { header: Some((WWW_AUTHENTICATE, challenge)), ..Self::new(Code::Unauthorized, message) }
    }

    /// The path is there, under `allowed` methods only.
    pub(super) fn method(allowed: &[Method]) -> Self {
        let allowed = allowed.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
        let message = format!("this path does not answer to that method; it does to {allowed}");
        Self { header: Some((ALLOW, allowed)), ..Self::new(Code::MethodNotAllowed, message) }
    }

    /// What is wrong.
    pub(super) fn code(&self) -> Code {
        self.code
    }

    /// The answer.
    pub(super) fn reply(self) -> Reply {
        let Self { code, message, header } = self;
        let body = ErrorBody { error: ErrorText { message, code } };
        Reply { header, ..Reply::json(code.status(), &body) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
