//! AWS Signature Version 4, by AWS's own crate.
//!
//! The known answers of the tests are botocore's: `tests/sigv4/known_answers.py` makes them.

use super::AwsScope;
use super::error::{SignError, chain};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign as sign_request};
use aws_sigv4::sign::v4;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Uri};
use std::sync::Arc;
use std::time::SystemTime;

pub(super) const DATE: HeaderName = HeaderName::from_static("x-amz-date");
pub(super) const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
pub(super) const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");

/// A request, as it will be sent.
pub(super) struct Request<'a> {
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
    pub(super) host: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

/// The headers that sign `request` at `now`.
///
/// The crate's own settings are right for all services but S3: the path, encoded as it is sent, is encoded once more.
pub(super) fn sign(
    scope: &AwsScope,
    credentials: &Credentials,
    request: &Request<'_>,
    now: SystemTime,
) -> Result<Vec<(HeaderName, HeaderValue)>, SignError> {
    let identity = credentials.clone().into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(&scope.region)
        .name(&scope.service)
        .time(now)
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| unsigned(&error))?;
    let headers = signed_headers(request)?;
    let path = request.uri.path_and_query().map_or("/", |path| path.as_str());
    let signable = SignableRequest::new(
        request.method.as_str(),
        format!("https://{}{path}", request.host),
        headers.into_iter(),
        SignableBody::Bytes(request.body),
    );
    let signable = signable.map_err(|error| unsigned(&error))?;
    let output = sign_request(signable, &parameters.into()).map_err(|error| unsigned(&error))?;
    let (instructions, _) = output.into_parts();
    instructions.headers().map(|(name, value)| header(name, value)).collect()
}

/// What the signature covers. AWS asks for Host, Content-Type and all of `x-amz-*`; another header may be changed on the
/// way, and would break the signature then.
fn signed_headers<'a>(request: &'a Request<'_>) -> Result<Vec<(&'a str, &'a str)>, SignError> {
    let own = [DATE, SECURITY_TOKEN, CONTENT_SHA256];
    let mut signed = vec![("host", request.host)];
    for (name, value) in request.headers {
        let covered = *name == CONTENT_TYPE || name.as_str().starts_with("x-amz-");
        if covered && !own.contains(name) {
            let text = value.to_str();
            let why = |_| SignError::Request(format!("its {name} has characters beyond ASCII").into());
            signed.push((name.as_str(), text.map_err(why)?));
        }
    }
    Ok(signed)
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), SignError> {
    let name = HeaderName::try_from(name).map_err(|error| unsigned(&error))?;
    let mut value = HeaderValue::try_from(value).map_err(|error| unsigned(&error))?;
    value.set_sensitive(true);
    Ok((name, value))
}

fn unsigned(error: &dyn std::error::Error) -> SignError {
    SignError::Request(Arc::from(chain(error)))
}

#[cfg(test)]
mod tests;
