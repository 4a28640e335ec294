//! Keeping secrets out of what is printed.
//!
//! A value under `credential` or `headers` is never shown, nor one under a key that looks like an attempt at them. The tree
//! knows which node is one; for a line of the text, see `secret_lines`.

use super::plain;
use super::tree::Step;

/// Keys that look like those of a secret, and name members of answers and headers of limits.
const COUNTS: [&str; 5] =
    ["prompt_tokens", "completion_tokens", "cached_tokens", "total_tokens", "remaining_tokens"];

/// YAML's merge key, which is told of by its name.
const MERGE: &str = "<<";

/// The key under which there are headers.
pub(super) const HEADERS: &str = "headers";

/// The keys of an endpoint.
const OF_ENDPOINTS: [&str; 9] = [
    "name",
    "url",
    "vendor",
    "credential",
    "protocol",
    "headers",
    "connect_timeout",
    "first_byte_timeout",
    "idle_timeout",
];

/// The keys of the section `admin`.
const OF_ADMIN: [&str; 2] = ["address", "token"];

/// Whether what stands under this key may be a secret.
pub(super) fn is_secret_key(key: &str) -> bool {
    const PARTS: [&str; 8] =
        ["secret", "token", "password", "passwd", "apikey", "accesskey", "authorization", "bearer"];
    const WHOLE: [&str; 4] = ["auth", "pass", "pwd", "passphrase"];
    let plain: String =
        key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(64).collect();
    if COUNTS.contains(&key) {
        return false;
    }
    let near = |name: &str, slips: usize| strsim::osa_distance(&plain, name) <= slips;
    near("credential", 4)
        || near("headers", 2)
        || WHOLE.contains(&plain.as_str())
        || PARTS.iter().any(|part| plain.contains(part))
}

/// Whether what stands at the end of these steps may be a secret.
pub(super) fn is_secret_at(steps: &[&Step]) -> bool {
    let keys: Vec<_> = steps.iter().map(|step| step.key()).collect();
    match keys.as_slice() {
        _ if is_header_name_at(steps) => false,
        _ if is_below_unknown_key(&keys) => true,
        // The name of the vendor says nothing.
        [Some("vendors"), Some(_), rest @ ..] => rest.iter().flatten().any(|key| is_secret_key(key)),
        keys => keys.iter().flatten().any(|key| is_secret_key(key)),
    }
}

/// Whether the last of these steps is a key that neither an endpoint nor the section `admin` has.
pub(super) fn is_unknown_key(steps: &[&Step]) -> bool {
    let keys: Vec<_> = steps.iter().map(|step| step.key()).collect();
    keys.split_last().is_some_and(|(_, above)| is_below_unknown_key(&keys) && !is_below_unknown_key(above))
}

/// Whether these keys lead through one that neither an endpoint nor the section `admin` has: whatever it is, what people put
/// there to be let in stands below it.
fn is_below_unknown_key(keys: &[Option<&str>]) -> bool {
    match keys {
        [Some("admin"), Some(key), ..] => !OF_ADMIN.contains(key),
        [Some("apis"), None, Some("endpoints"), Some(_), rest @ ..] => {
            rest.iter().flatten().next().is_some_and(|key| !OF_ENDPOINTS.contains(key))
        }
        _ => false,
    }
}

/// Whether the key at the end of these steps can be shown: a colon that was forgotten may have made a key of a secret.
pub(super) fn is_key_shown(steps: &[&Step]) -> bool {
    let key = steps.last().and_then(|step| step.key());
    let is_header = || match steps {
        [.., above, _] => above.key() == Some(HEADERS),
        _ => false,
    };
    let is_plain = |key: &str| plain::is_name(key) || is_header() && plain::is_title(key);
    let is_fit =
        |key: &str| plain::key_in(key).is_none() && (!is_secret_at(steps) || is_plain(key) || key == MERGE);
    key.is_none_or(is_fit)
}

/// Whether the value at the end of these steps is the name of a header and not what it holds.
pub(super) fn is_header_name_at(steps: &[&Step]) -> bool {
    let keys: Vec<_> = steps.iter().map(|step| step.key()).collect();
    matches!(
        keys.as_slice(),
        [Some("vendors"), Some(_), Some("requests"), None, Some("header")]
            | [Some("vendors"), Some(_), Some("credential"), Some("header")]
    )
}

/// The byte at which a URL's user name and password or its query begin, if `text` has a URL with one.
pub(super) fn hidden_in_url(text: &str) -> Option<usize> {
    text.match_indices("://").find_map(|(at, separator)| {
        let begin = at + separator.len();
        let url = text.get(begin..)?.split(|c: char| c.is_whitespace() || "\"'".contains(c)).next()?;
        let authority = url.split(['/', '?', '#']).next()?;
        let query = || url.find('?').map(|at| begin + at + 1);
        if authority.contains('@') { Some(begin) } else { query() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::findings::Findings;
    use crate::config::parse::parse;
    use crate::config::tree::{Kind, Text};
    use std::collections::BTreeSet;

    #[test]
    fn keys_that_may_hold_a_secret() {
        for key in [
            "credential",
            "credentials",
            "credental",
            "Credential",
            "api_key",
            "header",
            "token",
            "X-Api-Key",
            "access_key",
            "auth",
            "pass",
        ] {
            assert!(is_secret_key(key), "{key}");
        }
        for key in [
            "name",
            "url",
            "model",
            "weight",
            "endpoint",
            "endpoints",
            "key",
            "certificate",
            "vendors",
            "authentication",
        ] {
            assert!(!is_secret_key(key), "{key}");
        }
    }

    #[test]
    fn what_is_a_secret_by_its_place() {
        let text = "
vendors:
  token-mill:
    format: a
    credential: { header: a, prefix: b }
    headers: { a: b }
    requests: [{ header: a, headers: b }]
    response: { prompt_tokens: [a], tokens: [b] }
    stream: { total_tokens: [a] }
    limits: { remaining_tokens: [a], token: b }
apis: [{ endpoints: { production: [{ name: a, header: b, credential: b, headers: { a: b } }] } }]";
        let tree = parse(text, &Findings::default()).unwrap();
        let mut seen = 0;
        for node in tree.ids() {
            let Kind::Text(value) = tree.kind(node) else { continue };
            assert_eq!(is_secret_at(&tree.steps(node)), value.value == "b", "{}", tree.path(node));
            seen += 1;
        }
        assert_eq!(seen, 15);
    }

    #[test]
    fn what_an_unknown_key_holds_may_be_a_secret() {
        let text = "
admin: { address: a, key: b, auht: { x: b } }
listeners: [{ tls: { key: a } }]
apis: [{ naem: a, endpoints: { production: [{ name: a, key: b, acces: { x: [b] } }], sandbox: { url: a, key: b } } }]";
        let tree = parse(text, &Findings::default()).unwrap();
        let mut seen = 0;
        for node in tree.ids() {
            let Kind::Text(Text { value, .. }) = tree.kind(node) else { continue };
            assert_eq!(is_secret_at(&tree.steps(node)), value == "b", "{}", tree.path(node));
            seen += 1;
        }
        assert_eq!(seen, 10);
    }

    #[test]
    fn the_keys_are_those_of_the_schema() {
        let schema = crate::config::schema();
        let known = |name: &str| {
            let properties = schema["$defs"][name]["properties"].as_object().unwrap();
            properties.keys().cloned().collect::<BTreeSet<_>>()
        };
        assert_eq!(known("EndpointEntry"), OF_ENDPOINTS.map(str::to_owned).into());
        assert_eq!(known("AdminSection"), OF_ADMIN.map(str::to_owned).into());
    }
}
