//! How a vendor's API authenticates, as a file says it.

use super::super::super::document::Document;
use super::super::super::findings::Spot;
use super::super::super::located::Located;
use super::super::super::vendor_entry::SchemeEntry;
use super::super::header::Purpose;
use crate::vendor::{CredentialScheme, TextScheme};
use http::header::{AUTHORIZATION, HeaderName};

/// The scheme of `entry`, unless something is wrong with it.
pub(super) fn read(document: &Document, entry: &SchemeEntry) -> Option<CredentialScheme> {
    let text = match (&entry.google_scopes, &entry.header, &entry.prefix) {
        (Some(scopes), None, None) => {
            let listed = scopes.value()?;
            if listed.is_empty() {
                let message = "there is no scope: no access token would be good for anything";
                document.findings.error(Spot::Value(scopes.node()), message);
            }
            TextScheme::ServiceAccount { scopes: listed.iter().filter_map(Located::value).cloned().collect() }
        }
        (Some(_), Some(beside), _) | (Some(_), None, Some(beside)) => {
            let message = "an access token of `google_scopes` has a header and a prefix of its own";
            let help = "leave `header` and `prefix` out";
            document.findings.error_with_help(Spot::Key(beside.node()), message, help);
            return None;
        }
        (None, header, prefix) => {
            let name = header.as_ref().map(|header| Purpose::Credential.name(document, header));
            let name = name.unwrap_or(Some(AUTHORIZATION))?;
            let prefix = prefix.as_ref().map(|prefix| prefix.value().map(String::as_str));
            let prefix = prefix.unwrap_or_else(|| Some(default_prefix(&name)))?;
            TextScheme::Header { name, prefix: prefix.into() }
        }
    };
    let service = entry.aws_service.as_ref().map(|service| service.value().map(|name| name.as_str().into()));
    let aws_service = match service {
        Some(name) => Some(name?),
        None => None,
    };
    Some(CredentialScheme { text, aws_service })
}

fn default_prefix(header: &HeaderName) -> &'static str {
    if *header == AUTHORIZATION { "Bearer " } else { "" }
}
