//! Whether the process lives, and whether it serves.

use super::Desk;
use super::exchange::Call;
use super::operation::{Nothing, Operation, Text};
use super::refusal::{Code, Refusal};
use http::{Method, StatusCode};

/// Whether the process lives.
pub(super) struct Livez;

impl Operation for Livez {
    type Body = Nothing;
    type Answer = Text;
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/livez";
    const ID: &'static str = "livez";
    const SUMMARY: &'static str = "Whether the process lives";
    const STATUSES: &'static [(u16, &'static str)] = &[(200, "It does.")];
    const REFUSALS: &'static [Code] = &[];
    const IMMEDIATE: bool = true;

    fn call(_: &Desk, _: &Call, _: Nothing) -> Result<Text, Refusal> {
        Ok(Text(StatusCode::OK, "alive\n".to_owned()))
    }
}

/// Whether it is to be sent requests.
pub(super) struct Readyz;

impl Operation for Readyz {
    type Body = Nothing;
    type Answer = Text;
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/readyz";
    const ID: &'static str = "readyz";
    const SUMMARY: &'static str = "Whether the process is to be sent requests";
    const STATUSES: &'static [(u16, &'static str)] =
        &[(200, "It is."), (503, "It has not opened its listeners yet, or drains; the text says which.")];
    const REFUSALS: &'static [Code] = &[];
    const IMMEDIATE: bool = true;

    fn call(desk: &Desk, _: &Call, _: Nothing) -> Result<Text, Refusal> {
        let (status, text) = match (desk.readiness.is_set(), desk.live.drain().is_draining()) {
            (_, true) => (StatusCode::SERVICE_UNAVAILABLE, "not ready: draining\n"),
            (false, false) => {
                (StatusCode::SERVICE_UNAVAILABLE, "not ready: the listeners are not open yet\n")
            }
            (true, false) => (StatusCode::OK, "ready\n"),
        };
        Ok(Text(status, text.to_owned()))
    }
}
