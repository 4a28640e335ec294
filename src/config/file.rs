//! The file as it is written: its keys and their types, and nothing of what they mean together.
//!
//! The documentation of each field is what `evenkeel schema` tells an editor about the key.

use super::credential_entry::CredentialEntry;
use super::located::Located;
use super::scalars::{Attempts, CauseName, Count, PairList, Weight};
use super::server::ServerSection;
use super::units::{Size, Span};
use super::vendor_entry::VendorEntry;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A list that knows where it and each of its items were written.
pub(super) type List<T> = Located<Vec<Located<T>>>;

/// The configuration of an Evenkeel gateway.
///
/// A text can hold `${VAR}`, `${VAR:-default}` or `${file:PATH}`, which are filled in when the file is loaded; `$${`
/// stands for `${` itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Evenkeel")]
pub(super) struct File {
    /// Settings of the process, passed on to Pingora as they are.
    pub(super) server: Option<Located<ServerSection>>,
    /// The addresses that clients connect to, at least one.
    pub(super) listeners: List<ListenerEntry>,
    /// The address for those who run the gateway.
    pub(super) admin: Option<Located<AdminSection>>,
    /// The directory of what the gateway keeps: `keys.yaml`, with the hashes of the keys. Default:
    /// `/var/lib/evenkeel`.
    pub(super) state_dir: Option<Located<PathBuf>>,
    /// The line that is written for each request.
    pub(super) access_log: Option<Located<AccessLogSection>>,
    /// What is measured.
    pub(super) metrics: Option<Located<MetricsSection>>,
    /// When this file is loaded again.
    pub(super) reload: Option<Located<ReloadSection>>,
    /// How much of what is accepted.
    pub(super) limits: Option<Located<LimitsSection>>,
    /// Vendors by name: adds one, or replaces what is known of a built-in one, such as its models.
    #[schemars(with = "Option<BTreeMap<String, Option<VendorEntry>>>")]
    pub(super) vendors: Option<Located<BTreeMap<String, Located<VendorEntry>>>>,
    /// The AI APIs that are served, at least one.
    pub(super) apis: List<ApiEntry>,
}

/// An address that clients connect to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListenerEntry {
    /// An IP address and a port: `0.0.0.0:8080`, `[::1]:8080`, or `localhost:8080` for 127.0.0.1.
    pub(super) address: Located<String>,
    /// Serve TLS. Left out: plain HTTP/1.1, and HTTP/2 with prior knowledge.
    pub(super) tls: Option<Located<TlsSection>>,
}

/// The files that TLS is served with.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsSection {
    /// The file with the certificate and the chain up to its root, in PEM.
    pub(super) certificate: Located<PathBuf>,
    /// The file with the certificate's private key, in PEM.
    pub(super) key: Located<PathBuf>,
}

/// The address for those who run the gateway.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AdminSection {
    /// An IP address and a port for health, metrics and the management API. Default: `127.0.0.1:9901`.
    pub(super) address: Option<Located<String>>,
    /// What callers of the management API present as `Authorization: Bearer …`; best as `${VAR}` or `${file:PATH}`.
    /// Needed where the address can be reached from elsewhere. Left out: whoever is on this machine may call it.
    pub(super) token: Option<Located<String>>,
}

/// What is measured.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MetricsSection {
    /// Whose names `/metrics` uses. Default: `evenkeel`.
    pub(super) conventions: Option<Located<MetricConventions>>,
}

/// Whose names `/metrics` uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum MetricConventions {
    /// Evenkeel's own.
    #[default]
    Evenkeel,
    /// Evenkeel's own and those of OpenTelemetry's semantic conventions for generative AI.
    Otel,
}

/// When the file is loaded again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReloadSection {
    /// Whether it is when it has changed, or a file that it refers to. Default: `false`.
    pub(super) watch: Option<Located<bool>>,
}

/// The line that is written for each request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccessLogSection {
    /// How it is written. Default: `logfmt`.
    pub(super) format: Option<Located<AccessLogFormat>>,
}

/// How the access log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum AccessLogFormat {
    /// A JSON object a line.
    Json,
    /// `key=value` pairs.
    #[default]
    Logfmt,
    /// Not at all.
    Off,
}

/// How much of what is accepted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsSection {
    /// The greatest request body; a larger one is answered with 413. Default: `20MiB`.
    pub(super) request_body: Option<Located<Size>>,
}

/// One published API of one vendor.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiEntry {
    /// Its name, by which keys are bound to it.
    pub(super) name: Located<String>,
    /// Where it is mounted, such as `/smartchat`. A request's path is the context and an operation's path; the latter is
    /// appended to the endpoint's URL.
    pub(super) context: Located<String>,
    /// Whose API it is: a built-in vendor, such as `openai` or `aws-bedrock`, or one of `vendors`.
    pub(super) vendor: Located<String>,
    /// Who may call it. Default: `api_key`.
    pub(super) authentication: Option<Located<Authentication>>,
    /// The vendor's base URLs in each environment, at least one in all.
    pub(super) endpoints: Located<EndpointsSection>,
    /// What can be called, at least one.
    pub(super) operations: List<OperationEntry>,
}

/// Who may call an AI API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(super) enum Authentication {
    /// Whoever presents one of the gateway's keys, which decides the environment.
    #[default]
    ApiKey,
    /// Anyone; every request is `production`.
    None,
}

/// The endpoints of an AI API.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EndpointsSection {
    /// Those for production keys. The first is the primary one.
    pub(super) production: Option<List<EndpointEntry>>,
    /// Those for sandbox keys. The first is the primary one.
    pub(super) sandbox: Option<List<EndpointEntry>>,
}

/// A base URL of the vendor.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EndpointEntry {
    /// Its name, by which policies refer to it.
    pub(super) name: Located<String>,
    /// What requests' paths are appended to, such as `https://api.openai.com/v1`.
    pub(super) url: Located<String>,
    /// Whose it is, where it is another vendor's than the AI API's. The format of requests must be the same.
    pub(super) vendor: Option<Located<String>>,
    /// What the gateway presents there; best as `${VAR}` or `${file:PATH}`. A text is presented in the vendor's own scheme.
    /// Left out: nothing.
    pub(super) credential: Option<Located<CredentialEntry>>,
    /// The version of HTTP that is spoken to it. Default: `http1`, which delivers a vendor's early refusal of a large
    /// request.
    pub(super) protocol: Option<Located<ProtocolName>>,
    /// Headers that are set on every request to it.
    pub(super) headers: Option<Located<BTreeMap<String, Located<String>>>>,
    /// How long connecting may take, TLS included. Default: `5s`.
    pub(super) connect_timeout: Option<Located<Span>>,
    /// How long the first byte of the response may take. Default: `120s`.
    pub(super) first_byte_timeout: Option<Located<Span>>,
    /// How long a response may pause. Default: `120s`.
    pub(super) idle_timeout: Option<Located<Span>>,
}

/// The version of HTTP that is spoken to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum ProtocolName {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

/// A method and path below the context.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OperationEntry {
    /// A method in capitals, or `"*"` for any.
    pub(super) method: Located<String>,
    /// A path below the context, such as `/chat/completions` or `/models/{model}:generateContent`, where a name in braces
    /// stands for a segment or a part of one; a trailing `/*` stands for everything below.
    pub(super) path: Located<String>,
    /// How its requests spread over models. Left out: they go to the primary endpoint, the model untouched.
    pub(super) policy: Option<Located<PolicyEntry>>,
    /// The gateway answers by itself: `models` lists the models that a client may ask for.
    pub(super) answer: Option<Located<AnswerName>>,
}

/// What the gateway answers by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(super) enum AnswerName {
    /// The models that a client may ask for, in the shape of the vendor's own list.
    Models,
}

/// How requests spread over models.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyEntry {
    /// The strategy. All policies of an AI API have the same.
    #[serde(rename = "type")]
    pub(super) strategy: Located<Strategy>,
    /// The pairs for production keys. Left out, `disabled` or `[]`: requests go to the primary endpoint, the model
    /// untouched.
    pub(super) production: Option<Located<PairList>>,
    /// The pairs for sandbox keys. Left out, `disabled` or `[]`: requests go to the primary endpoint, the model
    /// untouched.
    pub(super) sandbox: Option<Located<PairList>>,
    /// How long a failed pair receives no traffic. Left out: failures are not remembered.
    pub(super) suspend_duration: Option<Located<Span>>,
    /// What counts as a failure. Default: `[401, 408, 429, 5xx, connect, timeout, stream, quota]`.
    pub(super) suspend_on: Option<List<CauseName>>,
    /// Each failed probe in a row doubles the suspend duration, up to this. Left out: it stays the same.
    pub(super) max_suspend_duration: Option<Located<Span>>,
    /// How many failures within `failure_window` suspend a pair. Default: 1.
    pub(super) failure_threshold: Option<Located<Count>>,
    /// How long a failure counts towards `failure_threshold`. Default: `60s`.
    pub(super) failure_window: Option<Located<Span>>,
    /// How long a pair of a `model_weighted_round_robin` takes to regain its share when it is back, from a tenth of it.
    /// Left out: it has it at once.
    pub(super) ramp: Option<Located<Span>>,
    /// Whether and how a failed request is tried again on another pair.
    pub(super) retry: Option<Located<RetrySection>>,
    /// What happens to a request when every pair is suspended. Default: `reject`.
    pub(super) when_all_suspended: Option<Located<AllSuspendedName>>,
    /// From when on a streamed response is the answer, and no other pair is tried any more. Default: `first_byte`.
    pub(super) commit: Option<Located<CommitName>>,
    /// How long connecting may take, TLS included. Default: that of the pair's endpoint.
    pub(super) connect_timeout: Option<Located<Span>>,
    /// How long the first byte of the response may take. Default: that of the pair's endpoint.
    pub(super) first_byte_timeout: Option<Located<Span>>,
    /// How long a response may pause. Default: that of the pair's endpoint.
    pub(super) idle_timeout: Option<Located<Span>>,
}

/// How a failed request is tried again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a mapping such as `{ attempts: 2 }`")]
pub(super) struct RetrySection {
    /// How many more pairs are tried after the first; 0 for none. Default: 2.
    pub(super) attempts: Option<Located<Attempts>>,
    /// What a request is tried again for. Default: `[408, 429, 5xx, connect, timeout]`.
    pub(super) on: Option<List<CauseName>>,
    /// How long after the request has come another try may still begin. Default: `10s`.
    pub(super) within: Option<Located<Span>>,
}

/// What happens to a request when every pair is suspended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(super) enum AllSuspendedName {
    /// It is refused with 503.
    #[default]
    Reject,
    /// The pair that comes back first is tried.
    TrySoonest,
}

/// From when on a streamed response is the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(super) enum CommitName {
    /// From its first event on: one that dies before it, or opens with an error, is tried elsewhere.
    #[default]
    FirstByte,
    /// From its header on.
    Headers,
}

/// How the next pair is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(super) enum Strategy {
    /// Each pair in turn.
    ModelRoundRobin,
    /// Each pair in proportion to its weight.
    ModelWeightedRoundRobin,
}

/// A model on an endpoint.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PairEntry {
    /// The model that the request's `model` is replaced by.
    pub(super) model: Located<String>,
    /// The name of an endpoint of the same environment. Default: the primary one.
    pub(super) endpoint: Option<Located<String>>,
    /// Its share of a `model_weighted_round_robin`, in proportion to the others' weights; 0 receives no traffic.
    pub(super) weight: Option<Located<Weight>>,
}

impl Strategy {
    /// Its name in a file.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ModelRoundRobin => "model_round_robin",
            Self::ModelWeightedRoundRobin => "model_weighted_round_robin",
        }
    }
}
