//! Pingora's errors as this gateway understands them. The one place where the two meet.

use super::deadline::DEADLINE_PASSED;
use super::refusal::Refusal;
use crate::balance::Outcome;
use pingora_core::{Error, ErrorSource, ErrorType};

/// The type of the error by which a hook says that the request is answered by a [`Refusal`], which its context holds.
pub const REFUSED: ErrorType = ErrorType::Custom("Refused");

/// The type of the error that ends a try whose response is kept aside.
pub const TRY_AGAIN: ErrorType = ErrorType::Custom("TryAgain");

/// The type of the error that ends a try whose stream has opened with an error event.
pub const ERROR_EVENT: ErrorType = ErrorType::Custom("ErrorEvent");

/// An error that leads to the refusal which the request's context holds.
pub fn refused() -> Box<Error> {
    Error::new_in(REFUSED)
}

/// What an error says of the pair that was tried; `None` if it says nothing, being the client's or our own.
pub fn outcome(error: &Error) -> Option<Outcome> {
    match *error.etype() {
        DEADLINE_PASSED => return Some(Outcome::Timeout),
        ERROR_EVENT => return Some(Outcome::Stream),
        _ => {}
    }
    if *error.esource() != ErrorSource::Upstream {
        return None;
    }
    Some(match error.etype() {
        ErrorType::ConnectTimedout
        | ErrorType::TLSHandshakeTimedout
        | ErrorType::ReadTimedout
        | ErrorType::WriteTimedout => Outcome::Timeout,
        _ => Outcome::Connect,
    })
}

/// Whether an error is the client's: it has gone, or what it sends cannot be read.
pub fn is_clients(error: &Error) -> bool {
    outcome(error).is_none() && *error.esource() == ErrorSource::Downstream
}

/// The answer that an error leads to if nothing has been answered yet; `None` if the client has gone.
pub fn refusal(error: &Error) -> Option<Refusal> {
    match outcome(error) {
        Some(Outcome::Timeout) => return Some(Refusal::UpstreamTimeout),
        Some(_) => return Some(Refusal::UpstreamUnreachable),
        None => {}
    }
    if *error.esource() != ErrorSource::Downstream {
        return Some(Refusal::Internal);
    }
    match error.etype() {
        ErrorType::WriteError
        | ErrorType::ReadError
        | ErrorType::ConnectionClosed
        | ErrorType::H2Error
        | ErrorType::WriteTimedout => None,
        ErrorType::ReadTimedout => Some(Refusal::RequestTimeout),
        _ => Some(Refusal::BadRequest("it is not valid HTTP")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_understood() {
        let up = |etype| Error::new_up(etype);
        let down = |etype| Error::new_down(etype);
        let table = [
            (up(ErrorType::ConnectRefused), Some(Outcome::Connect), Some(Refusal::UpstreamUnreachable)),
            (up(ErrorType::ConnectTimedout), Some(Outcome::Timeout), Some(Refusal::UpstreamTimeout)),
            (up(ErrorType::ReadTimedout), Some(Outcome::Timeout), Some(Refusal::UpstreamTimeout)),
            (up(ErrorType::ConnectionClosed), Some(Outcome::Connect), Some(Refusal::UpstreamUnreachable)),
            (down(DEADLINE_PASSED), Some(Outcome::Timeout), Some(Refusal::UpstreamTimeout)),
            (down(ErrorType::ConnectionClosed), None, None),
            (down(ErrorType::ReadTimedout), None, Some(Refusal::RequestTimeout)),
            (Error::new_in(ErrorType::InternalError), None, Some(Refusal::Internal)),
        ];
        for (error, expected_outcome, expected_refusal) in table {
            assert_eq!(outcome(&error), expected_outcome, "{error}");
            assert_eq!(refusal(&error), expected_refusal, "{error}");
        }
    }
}
