//! Where in a request its model stands.

use super::headers::is_of_type;
use super::refusal::Refusal;
use crate::gateway::{Endpoint, Pairs};
use crate::splice::{self, Boundary, JsonPlace, Place, query};
use crate::vendor::{AddressError, Asked, RequestRule, Vendor};
use http::header::CONTENT_TYPE;
use pingora_http::RequestHeader;
use std::sync::Arc;

/// Where in a body the model stands.
pub enum BodyPlace {
    /// In a JSON object, at this place.
    Json(JsonPlace),
    /// In the field of a form with this boundary.
    Form {
        /// The form's boundary.
        boundary: Box<Boundary>,
        /// The field's name.
        field: Box<str>,
    },
    /// Nowhere: the body stays as it is.
    Nowhere,
}

impl BodyPlace {
    /// The model's place in `body`.
    pub fn find(&self, body: &[u8]) -> Result<Place, Refusal> {
        match self {
            Self::Json(place) => place.locate(body).map_err(Refusal::InvalidJson),
            Self::Form { boundary, field } => {
                splice::locate_in_form(body, boundary, field).map_err(Refusal::InvalidForm)
            }
            Self::Nowhere => Ok(Place::Nowhere),
        }
    }
}

/// What a request says of its model before its body is read.
pub struct Looked {
    /// The model that it asks for outside of its body.
    pub asked: Option<Box<str>>,
    /// Where its body names the model.
    pub place: BodyPlace,
}

/// Where the model stands in a request that asks `vendor` for what is below the first `context_len` bytes of its path, and is
/// balanced over `pairs`.
///
/// # Errors
/// One of the vendors has no such path, or the model cannot be read where it stands: whichever pair's turn it is, the request
/// is refused.
pub fn look(
    request: &RequestHeader,
    vendor: &Vendor,
    pairs: &Pairs,
    context_len: usize,
) -> Result<Looked, Refusal> {
    let path = request.uri.path().get(context_len..).unwrap_or_default();
    let base = pairs.ways().first().map_or("", |endpoint| endpoint.url().path());
    let outset = vendor.outset(base, path).map_err(Refusal::InvalidPath)?;
    let outset = outset.ok_or_else(|| no_route(vendor))?;
    let beside = asked_beside(request, outset.rule)?;
    let mut place = body_place(request, outset.rule)?;
    let is_looked_at =
        |endpoint: &Endpoint| endpoint.vendor().name == vendor.name && endpoint.url().path() == base;
    for endpoint in pairs.ways().iter().filter(|endpoint| !is_looked_at(endpoint)) {
        let asked = Asked { path, query: request.uri.query() };
        let address = endpoint.vendor().address(vendor, endpoint.url().path(), asked, "model");
        let rule = address.map_err(|error| refusal(error, endpoint.vendor()))?.rule;
        // The loader has seen that the places in bodies are the same; the API's vendor may have none here.
        if matches!(place, BodyPlace::Nowhere) && !rule.is_by_path() {
            place = body_place(request, rule)?;
        }
    }
    Ok(Looked { asked: outset.asked.or(beside), place })
}

fn no_route(vendor: &Vendor) -> Refusal {
    Refusal::NoModelInPath { vendor: Arc::clone(&vendor.name), paths: vendor.paths() }
}

fn refusal(error: AddressError, vendor: &Vendor) -> Refusal {
    match error {
        AddressError::Path(error) => Refusal::InvalidPath(error),
        AddressError::Query(error) => Refusal::InvalidQuery(error),
        AddressError::NoRoute => no_route(vendor),
    }
}

/// The model that the request asks for in its query or in a header.
fn asked_beside(request: &RequestHeader, rule: &RequestRule) -> Result<Option<Box<str>>, Refusal> {
    if let (Some(name), Some(query)) = (&rule.query, request.uri.query()) {
        let found = query::find(query, name).map_err(Refusal::InvalidQuery)?;
        if let Some(value) = found {
            return Ok(Some(value.asked));
        }
    }
    let header = rule.header.as_ref().and_then(|name| request.headers.get(name));
    Ok(header.and_then(|value| value.to_str().ok()).map(Into::into))
}

fn body_place(request: &RequestHeader, rule: &RequestRule) -> Result<BodyPlace, Refusal> {
    let content_type = request.headers.get(CONTENT_TYPE).map_or(b"".as_slice(), |value| value.as_bytes());
    let is_form = is_of_type(content_type, "multipart/form-data");
    match (&rule.form, &rule.json) {
        (Some(field), json) if is_form || json.is_none() => {
            if rule.is_by_path() && !is_form {
                return Ok(BodyPlace::Nowhere);
            }
            let boundary = Box::new(Boundary::of(content_type).map_err(Refusal::InvalidForm)?);
            Ok(BodyPlace::Form { boundary, field: field.clone() })
        }
        // What only follows the path is looked for in JSON alone.
        (_, Some(place)) if !rule.is_by_path() || is_of_type(content_type, "application/json") => {
            Ok(BodyPlace::Json(place.clone()))
        }
        _ => Ok(BodyPlace::Nowhere),
    }
}
