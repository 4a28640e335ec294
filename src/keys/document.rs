//! The text of the file of keys: YAML with a version.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::KeyError;
use super::record::KeyRecord;

const VERSION: u32 = 1;
const HEADING: &str = "# Written by `evenkeel keys`. It holds the hashes of keys, not the keys.\n";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    #[serde(default)]
    keys: Vec<KeyRecord>,
}

/// The one member that files of all versions have.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// The records that `text` holds; `path` is where it came from, for messages.
pub(super) fn parse(text: &[u8], path: &Path) -> Result<Vec<KeyRecord>, KeyError> {
    let malformed = |cause| KeyError::Malformed { path: path.to_owned(), cause };
    // The version first: what else a file of another version holds is not for this one to judge.
    let Versioned { version } = serde_yaml::from_slice(text).map_err(malformed)?;
    if version != VERSION {
        return Err(KeyError::Version { path: path.to_owned(), found: version, known: VERSION });
    }
    let document: Document = serde_yaml::from_slice(text).map_err(malformed)?;
    check_unique(&document.keys, path)?;
    Ok(document.keys)
}

/// The text that holds `records`.
pub(super) fn compose(records: Vec<KeyRecord>) -> io::Result<String> {
    let document = Document { version: VERSION, keys: records };
    let yaml = serde_yaml::to_string(&document).map_err(io::Error::other)?;
    Ok(format!("{HEADING}{yaml}"))
}

/// Two records of one name could not be told apart, and of one hash only one would count.
fn check_unique(records: &[KeyRecord], path: &Path) -> Result<(), KeyError> {
    let mut names = HashSet::new();
    let mut hashes = HashSet::new();
    for record in records {
        let what = if !names.insert(&record.name) {
            "name"
        } else if !hashes.insert(record.hash.bytes()) {
            "hash"
        } else {
            continue;
        };
        return Err(KeyError::Duplicate { path: path.to_owned(), what, name: record.name.clone() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::record::KeyHash;
    use super::super::secret::Environment;
    use super::*;

    #[test]
    fn what_is_composed_is_parsed() {
        let record = |name: &str, apis: Option<Vec<String>>| KeyRecord {
            name: name.parse().unwrap(),
            environment: Environment::Production,
            apis,
            hash: KeyHash::of(name),
            hint: "ek_prod_…x7Qa".to_owned(),
            created_at: "2026-01-01T00:00:00Z".to_owned(),
        };
        // Names that YAML would take for something else than a text.
        let records = vec![
            record("123", None),
            record("true", Some(vec!["No: 1".to_owned()])),
            record("-", Some(vec![])),
        ];
        let text = compose(records.clone()).unwrap();
        assert!(text.starts_with(HEADING));
        assert_eq!(parse(text.as_bytes(), Path::new("k")).unwrap(), records);
        let empty = compose(vec![]).unwrap();
        assert_eq!(parse(empty.as_bytes(), Path::new("k")).unwrap(), []);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let record = |name: &str, hash: char| {
            let hash = hash.to_string().repeat(64);
            format!("- {{name: {name}, environment: sandbox, hash: \"{hash}\", hint: h, created_at: c}}\n")
        };
        let keys = |records: &str| format!("version: 1\nkeys:\n{records}");
        for (text, said) in [
            (String::new(), "not a list of keys"),
            ("a: [".to_owned(), "not a list of keys"),
            ("keys: []".to_owned(), "missing field `version`"),
            ("version: 2\nother: {}".to_owned(), "version 2 of the key file is not known"),
            ("version: 1\nkey: []".to_owned(), "unknown field `key`"),
            (keys(&record("a b", 'a')), "`a b` cannot name a key"),
            (keys(&record("a", 'x')), "a hash is 64 hexadecimal digits"),
            (keys(&(record("a", 'a') + &record("a", 'b'))), "the name of key `a` stands there twice"),
            (keys(&(record("a", 'a') + &record("b", 'a'))), "the hash of key `b` stands there twice"),
        ] {
            let message = parse(text.as_bytes(), Path::new("/s/keys.yaml")).unwrap_err().to_string();
            assert!(message.starts_with("/s/keys.yaml: "), "{text}: {message}");
            assert!(message.contains(said), "{text}: {message}");
        }
        assert!(parse(b"version: \xff", Path::new("k")).is_err());
    }
}
