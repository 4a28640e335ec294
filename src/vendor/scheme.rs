//! How vendors' APIs authenticate.

use http::header::{AUTHORIZATION, HeaderName, HeaderValue, InvalidHeaderValue};

/// The headers in which keys are presented, to the gateway as to vendors, in the order in which a client's is looked for.
pub static KEY_HEADERS: [HeaderName; 5] = [
    AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-goog-api-key"),
    HeaderName::from_static("apikey"),
];

/// How a vendor's API authenticates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialScheme {
    /// What a credential that is one text is to it.
    pub text: TextScheme,
    /// The name by which AWS knows the service, if requests to it can be signed with AWS keys.
    pub aws_service: Option<Box<str>>,
}

/// What a credential that is one text is to a vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextScheme {
    /// The value of a header, after a prefix.
    Header {
        /// The header.
        name: HeaderName,
        /// What stands before the credential in it, such as `Bearer ` with its space.
        prefix: Box<str>,
    },
    /// The JSON key of a Google service account, for which OAuth2 gives access tokens.
    ServiceAccount {
        /// What the tokens are for.
        scopes: Vec<String>,
    },
}

impl CredentialScheme {
    /// `Authorization: Bearer`, as most vendors have it.
    pub fn bearer() -> Self {
        Self { text: TextScheme::Header { name: AUTHORIZATION, prefix: "Bearer ".into() }, aws_service: None }
    }
}

/// The header `name` that presents `credential` after `prefix`, marked sensitive.
///
/// # Errors
/// If there is a character in it that no header value can hold. The error does not echo it.
pub fn present(
    name: &HeaderName,
    prefix: &str,
    credential: &str,
) -> Result<(HeaderName, HeaderValue), InvalidHeaderValue> {
    let mut value = HeaderValue::try_from(format!("{prefix}{credential}"))?;
    value.set_sensitive(true);
    Ok((name.clone(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_a_sensitive_header() {
        let (name, value) = present(&AUTHORIZATION, "Bearer ", "sk-1").unwrap();
        assert_eq!((name, value.as_bytes()), (AUTHORIZATION, b"Bearer sk-1".as_slice()));
        assert!(value.is_sensitive());
        assert!(!format!("{value:?}").contains("sk-1"));
    }

    #[test]
    fn a_credential_that_no_header_can_hold_is_refused_without_echo() {
        let error = present(&AUTHORIZATION, "", "sk-\n1").unwrap_err();
        assert!(!error.to_string().contains("sk-"));
    }
}
