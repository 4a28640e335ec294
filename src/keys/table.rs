//! Finding the record of the key that a client presents.

use std::collections::HashMap;
use std::sync::Arc;

use super::record::{KeyHash, KeyRecord};
use super::secret::{Form, inspect};

/// All keys of a gateway, by their hashes. Never changed, only replaced.
#[derive(Debug, Default)]
pub struct KeyTable {
    by_hash: HashMap<[u8; 32], Arc<KeyRecord>>,
}

/// What a presented text turned out to be.
#[derive(Debug)]
pub enum Lookup<'a> {
    /// A key of this gateway.
    Found(&'a Arc<KeyRecord>),
    /// It begins like a key and was changed or cut on its way here.
    Mistyped,
    /// No key of ours, or one that is not here (any more).
    Unknown,
}

impl KeyTable {
    /// Of two records with one hash, the later counts. A [`KeyFile`](super::KeyFile) gives no such two.
    pub fn new(records: impl IntoIterator<Item = KeyRecord>) -> Self {
        let by_hash = records.into_iter().map(|record| (*record.hash.bytes(), Arc::new(record))).collect();
        Self { by_hash }
    }

    /// Finds the key whose text is `presented`.
    ///
    /// The map compares digests, and not in constant time. What its timing could tell is how far the
    /// SHA-256 of a guess agrees with a kept one; as nobody can choose the digest of a text, that
    /// leads no guess nearer to a text of 192 random bits. The last word has a comparison in
    /// constant time all the same, so that no match ever rests on the map's.
    pub fn find(&self, presented: &str) -> Lookup<'_> {
        match inspect(presented) {
            Form::Foreign => return Lookup::Unknown,
            Form::Mistyped => return Lookup::Mistyped,
            Form::WellFormed(_) => {}
        }
        let hash = KeyHash::of(presented);
        match self.by_hash.get(hash.bytes()) {
            Some(record) if record.hash == hash => Lookup::Found(record),
            _ => Lookup::Unknown,
        }
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.by_hash.len()
    }

    /// Whether there is no key at all.
    pub fn is_empty(&self) -> bool {
        self.by_hash.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::hint;
    use super::super::secret::{Environment, Secret, generate};
    use super::*;

    fn record(name: &str, environment: Environment) -> (Secret, KeyRecord) {
        let secret = generate(environment).unwrap();
        let record = KeyRecord {
            name: name.parse().unwrap(),
            environment,
            apis: None,
            hash: KeyHash::of(secret.reveal()),
            hint: hint(environment, secret.reveal()),
            created_at: "2026-01-01T00:00:00Z".to_owned(),
        };
        (secret, record)
    }

    #[test]
    fn finds_its_own_keys_and_no_others() {
        let (first, first_record) = record("first", Environment::Production);
        let (second, second_record) = record("second", Environment::Sandbox);
        let (stranger, _) = record("stranger", Environment::Production);
        let table = KeyTable::new([first_record, second_record]);
        assert_eq!(table.len(), 2);

        for (secret, name) in [(&first, "first"), (&second, "second")] {
            let Lookup::Found(found) = table.find(secret.reveal()) else {
                panic!("{name} is not found");
            };
            assert_eq!(found.name.as_str(), name);
        }
        assert!(matches!(table.find(stranger.reveal()), Lookup::Unknown));
        assert!(matches!(table.find("sk-abc"), Lookup::Unknown));
        assert!(matches!(table.find(""), Lookup::Unknown));

        let cut = &first.reveal()[..first.reveal().len() - 1];
        assert!(matches!(table.find(cut), Lookup::Mistyped));
        let spaced = format!("{} ", first.reveal());
        assert!(matches!(table.find(&spaced), Lookup::Mistyped));
    }

    #[test]
    fn an_empty_table_knows_nobody() {
        let (secret, _) = record("a", Environment::Production);
        assert!(KeyTable::default().is_empty());
        let table = KeyTable::default();
        assert!(matches!(table.find(secret.reveal()), Lookup::Unknown));
    }
}
