//! What a file says of a vendor: the schema of `vendors` and of the built-in catalog alike.

use super::file::List;
use super::located::Located;
use crate::vendor::ModelList;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What is known of a vendor. What is left out is as in the vendor that it `extends`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VendorEntry {
    /// The vendor whose fields these replace. Default: the built-in one of this name; `openai` for any other name.
    pub(super) extends: Option<Located<String>>,
    /// The name of the format of its requests. Endpoints of several vendors stand in one AI API only where this is the same.
    pub(super) format: Option<Located<String>>,
    /// How its API authenticates.
    pub(super) credential: Option<Located<SchemeEntry>>,
    /// Headers that requests get which do not have them.
    pub(super) headers: Option<Located<BTreeMap<String, Located<String>>>>,
    /// Where the model stands in its requests. The first whose path fits counts.
    pub(super) requests: Option<List<RequestEntry>>,
    /// Where its paths stand, where those of other vendors of the same format have no such beginning.
    pub(super) mount: Option<Located<MountEntry>>,
    /// What a whole answer tells.
    pub(super) response: Option<Located<AnswerEntry>>,
    /// What the events of a streamed answer tell.
    pub(super) stream: Option<Located<StreamEntry>>,
    /// The headers in which it tells of its limits.
    pub(super) limits: Option<Located<LimitsEntry>>,
    /// The shape of its own list of models, for `answer: models`.
    pub(super) model_list: Option<Located<ModelListName>>,
    /// The models it has. When they are listed, a policy that names another is an error; otherwise, a built-in list is
    /// looked at for a warning.
    pub(super) models: Option<List<String>>,
}

/// How a vendor's API authenticates.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SchemeEntry {
    /// The header that presents a credential. Default: `authorization`.
    pub(super) header: Option<Located<String>>,
    /// What stands before the credential there. Default: `Bearer ` in `authorization`, nothing elsewhere.
    pub(super) prefix: Option<Located<String>>,
    /// The name by which AWS knows the service: AWS keys sign its requests (SigV4).
    pub(super) aws_service: Option<Located<String>>,
    /// A credential is a Google service account's key in JSON, for which OAuth2 gives access tokens with these scopes.
    pub(super) google_scopes: Option<List<String>>,
}

/// Where the model stands in the requests of some paths.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestEntry {
    /// The paths: `*` is a segment, `**` are any number of them, and `{model}` is where the model stands, if it is there.
    /// Wherever else it stands is then rewritten too, where it is there.
    pub(super) path: Located<String>,
    /// What a `/` in the name of a model is in a path. Default: `refused`.
    pub(super) slash: Option<Located<SlashName>>,
    /// Where it stands in a JSON body, such as `model` or `input.model`. Beside a `{model}` in the path, `[]` after a name
    /// stands for each element of an array: `requests[].model`.
    pub(super) json: Option<Located<String>>,
    /// What stands before it in that string of a JSON body, such as `models/`: it stays where it is there.
    pub(super) prefix: Option<Located<String>>,
    /// The name of the field of a multipart form in which it stands.
    pub(super) multipart: Option<Located<String>>,
    /// The header in which it stands.
    pub(super) header: Option<Located<String>>,
    /// The query parameter in which it stands.
    pub(super) query: Option<Located<String>>,
}

/// What a `/` in the name of a model is in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum SlashName {
    /// Models of this vendor have none.
    #[default]
    Refused,
    /// `%2F`.
    Encoded,
    /// A `/`: the model spans segments.
    Kept,
}

/// Where a vendor's paths stand.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MountEntry {
    /// Beginnings of paths. The first is put before a path that fits none of `requests`; any of them is taken off where an
    /// endpoint is another vendor's. Without any there is no mount, not even one that is inherited.
    pub(super) prefixes: Option<List<String>>,
    /// Query parameters that come with the first, where the request does not have them, and are taken off with any.
    pub(super) query: Option<Located<BTreeMap<String, Located<String>>>>,
}

/// What an answer tells: for each, JSON paths of which the first that is there counts, or sums of some (`a.b + a.c`).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerEntry {
    /// The model that has answered.
    pub(super) model: Option<List<String>>,
    /// The tokens of the request, cached ones included.
    pub(super) prompt_tokens: Option<List<String>>,
    /// The tokens of the answer.
    pub(super) completion_tokens: Option<List<String>>,
    /// The tokens of the request that the vendor had in its cache.
    pub(super) cached_tokens: Option<List<String>>,
    /// All tokens.
    pub(super) total_tokens: Option<List<String>>,
}

/// What the events of a streamed answer tell.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StreamEntry {
    /// The model that answers.
    pub(super) model: Option<List<String>>,
    /// The tokens of the request, cached ones included.
    pub(super) prompt_tokens: Option<List<String>>,
    /// The tokens of the answer.
    pub(super) completion_tokens: Option<List<String>>,
    /// The tokens of the request that the vendor had in its cache.
    pub(super) cached_tokens: Option<List<String>>,
    /// All tokens.
    pub(super) total_tokens: Option<List<String>>,
    /// Which events say that the stream has failed.
    pub(super) errors: Option<Located<ErrorsEntry>>,
}

/// Which events say that a stream has failed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ErrorsEntry {
    /// Names of events; in an AWS event stream, types of exceptions.
    pub(super) events: Option<List<String>>,
    /// Top-level members of an event's data that are not null then.
    pub(super) members: Option<List<String>>,
    /// Values of the top-level member `type` of an event's data.
    pub(super) types: Option<List<String>>,
}

/// The headers of a response in which a vendor tells of its limits.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsEntry {
    /// Those that tell how many tokens are left: 0 or less suspends, where a policy says `quota`.
    pub(super) remaining_tokens: Option<List<String>>,
    /// Those that tell when a limit is reset, by a duration or a moment.
    pub(super) reset: Option<List<String>>,
}

/// The shape of a list of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum ModelListName {
    /// OpenAI's.
    Openai,
    /// Mistral's: OpenAI's, and what a model can do.
    Mistral,
    /// Anthropic's.
    Anthropic,
    /// Gemini's.
    Gemini,
    /// That of Vertex AI, of Google's own models.
    Vertex,
    /// Cohere's.
    Cohere,
    /// That of Amazon Bedrock.
    Bedrock,
}

impl From<ModelListName> for ModelList {
    fn from(name: ModelListName) -> Self {
        match name {
            ModelListName::Openai => Self::OpenAi,
            ModelListName::Mistral => Self::Mistral,
            ModelListName::Anthropic => Self::Anthropic,
            ModelListName::Gemini => Self::Gemini,
            ModelListName::Vertex => Self::Vertex,
            ModelListName::Cohere => Self::Cohere,
            ModelListName::Bedrock => Self::Bedrock,
        }
    }
}
