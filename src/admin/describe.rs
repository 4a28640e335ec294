//! The document of the management API.

use super::exchange::Call;
use super::operation::{Json, Nothing, Operation};
use super::refusal::{Code, Refusal};
use super::{Desk, openapi, routes};
use http::Method;
use serde_json::Value;

/// The OpenAPI document.
pub(super) struct Document;

impl Operation for Document {
    type Body = Nothing;
    type Answer = Json<Value>;
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/api/v1/openapi.json";
    const ID: &'static str = "document";
    const SUMMARY: &'static str = "This document";
    const STATUSES: &'static [(u16, &'static str)] = &[(200, "The OpenAPI document.")];
    const REFUSALS: &'static [Code] = &[];

    fn call(desk: &Desk, _: &Call, _: Nothing) -> Result<Json<Value>, Refusal> {
        Ok(Json(openapi::document(routes::all(), desk.asks_for_token())))
    }
}
