//! Taking a pair out, and putting it back: `POST /api/v1/pairs/{api}/{endpoint}/{model}/…`.

use super::exchange::Call;
use super::operation::{Json, Operation, Optional};
use super::refusal::{Code, Refusal};
use super::span::HoldSpan;
use super::status::PairStatus;
use super::{Desk, audit};
use crate::gateway::{AiApi, Environment, Pair};
use crate::live::Serving;
use http::Method;
use humantime::format_duration;
use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long a pair is suspended for where neither the request nor a policy says.
const DEFAULT_SPAN: Duration = Duration::from_secs(60);

/// The longest text that an operator may say, in characters.
const LONGEST_REASON: usize = 200;

const REFUSALS: &[Code] =
    &[Code::InvalidBody, Code::ApiNotFound, Code::PairNotFound, Code::EnvironmentRequired, Code::Draining];

const STATUSES: &[(u16, &str)] = &[(200, "How the pair is now.")];

/// Takes a pair out for a time.
pub(super) struct Suspend;

/// For how long a pair is taken out, and why.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub(super) struct SuspendBody {
    /// For how long, up to 30 days. Default: the policy's suspend duration, else 60 s.
    #[serde(rename = "for")]
    span: Option<HoldSpan>,
    /// Why, for people.
    reason: Option<Note>,
    /// The environment, where the pair is there in both.
    environment: Option<Environment>,
}

/// Takes a pair out until it is resumed.
pub(super) struct Drain;

/// Why a pair is taken out.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub(super) struct DrainBody {
    /// Why, for people.
    reason: Option<Note>,
    /// The environment, where the pair is there in both.
    environment: Option<Environment>,
}

/// Puts a pair back.
pub(super) struct Resume;

/// Which pair is put back.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub(super) struct ResumeBody {
    /// The environment, where the pair is there in both.
    environment: Option<Environment>,
}

/// What an operator says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(inline)]
struct Note(#[schemars(length(max = 200))] String);

impl TryFrom<String> for Note {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.chars().count() {
            0..=LONGEST_REASON => Ok(Self(text)),
            length => Err(format!("a reason has at most {LONGEST_REASON} characters, this one has {length}")),
        }
    }
}

impl Operation for Suspend {
    type Body = Optional<SuspendBody>;
    type Answer = Json<PairStatus>;
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/api/v1/pairs/{api}/{endpoint}/{model}/suspend";
    const ID: &'static str = "suspend";
    const SUMMARY: &'static str = "Takes a pair out for a time; requests under way finish";
    const STATUSES: &'static [(u16, &'static str)] = STATUSES;
    const REFUSALS: &'static [Code] = REFUSALS;

    fn call(desk: &Desk, call: &Call, Optional(body): Self::Body) -> Result<Json<PairStatus>, Refusal> {
        change(desk, call, "suspend", body.environment, |place| {
            let span = body.span.map_or_else(|| place.span(), |span| span.0);
            place.pair.health.lock().hold(Some(desk.live.now().after(span)), note(body.reason.as_ref()));
            place.count_hold();
            format!(" for {}{}", format_duration(span), Because(body.reason.as_ref()))
        })
    }
}

impl Operation for Drain {
    type Body = Optional<DrainBody>;
    type Answer = Json<PairStatus>;
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/api/v1/pairs/{api}/{endpoint}/{model}/drain";
    const ID: &'static str = "drain";
    const SUMMARY: &'static str = "Takes a pair out until it is resumed; requests under way finish";
    const STATUSES: &'static [(u16, &'static str)] = STATUSES;
    const REFUSALS: &'static [Code] = REFUSALS;

    fn call(desk: &Desk, call: &Call, Optional(body): Self::Body) -> Result<Json<PairStatus>, Refusal> {
        change(desk, call, "drain", body.environment, |place| {
            place.pair.health.lock().hold(None, note(body.reason.as_ref()));
            place.count_hold();
            Because(body.reason.as_ref()).to_string()
        })
    }
}

impl Operation for Resume {
    type Body = Optional<ResumeBody>;
    type Answer = Json<PairStatus>;
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/api/v1/pairs/{api}/{endpoint}/{model}/resume";
    const ID: &'static str = "resume";
    const SUMMARY: &'static str = "Puts a pair back at once, whatever it was taken out for";
    const STATUSES: &'static [(u16, &'static str)] = STATUSES;
    const REFUSALS: &'static [Code] = REFUSALS;

    fn call(desk: &Desk, call: &Call, Optional(body): Self::Body) -> Result<Json<PairStatus>, Refusal> {
        change(desk, call, "resume", body.environment, |place| {
            place.pair.health.lock().resume(desk.live.now());
            String::new()
        })
    }
}

/// Does `act` to the pair that `call` names, writes down that `verb` was done and what `act` says with it, and answers how
/// the pair is then.
fn change(
    desk: &Desk,
    call: &Call,
    verb: &str,
    environment: Option<Environment>,
    act: impl FnOnce(&Place<'_>) -> String,
) -> Result<Json<PairStatus>, Refusal> {
    let serving = desk.live.current();
    let done = not_draining(desk).and_then(|()| {
        let place = find(&serving, call, environment)?;
        let details = act(&place);
        let shares = place.api.shares(place.environment);
        let share = shares.iter().find(|(pair, _)| pair.number == place.pair.number);
        let share = share.map(|(_, share)| *share).unwrap_or_default();
        Ok((PairStatus::of(&desk.live, &serving, place.pair, share), place.environment, details))
    });
    let [api, endpoint, model] = ["api", "endpoint", "model"].map(|name| audit::Shown(call.name(name)));
    match done {
        Ok((status, environment, details)) => {
            let pair = format_args!("`{model}` on `{endpoint}` ({environment})");
            audit::changed(call.peer, format_args!("{verb} AI API `{api}` {pair}{details}"));
            Ok(Json(status))
        }
        Err(refusal) => {
            let what = format_args!("{verb} AI API `{api}` `{model}` on `{endpoint}`");
            audit::refused(call.peer, what, &refusal);
            Err(refusal)
        }
    }
}

/// Whether this process still changes anything.
pub(super) fn not_draining(desk: &Desk) -> Result<(), Refusal> {
    if !desk.live.drain().is_draining() {
        return Ok(());
    }
    let message = "this process finishes what it has begun and ends; ask the one that has taken over";
    Err(Refusal::new(Code::Draining, message))
}

/// A pair and where it is.
struct Place<'g> {
    serving: &'g Serving,
    api: &'g Arc<AiApi>,
    environment: Environment,
    pair: &'g Pair,
}

impl Place<'_> {
    fn count_hold(&self) {
        if let Some(target) = self.serving.meters.pair(self.pair.number.0) {
            target.meter.holds.add(1);
        }
    }

    /// The longest suspend duration of the policies that have the pair.
    fn span(&self) -> Duration {
        let lists = self.api.operations().iter().filter_map(|operation| operation.pairs(self.environment));
        let own = lists.filter(|pairs| pairs.iter().any(|pair| pair.number == self.pair.number));
        let spans = own.filter_map(|pairs| Some(pairs.pool().suspension()?.rules.duration));
        spans.max().unwrap_or(DEFAULT_SPAN)
    }
}

fn find<'g>(serving: &'g Serving, call: &Call, wanted: Option<Environment>) -> Result<Place<'g>, Refusal> {
    let gateway = &serving.gateway;
    let [api_name, endpoint, model] = ["api", "endpoint", "model"].map(|name| call.name(name));
    if !gateway.apis().iter().any(|api| api.name() == api_name) {
        let message = format!("there is no AI API `{api_name}`; GET /api/v1/status tells what there is");
        return Err(Refusal::new(Code::ApiNotFound, message));
    }
    let places = gateway.pairs().map(|(api, environment, pair)| Place { serving, api, environment, pair });
    let mut places = places.filter(|Place { api, environment, pair, .. }| {
        let named = api.name() == api_name && pair.endpoint.name() == endpoint && pair.model.name() == model;
        named && wanted.is_none_or(|wanted| wanted == *environment)
    });
    match (places.next(), places.next()) {
        (Some(place), None) => Ok(place),
        (Some(_), Some(_)) => {
            let message = format!(
                "`{model}` on `{endpoint}` is there in both environments; give `environment`, `production` or `sandbox`"
            );
            Err(Refusal::new(Code::EnvironmentRequired, message))
        }
        (None, _) => {
            let within = wanted.map(|wanted| format!(" in {wanted}")).unwrap_or_default();
            let message =
                format!("no policy of AI API `{api_name}` has the model `{model}` on `{endpoint}`{within}");
            Err(Refusal::new(Code::PairNotFound, message))
        }
    }
}

fn note(reason: Option<&Note>) -> Option<Arc<str>> {
    reason.filter(|reason| !reason.0.is_empty()).map(|reason| Arc::from(reason.0.as_str()))
}

/// `: reason`, or nothing.
struct Because<'a>(Option<&'a Note>);

impl fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(Note(reason)) if !reason.is_empty() => write!(f, ": {}", audit::Shown(reason)),
            _ => Ok(()),
        }
    }
}
