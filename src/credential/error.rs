//! What can be wrong with a credential, and why a request may go without one. Nothing secret is echoed.

use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// Why a credential is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidCredential {
    /// The service is no name.
    #[error("the AWS service is not a name in lower case, such as `bedrock`")]
    Service,
    /// The region is no name.
    #[error("the AWS region is not a name in lower case, such as `us-east-1`")]
    Region,
    /// The name of a profile is empty.
    #[error("the AWS profile has no name")]
    Profile,
    /// A key of AWS cannot be one.
    #[error("the AWS {0}")]
    AwsKey(&'static str),
    /// What should be the key of a service account is not JSON.
    #[error("the key of the Google service account is not JSON: line {line}, column {column}")]
    NotJson {
        /// Where the JSON goes wrong, from 1.
        line: usize,
        /// The column there, from 1.
        column: usize,
    },
    /// The JSON is not that of a service account's key.
    #[error("the key of the Google service account {0}")]
    ServiceAccount(&'static str),
    /// No scope is given.
    #[error(
        "a Google access token needs at least one scope, such as `https://www.googleapis.com/auth/cloud-platform`"
    )]
    NoScope,
}

/// Why a request could not be given its credential.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignError {
    /// The credential could not be fetched.
    #[error("no credential from {from}: {why}")]
    Fetch {
        /// Where it was to come from.
        from: Arc<str>,
        /// What went wrong there.
        why: Arc<str>,
    },
    /// Where the credential was to come from did not answer in time.
    #[error("no credential from {from}: no answer within {seconds} s")]
    Deadline {
        /// Where it was to come from.
        from: Arc<str>,
        /// How long was waited.
        seconds: u64,
    },
    /// It has not come in the time that a request waits for one. The fetch goes on.
    #[error("no credential from {from} yet: no answer within the connect timeout, {}", humantime::format_duration(*limit))]
    Slow {
        /// Where it is to come from.
        from: Arc<str>,
        /// How long was waited.
        limit: Duration,
    },
    /// The request holds what cannot be signed.
    #[error("the request cannot be signed: {0}")]
    Request(Arc<str>),
}

/// An error and what caused it, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let part = error.to_string();
        // Some errors repeat what caused them.
        if !text.contains(&part) {
            text = format!("{text}: {part}");
        }
        cause = error.source();
    }
    text
}
