//! The keys of clients: `/api/v1/keys`.

use super::exchange::Call;
use super::operation::{Done, Json, Nothing, Operation, Required};
use super::refusal::{Code, Refusal};
use super::{Desk, audit};
use crate::keys::{Environment, KeyError, KeyRecord};
use crate::live::time_of_day;
use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Tells of the keys.
pub(super) struct ListKeys;

/// The keys, in the order in which they were made.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Keys")]
pub(super) struct KeyList {
    keys: Vec<KeyInfo>,
}

/// What is known of a key. The key itself is not.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Key")]
struct KeyInfo {
    /// Its name.
    name: String,
    /// The environment that it opens.
    environment: Environment,
    /// The AI APIs that it opens; null for all.
    apis: Option<Vec<String>>,
    /// Its first and last characters.
    hint: String,
    /// When it was made, RFC 3339 in UTC.
    created_at: String,
}

impl Operation for ListKeys {
    type Body = Nothing;
    type Answer = Json<KeyList>;
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/api/v1/keys";
    const ID: &'static str = "list_keys";
    const SUMMARY: &'static str = "The keys of clients";
    const STATUSES: &'static [(u16, &'static str)] = &[(200, "The keys.")];
    const REFUSALS: &'static [Code] = &[Code::KeysUnavailable];

    fn call(desk: &Desk, _: &Call, _: Nothing) -> Result<Json<KeyList>, Refusal> {
        let keys = desk.live.key_file().load().map_err(refusal)?;
        Ok(Json(KeyList { keys: keys.into_iter().map(KeyInfo::from).collect() }))
    }
}

impl From<KeyRecord> for KeyInfo {
    fn from(record: KeyRecord) -> Self {
        let KeyRecord { name, environment, apis, hash: _, hint, created_at } = record;
        Self { name: name.to_string(), environment, apis, hint, created_at }
    }
}

/// Makes a key.
pub(super) struct CreateKey;

/// The key that is wanted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct NewKey {
    /// What to call it by.
    #[schemars(regex(pattern = "^[A-Za-z0-9._-]{1,64}$"))]
    name: String,
    /// The environment that it opens.
    environment: Environment,
    /// The AI APIs that it opens, at least one. Left out: all.
    #[serde(default)]
    #[schemars(length(min = 1))]
    apis: Option<Vec<String>>,
}

/// A key that has just been made.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CreatedKey")]
pub(super) struct Created {
    /// Its name.
    name: String,
    /// The environment that it opens.
    environment: Environment,
    /// The AI APIs that it opens; null for all.
    apis: Option<Vec<String>>,
    /// The key. It is told only now.
    key: String,
}

impl Operation for CreateKey {
    type Body = Required<NewKey>;
    type Answer = Json<Created>;
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/api/v1/keys";
    const ID: &'static str = "create_key";
    const SUMMARY: &'static str = "Makes a key, and tells it this once; it opens within a second";
    const STATUSES: &'static [(u16, &'static str)] = &[(201, "The key.")];
    const REFUSALS: &'static [Code] =
        &[Code::InvalidBody, Code::ApiNotFound, Code::NameTaken, Code::KeysUnavailable];

    fn call(desk: &Desk, call: &Call, Required(new): Self::Body) -> Result<Json<Created>, Refusal> {
        let (name, environment) = (new.name.clone(), new.environment);
        let what = format!("create {} key `{}`", environment.as_str(), audit::Shown(&name));
        match create(desk, new) {
            Ok(created) => {
                audit::changed(call.peer, format_args!("{what}{}", for_apis(created.apis.as_deref())));
                Ok(Json(created))
            }
            Err(refusal) => {
                audit::refused(call.peer, format_args!("{what}"), &refusal);
                Err(refusal)
            }
        }
    }
}

fn create(desk: &Desk, new: NewKey) -> Result<Created, Refusal> {
    let NewKey { name, environment, apis } = new;
    if apis.as_ref().is_some_and(Vec::is_empty) {
        let message = "`apis` names at least one AI API; leave it out for all of them";
        return Err(Refusal::new(Code::InvalidBody, message));
    }
    let serving = desk.live.current();
    let known = |name: &String| serving.gateway.apis().iter().any(|api| api.name() == name);
    if let Some(unknown) = apis.iter().flatten().find(|name| !known(name)) {
        return Err(Refusal::new(Code::ApiNotFound, format!("there is no AI API `{unknown}`")));
    }
    let made = desk.live.key_file().create(&name, environment, apis.clone(), time_of_day());
    let key = made.map_err(refusal)?.reveal().to_owned();
    Ok(Created { name, environment, apis, key })
}

fn for_apis(apis: Option<&[String]>) -> String {
    match apis {
        Some(apis) => format!(" for AI API `{}`", audit::Shown(&apis.join("`, `"))),
        None => " for all AI APIs".to_owned(),
    }
}

/// Takes a key away.
pub(super) struct RevokeKey;

impl Operation for RevokeKey {
    type Body = Nothing;
    type Answer = Done;
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/api/v1/keys/{name}";
    const ID: &'static str = "revoke_key";
    const SUMMARY: &'static str = "Revokes a key; it opens nothing any more within a second";
    const STATUSES: &'static [(u16, &'static str)] = &[(204, "It is revoked.")];
    const REFUSALS: &'static [Code] = &[Code::KeyNotFound, Code::KeysUnavailable];

    fn call(desk: &Desk, call: &Call, _: Nothing) -> Result<Done, Refusal> {
        let name = call.name("name");
        let what = format_args!("revoke key `{}`", audit::Shown(name)).to_string();
        match desk.live.key_file().revoke(name).map_err(refusal) {
            Ok(_) => {
                audit::changed(call.peer, format_args!("{what}"));
                Ok(Done)
            }
            Err(refusal) => {
                audit::refused(call.peer, format_args!("{what}"), &refusal);
                Err(refusal)
            }
        }
    }
}

fn refusal(error: KeyError) -> Refusal {
    let code = match &error {
        KeyError::InvalidName(_) => Code::InvalidBody,
        KeyError::NameTaken { .. } => Code::NameTaken,
        KeyError::UnknownName { .. } => Code::KeyNotFound,
        KeyError::Random(_)
        | KeyError::Read { .. }
        | KeyError::Malformed { .. }
        | KeyError::Version { .. }
        | KeyError::Duplicate { .. }
        | KeyError::Write { .. } => {
            log::error!("{error}");
            Code::KeysUnavailable
        }
    };
    Refusal::new(code, error.to_string())
}
