//! What is known of each vendor.
//!
//! A vendor is how its API authenticates and which models it offers. All vendors here speak OpenAI's dialect: the model
//! is the body's top-level `model`, and a credential is presented as `Authorization: Bearer`.

pub mod conventions;
pub mod limits;

use http::header::{AUTHORIZATION, HeaderName, HeaderValue, InvalidHeaderValue};
use once_cell::sync::Lazy;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An AI service provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vendor {
    name: Arc<str>,
}

impl Vendor {
    /// A vendor of this name that speaks OpenAI's dialect.
    pub fn openai_style(name: &str) -> Self {
        Self { name: name.into() }
    }

    /// The name that a configuration calls it by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The header that presents `credential` in the vendor's own scheme, marked sensitive.
    ///
    /// # Errors
    /// If `credential` holds a character that no header value can hold. The error does not echo it.
    pub fn authorization(&self, credential: &str) -> Result<(HeaderName, HeaderValue), InvalidHeaderValue> {
        let mut value = HeaderValue::try_from(format!("Bearer {credential}"))?;
        value.set_sensitive(true);
        Ok((AUTHORIZATION, value))
    }
}

/// A vendor that needs no entry in a configuration.
#[derive(Debug)]
pub struct BuiltIn {
    /// The vendor itself.
    pub vendor: Vendor,
    /// The models known when this version was made. Vendors add models faster than gateways are released, so one that
    /// is not listed is worth a warning, not a refusal.
    pub models: &'static [&'static str],
}

/// The built-in vendor of this name.
pub fn built_in(name: &str) -> Option<&'static BuiltIn> {
    CATALOG.get(name)
}

/// The names of all built-in vendors, in alphabetical order.
pub fn built_in_names() -> impl Iterator<Item = &'static str> {
    CATALOG.keys().copied()
}

static CATALOG: Lazy<BTreeMap<&'static str, BuiltIn>> = Lazy::new(|| {
    let entry = |&(name, models): &(&'static str, &'static [&'static str])| {
        let vendor = Vendor::openai_style(name);
        (name, BuiltIn { vendor, models })
    };
    [("openai", OPENAI), ("mistral", MISTRAL)].iter().map(entry).collect()
});

const OPENAI: &[&str] = &[
    "chatgpt-4o-latest",
    "codex-mini-latest",
    "computer-use-preview",
    "davinci-002",
    "babbage-002",
    "gpt-3.5-turbo",
    "gpt-3.5-turbo-instruct",
    "gpt-4",
    "gpt-4-turbo",
    "gpt-4.1",
    "gpt-4.1-mini",
    "gpt-4.1-nano",
    "gpt-4o",
    "gpt-4o-audio-preview",
    "gpt-4o-mini",
    "gpt-4o-mini-audio-preview",
    "gpt-4o-mini-search-preview",
    "gpt-4o-mini-transcribe",
    "gpt-4o-mini-tts",
    "gpt-4o-search-preview",
    "gpt-4o-transcribe",
    "gpt-5",
    "gpt-5-codex",
    "gpt-5-mini",
    "gpt-5-nano",
    "gpt-5-pro",
    "gpt-image-1",
    "o1",
    "o1-mini",
    "o1-pro",
    "o3",
    "o3-deep-research",
    "o3-mini",
    "o3-pro",
    "o4-mini",
    "o4-mini-deep-research",
    "omni-moderation-latest",
    "text-embedding-3-large",
    "text-embedding-3-small",
    "text-embedding-ada-002",
    "tts-1",
    "tts-1-hd",
    "whisper-1",
];

const MISTRAL: &[&str] = &[
    "codestral-embed",
    "codestral-latest",
    "devstral-medium-latest",
    "devstral-small-latest",
    "magistral-medium-latest",
    "magistral-small-latest",
    "ministral-3b-latest",
    "ministral-8b-latest",
    "mistral-embed",
    "mistral-large-latest",
    "mistral-medium",
    "mistral-medium-latest",
    "mistral-moderation-latest",
    "mistral-ocr-latest",
    "mistral-saba-latest",
    "mistral-small",
    "mistral-small-latest",
    "mistral-tiny",
    "open-mistral-7b",
    "open-mistral-nemo",
    "open-mixtral-8x22b",
    "open-mixtral-8x7b",
    "pixtral-12b",
    "pixtral-large-latest",
    "voxtral-mini-latest",
    "voxtral-small-latest",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalog_is_found_by_name() {
        assert_eq!(built_in_names().collect::<Vec<_>>(), ["mistral", "openai"]);
        let openai = built_in("openai").unwrap();
        assert_eq!(openai.vendor.name(), "openai");
        assert!(openai.models.contains(&"gpt-4o-mini"));
        assert!(built_in("opanai").is_none());
    }

    #[test]
    fn a_credential_is_a_sensitive_bearer_token() {
        let (name, value) = Vendor::openai_style("x").authorization("sk-1").unwrap();
        assert_eq!(name, "authorization");
        assert_eq!(value, "Bearer sk-1");
        assert!(value.is_sensitive());
        assert!(!format!("{value:?}").contains("sk-1"));
    }

    #[test]
    fn a_credential_that_no_header_can_hold_is_refused_without_echo() {
        let error = Vendor::openai_style("x").authorization("sk-\n1").unwrap_err();
        assert!(!error.to_string().contains("sk-"));
    }
}
