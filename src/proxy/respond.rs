//! Answering the client: what is added to a vendor's response, and the gateway's own answers.

use super::context::{RequestContext, Response};
use super::headers;
use super::refusal::Refusal;
use super::told::Told;
use crate::balance::Tick;
use bytes::Bytes;
use http::{StatusCode, header};
use log::debug;
use pingora_core::Result;
use pingora_http::ResponseHeader;
use pingora_proxy::Session;
use std::time::Duration;
use tokio::time::timeout;

/// How long the rest of a refused request's body is read, so that the client reads the answer before it finds the
/// connection closed.
const DRAIN: Duration = Duration::from_secs(2);

/// How much of it is read over HTTP/2, in bytes: the connection stays, so that what is too much is cut off by the stream.
const MOST_DRAINED: usize = 64 * 1024 * 1024;

/// Remembers the vendor's answer, whose header came at `now`.
pub fn note(ctx: &mut RequestContext, response: &ResponseHeader, now: Tick) {
    if let Some(attempt) = &mut ctx.attempt {
        attempt.span.answered(response.status.as_u16());
        ctx.told = Told::of(response, attempt.endpoint.vendor());
    }
    ctx.response = Some(Response {
        status: response.status,
        came: now,
        vendor_request_id: response.headers.get(headers::REQUEST_ID).cloned(),
    });
}

/// Adds our headers to the vendor's response, and drops what concerns the vendor's connection only.
pub fn complete(response: &mut ResponseHeader, ctx: &RequestContext) -> Result<()> {
    let goes = |name: &header::HeaderName| headers::is_hop_by_hop(name) && !is_for_the_client(name);
    let framing = [header::TRANSFER_ENCODING, header::CONTENT_LENGTH];
    for name in headers::dropped(&response.headers, goes, &framing) {
        response.remove_header(&name);
    }
    add_ours(response, ctx)
}

/// `Trailer` announces trailers that do reach the client, and a challenge is meant for it.
fn is_for_the_client(name: &header::HeaderName) -> bool {
    [header::TRAILER, header::PROXY_AUTHENTICATE].contains(name)
}

/// Answers with `refusal` a request that has not been forwarded. Its connection is kept alive if the rest of its body,
/// if any, soon comes.
pub async fn refuse(session: &mut Session, ctx: &mut RequestContext, refusal: Refusal) -> Result<()> {
    let client = session.as_downstream_mut();
    client.set_total_drain_timeout(Some(DRAIN));
    client.set_close_on_response_before_downstream_finish(false);
    if super::expects_continue(session) && session.as_downstream().response_written().is_none() {
        // The client was not told to go on: what comes next may be its body or another request.
        session.as_downstream_mut().set_keepalive(None);
    }
    write(session, ctx, refusal).await
}

/// Answers with `json`, which is the gateway's own.
pub async fn own(session: &mut Session, ctx: &RequestContext, json: Bytes) -> Result<()> {
    let mut response = ResponseHeader::build(StatusCode::OK, Some(4))?;
    response.insert_header(header::CONTENT_TYPE, "application/json")?;
    response.insert_header(header::CONTENT_LENGTH, json.len())?;
    add_ours(&mut response, ctx)?;
    send(session, Box::new(response), json).await
}

/// The status of the answer that has begun to go to the client.
pub fn begun(session: &Session) -> Option<StatusCode> {
    let status = session.as_downstream().response_written()?.status;
    (!status.is_informational()).then_some(status)
}

/// Answers with `refusal` a request whose forwarding has failed, unless an answer has begun. Returns the status that
/// the client got, 0 if it got none.
pub async fn refuse_late(session: &mut Session, ctx: &mut RequestContext, refusal: Refusal) -> u16 {
    if let Some(status) = begun(session) {
        return status.as_u16();
    }
    session.as_downstream_mut().set_keepalive(None);
    let status = refusal.status();
    let written = write(session, ctx, refusal).await;
    end_late(session, status, written).await
}

/// Answers with a vendor's response to an earlier try, which was kept, unless an answer has begun. Returns the status
/// that the client got, 0 if it got none.
pub async fn with_kept(
    session: &mut Session,
    ctx: &mut RequestContext,
    header: Box<ResponseHeader>,
    body: Bytes,
) -> u16 {
    if let Some(status) = begun(session) {
        return status.as_u16();
    }
    session.as_downstream_mut().set_keepalive(None);
    let status = header.status;
    let written = write_kept(session, ctx, header, body).await;
    end_late(session, status, written).await
}

async fn end_late(session: &mut Session, status: StatusCode, written: Result<()>) -> u16 {
    match written {
        Ok(()) => {
            drain(session).await;
            status.as_u16()
        }
        Err(error) => {
            debug!("the client has gone before it could be answered: {error}");
            0
        }
    }
}

/// Reads what is left of the request's body, so that closing the connection does not take the answer from a client that
/// is still sending.
async fn drain(session: &mut Session) {
    let client = session.as_downstream_mut();
    if client.as_http2().is_some() {
        return read_rest(session).await;
    }
    client.set_total_drain_timeout(Some(DRAIN));
    if let Err(error) = client.drain_request_body().await {
        debug!("the rest of a refused request's body did not come: {error}");
    }
}

/// Over HTTP/2, the same after an answer that is whole: many a client looks at an answer only when it has sent all, or
/// takes the stream's reset for the answer. Over HTTP/1 Pingora does it.
pub async fn read_rest(session: &mut Session) {
    let client = session.as_downstream_mut();
    if client.as_http2().is_none_or(|client| client.is_body_done()) {
        return;
    }
    let all = async {
        let mut read = 0;
        while read < MOST_DRAINED
            && let Ok(Some(part)) = client.read_request_body().await
        {
            read += part.len();
        }
    };
    if timeout(DRAIN, all).await.is_err() {
        debug!("the rest of a body that is not wanted did not come");
    }
}

async fn write(session: &mut Session, ctx: &mut RequestContext, refusal: Refusal) -> Result<()> {
    let body = Bytes::from(refusal.body());
    let mut response = ResponseHeader::build(refusal.status(), Some(8))?;
    response.insert_header(header::CONTENT_TYPE, "application/json")?;
    response.insert_header(header::CONTENT_LENGTH, body.len())?;
    if let Some(allow) = refusal.allow() {
        response.insert_header(header::ALLOW, allow)?;
    }
    if let Some(codings) = refusal.accept_encoding() {
        response.insert_header(header::ACCEPT_ENCODING, codings)?;
    }
    if let Some(seconds) = refusal.retry_after() {
        response.insert_header(header::RETRY_AFTER, seconds)?;
    }
    if let Refusal::InvalidApiKey(_) = refusal {
        response.insert_header(header::WWW_AUTHENTICATE, "Bearer")?;
    }
    add_ours(&mut response, ctx)?;
    ctx.refusal = Some(refusal);
    send(session, Box::new(response), body).await
}

async fn write_kept(
    session: &mut Session,
    ctx: &RequestContext,
    mut header: Box<ResponseHeader>,
    body: Bytes,
) -> Result<()> {
    header.remove_header(&header::TRANSFER_ENCODING);
    if !is_head(session) {
        header.insert_header(header::CONTENT_LENGTH, body.len())?;
    }
    add_attempts(&mut header, ctx)?;
    send(session, header, body).await
}

async fn send(session: &mut Session, header: Box<ResponseHeader>, body: Bytes) -> Result<()> {
    let head = is_head(session);
    session.write_response_header(header, head).await?;
    if !head {
        session.write_response_body(Some(body), true).await?;
    }
    Ok(())
}

fn is_head(session: &Session) -> bool {
    session.req_header().method == http::Method::HEAD
}

fn add_ours(response: &mut ResponseHeader, ctx: &RequestContext) -> Result<()> {
    if let Some(id) = &ctx.id {
        response.insert_header(headers::REQUEST_ID, id.clone())?;
    }
    let Some(attempt) = &ctx.attempt else {
        return Ok(());
    };
    if let Some(pair) = attempt.pair() {
        response.insert_header(headers::MODEL, pair.model.label().clone())?;
    }
    response.insert_header(headers::ENDPOINT, attempt.endpoint.label().clone())?;
    add_attempts(response, ctx)
}

/// Adds the pairs that were tried.
fn add_attempts(response: &mut ResponseHeader, ctx: &RequestContext) -> Result<()> {
    match ctx.attempts() {
        Some(attempts) => response.insert_header(headers::ATTEMPTS, attempts),
        None => Ok(()),
    }
}
