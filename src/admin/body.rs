//! Reading the body of a request to the admin address.

use super::exchange::Body;
use super::refusal::{Code, Refusal};
use bytes::BytesMut;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use pingora_core::protocols::http::ServerSession;
use std::time::Duration;

/// The greatest body, in bytes.
const GREATEST: usize = 64 * 1024;

/// How much of a body that is too large is read all the same, in bytes, so that the client has sent it and reads the answer.
const DISCARDED: usize = 1024 * 1024;

/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The body of the request that `session` has the header of.
pub(super) async fn read(session: &mut ServerSession) -> Result<Body, Refusal> {
    let told =
        session.get_header(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if told.is_some_and(|length| length > DISCARDED as u64) {
        return Err(too_large());
    }
    let content_type = session.get_header(CONTENT_TYPE);
    let content_type = content_type.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    if session.get_header_bytes(EXPECT).eq_ignore_ascii_case(b"100-continue") {
        session.write_continue_response().await.map_err(|_| broken_off())?;
    }
    match tokio::time::timeout(PATIENCE, collect(session)).await {
        Ok(bytes) => Ok(Body { bytes: bytes?.freeze(), content_type }),
        Err(_) => {
            let message = format!("the body did not come within {} s", PATIENCE.as_secs());
            Err(Refusal::new(Code::RequestTimeout, message))
        }
    }
}

async fn collect(session: &mut ServerSession) -> Result<BytesMut, Refusal> {
    let mut bytes = BytesMut::new();
    let mut length = 0_usize;
    while let Some(part) = session.read_request_body().await.map_err(|_| broken_off())? {
        length = length.saturating_add(part.len());
        if length > DISCARDED {
            break;
        }
        if length <= GREATEST {
            bytes.extend_from_slice(&part);
        }
    }
    if length > GREATEST { Err(too_large()) } else { Ok(bytes) }
}

fn too_large() -> Refusal {
    Refusal::new(Code::RequestTooLarge, format!("the body is larger than {} KiB", GREATEST / 1024))
}

fn broken_off() -> Refusal {
    Refusal::new(Code::InvalidRequest, "the body broke off, or is not framed as HTTP has it")
}
