//! The credential of an endpoint.

use super::super::credential_entry::{CredentialEntry, Part};
use super::super::document::Document;
use super::super::findings::Spot;
use super::super::flaw::one_of;
use super::super::located::Located;
use super::super::nearest::did_you_mean;
use super::super::outside::is_stand_in;
use super::super::plain::KEY_AND_VALUE;
use crate::credential::{AwsScope, InvalidCredential, Signer, region_of_host};
use crate::gateway::{BaseUrl, Credential};
use crate::vendor::{CredentialScheme, TextScheme, present};
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use std::sync::Arc;

/// The keys that a credential of named parts can have.
const KEYS: [&str; 7] =
    ["bearer", "access_key_id", "secret_access_key", "session_token", "profile", "instance", "region"];

/// The kinds of credential, each with the key that tells it and those that it can have besides.
const KINDS: [(&str, &[&str]); 4] = [
    ("bearer", &[]),
    ("access_key_id", &["secret_access_key", "session_token", "region"]),
    ("profile", &["region"]),
    ("instance", &["region"]),
];

/// In the place of a credential that only the process that serves can read: this one presents none.
const UNREAD: HeaderValue = HeaderValue::from_static("unread");

fn is_unread(part: &Located<Part>) -> bool {
    part.value().and_then(Part::text).is_some_and(is_stand_in)
}

/// The header that a credential goes to, whatever its value is; `None` where it is not known.
pub(super) fn header(entry: &CredentialEntry, scheme: &CredentialScheme) -> HeaderName {
    match (entry, &scheme.text) {
        (CredentialEntry::Text(_), TextScheme::Header { name, .. }) => name.clone(),
        _ => AUTHORIZATION,
    }
}

/// What `given` presents at `url`, unless something is wrong with it.
pub(super) fn read(
    document: &Document,
    given: &Located<CredentialEntry>,
    scheme: &CredentialScheme,
    url: Option<&BaseUrl>,
) -> Option<Credential> {
    match given.value()? {
        CredentialEntry::Text(text) => {
            let spot = Spot::Value(given.node());
            if text.trim().is_empty() {
                let help = "leave `credential` out if the endpoint needs none";
                document.findings.error_with_help(spot, "the credential is empty", help);
                return None;
            }
            match &scheme.text {
                TextScheme::Header { name, prefix } => in_header(document, spot, name, prefix, text),
                TextScheme::ServiceAccount { scopes } => service_account(document, spot, text, scopes),
            }
        }
        CredentialEntry::Parts(parts) if parts.iter().any(|(_, part)| is_unread(part)) => {
            Some(Credential::Header(AUTHORIZATION, UNREAD))
        }
        CredentialEntry::Parts(_) => Parts { document, given, scheme }.read(url),
    }
}

fn in_header(
    document: &Document,
    spot: Spot,
    name: &HeaderName,
    prefix: &str,
    text: &str,
) -> Option<Credential> {
    let header = present(name, prefix, text);
    if header.is_err() {
        let message = "the credential has a character that a header cannot hold, such as a line break";
        document.findings.error(spot, message);
    }
    let (name, value) = header.ok()?;
    Some(Credential::Header(name, value))
}

fn service_account(document: &Document, spot: Spot, text: &str, scopes: &[String]) -> Option<Credential> {
    if is_stand_in(text) {
        return Some(Credential::Header(AUTHORIZATION, UNREAD));
    }
    match Signer::google_service_account(text, scopes) {
        Ok(signer) => Some(Credential::Signer(Arc::new(signer))),
        Err(error) => {
            let message = format!("the credential is not the key of a Google service account: {error}");
            let help = "give the JSON file that Google made, such as `${file:/run/credentials/vertex.json}`, or an \
                        access token as `{ bearer: … }`";
            document.findings.error_with_help(spot, message, help);
            None
        }
    }
}

/// A credential of named parts.
struct Parts<'f> {
    document: &'f Document,
    given: &'f Located<CredentialEntry>,
    scheme: &'f CredentialScheme,
}

impl<'f> Parts<'f> {
    fn read(&self, url: Option<&BaseUrl>) -> Option<Credential> {
        if !self.knows_all() {
            return None;
        }
        let present: Vec<_> = KINDS.into_iter().filter(|(kind, _)| self.part(kind).is_some()).collect();
        if let [(kind, others)] = present.as_slice()
            && !self.has_none_but(kind, others)
        {
            return None;
        }
        let present: Vec<_> = present.into_iter().map(|(kind, _)| kind).collect();
        match present.as_slice() {
            ["bearer"] => {
                let spot = Spot::Value(self.part("bearer")?.node());
                in_header(self.document, spot, &AUTHORIZATION, "Bearer ", self.text("bearer")?)
            }
            ["access_key_id"] => {
                let (id, secret) = (self.text("access_key_id")?, self.needed("secret_access_key")?);
                let token = match self.part("session_token") {
                    Some(_) => Some(self.text("session_token")?),
                    None => None,
                };
                let scope = self.scope(url)?;
                self.signer(Signer::aws_keys(scope, id, secret, token))
            }
            ["profile"] => {
                let scope = self.scope(url)?;
                self.signer(Signer::aws_profile(scope, self.text("profile")?))
            }
            ["instance"] => match self.part("instance")?.value()? {
                Part::Switch(true) => {
                    Some(Credential::Signer(Arc::new(Signer::aws_instance(self.scope(url)?))))
                }
                _ => self.wrong("instance", "expected `true`; leave the credential out for none"),
            },
            _ => {
                let message = "a credential of named parts has one of `bearer`, `access_key_id`, `profile` and `instance`";
                self.document.findings.error(Spot::Value(self.given.node()), message);
                None
            }
        }
    }

    /// What AWS keys sign for.
    fn scope(&self, url: Option<&BaseUrl>) -> Option<AwsScope> {
        let spot = Spot::Value(self.given.node());
        let Some(service) = &self.scheme.aws_service else {
            let message = "AWS keys are no credential of this vendor";
            let help = "its own is one text; `{ bearer: … }` presents any token";
            self.document.findings.error_with_help(spot, message, help);
            return None;
        };
        let host = url?.host().to_string();
        let region = match self.part("region") {
            Some(_) => Some(self.text("region")?),
            None => region_of_host(&host),
        };
        let Some(region) = region else {
            let message = "the AWS region is missing here, and the endpoint's host does not name one";
            let help = "add `region: us-east-1`, or whichever it is";
            self.document.findings.error_with_help(spot, message, help);
            return None;
        };
        self.usable(AwsScope::new(service, region))
    }

    fn signer(&self, signer: Result<Signer, InvalidCredential>) -> Option<Credential> {
        self.usable(signer).map(|signer| Credential::Signer(Arc::new(signer)))
    }

    fn usable<T>(&self, made: Result<T, InvalidCredential>) -> Option<T> {
        match made {
            Ok(made) => Some(made),
            Err(error) => {
                let message = format!("the credential cannot be used: {error}");
                self.document.findings.error(Spot::Value(self.given.node()), message);
                None
            }
        }
    }

    /// Whether all of its keys are known. Those that are not are reported.
    fn knows_all(&self) -> bool {
        let unknown = self.entries().iter().filter(|(name, _)| !KEYS.contains(&name.as_str()));
        let mut all = true;
        for (name, part) in unknown {
            let shown = self.document.shown_key(part.node());
            let key = shown.as_ref().map_or_else(|| "(not shown)".to_owned(), |shown| format!("`{shown}`"));
            let message = format!("unknown key {key}, expected one of {}", KEYS.join(", "));
            let help = match shown {
                Some(_) => did_you_mean(name, KEYS),
                None => Some(KEY_AND_VALUE.to_owned()),
            };
            self.document.findings.error_with(Spot::Key(part.node()), message, help);
            all = false;
        }
        all
    }

    /// Whether it has no keys but `kind` and these. Those that it has are reported.
    fn has_none_but(&self, kind: &str, others: &[&str]) -> bool {
        let listed = |name: &str| name == kind || others.contains(&name);
        let foreign: Vec<_> = self.entries().iter().filter(|(name, _)| !listed(name)).collect();
        for (name, part) in &foreign {
            let message = format!("`{name}` does not belong to a credential with `{kind}`");
            let help = match others {
                [] => format!("`{kind}` stands alone"),
                others => format!("beside `{kind}` there can be {}", one_of(others)),
            };
            self.document.findings.error_with_help(Spot::Key(part.node()), message, help);
        }
        foreign.is_empty()
    }

    fn entries(&self) -> &'f [(String, Located<Part>)] {
        match self.given.value() {
            Some(CredentialEntry::Parts(parts)) => parts,
            _ => &[],
        }
    }

    fn part(&self, key: &str) -> Option<&'f Located<Part>> {
        self.entries().iter().find(|(name, _)| name == key).map(|(_, part)| part)
    }

    /// The text of the part `key`, if there is one; what else it is is reported.
    fn text(&self, key: &str) -> Option<&'f str> {
        match self.part(key)?.value()?.text() {
            Some(text) if !text.trim().is_empty() => Some(text),
            _ => self.wrong(key, "expected a text that is not empty"),
        }
    }

    fn needed(&self, key: &str) -> Option<&'f str> {
        if self.part(key).is_none() {
            let message = format!("the key `{key}` is missing here");
            self.document.findings.error(Spot::Value(self.given.node()), message);
        }
        self.text(key)
    }

    fn wrong<T>(&self, key: &str, message: &str) -> Option<T> {
        let spot = Spot::Value(self.part(key)?.node());
        self.document.findings.error(spot, message);
        None
    }
}
