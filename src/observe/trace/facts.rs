//! What spans tell. There is no place here for a body, a query, a key or a credential.

/// What is told of one request when it is over.
#[derive(Debug, Clone)]
pub struct Answered<'a> {
    /// Its id, the client's own or a new one.
    pub request_id: &'a str,
    /// Its method.
    pub method: &'a str,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// The version of HTTP that the client speaks: `1.1`, `2`.
    pub protocol_version: &'static str,
    /// Its path, without the query.
    pub path: &'a str,
    /// The context and the path of the operation that it was routed to, as the configuration has them.
    pub route: Option<String>,
    /// The AI API it went to.
    pub api: Option<&'a str>,
    /// The environment it was served in.
    pub environment: Option<&'a str>,
    /// The status that the client got; `None` if it went before it got one.
    pub status: Option<u16>,
    /// The code of the gateway's own answer.
    pub error: Option<&'a str>,
}

/// What is told of one try when it begins.
#[derive(Debug, Clone)]
pub struct Attempted<'a> {
    /// What is asked of the model, in the words of the GenAI conventions; `None` where they have none for it.
    pub operation: Option<&'a str>,
    /// Whose API it is, in the words of the GenAI conventions.
    pub provider: &'a str,
    /// The model that is sent to the vendor; `None` where there is no policy.
    pub model: Option<&'a str>,
    /// The endpoint's name.
    pub endpoint: &'a str,
    /// The endpoint's host.
    pub host: String,
    /// The endpoint's port.
    pub port: u16,
    /// The request's method.
    pub method: &'a str,
    /// How many tries there were before.
    pub resent: usize,
}
