//! The file of keys, `keys.yaml` in the state directory.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::atomic_write::{adopt_owner, replace};
use super::document::{compose, parse};
use super::error::KeyError;
use super::record::{KeyHash, KeyName, KeyRecord, hint};
use super::secret::{Environment, Secret, generate};

const FILE_NAME: &str = "keys.yaml";
const LOCK_NAME: &str = "keys.lock";
/// The last second that RFC 3339 can write: 9999-12-31T23:59:59Z.
const LAST_SECOND: Duration = Duration::from_secs(253_402_300_799);
/// Names less alike than this are not offered for each other.
const LIKENESS: f64 = 0.6;

/// The keys of one gateway on disk: `keys.yaml` in its state directory.
#[derive(Clone, Debug)]
pub struct KeyFile {
    directory: PathBuf,
    path: PathBuf,
}

impl KeyFile {
    /// The file of keys of the gateway whose state is in `directory`. Nothing is read or made yet.
    pub fn in_state_dir(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), path: directory.join(FILE_NAME) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All keys in the order they were made. A file that is not there has none.
    ///
    /// # Errors
    /// [`KeyError::Read`], [`KeyError::Malformed`], [`KeyError::Version`] or [`KeyError::Duplicate`].
    pub fn load(&self) -> Result<Vec<KeyRecord>, KeyError> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(cause) => return Err(KeyError::Read { path: self.path.clone(), cause }),
        };
        parse(&text, &self.path)
    }

    /// Makes a key and adds its record. The returned text is the only place where the key is.
    ///
    /// `apis` are the names of the AI APIs that it opens, `None` for all. `now` becomes its
    /// `created_at`. The state directory is made if it is not there, with mode 0700.
    ///
    /// # Errors
    /// [`KeyError::InvalidName`], [`KeyError::NameTaken`], [`KeyError::Random`], [`KeyError::Write`],
    /// or any error of [`load`](Self::load).
    pub fn create(
        &self,
        name: &str,
        environment: Environment,
        apis: Option<Vec<String>>,
        now: SystemTime,
    ) -> Result<Secret, KeyError> {
        let name: KeyName = name.parse()?;
        let secret = generate(environment)?;
        self.make_directory()?;
        let _lock = self.lock()?;
        let mut records = self.load()?;
        if records.iter().any(|record| record.name == name) {
            return Err(KeyError::NameTaken { path: self.path.clone(), name });
        }
        records.push(KeyRecord {
            name,
            environment,
            apis,
            hash: KeyHash::of(secret.reveal()),
            hint: hint(environment, secret.reveal()),
            created_at: rfc_3339(now),
        });
        self.store(records)?;
        Ok(secret)
    }

    /// Takes the key called `name` away, and returns its record.
    ///
    /// # Errors
    /// [`KeyError::UnknownName`], [`KeyError::Write`], or any error of [`load`](Self::load).
    pub fn revoke(&self, name: &str) -> Result<KeyRecord, KeyError> {
        // Without a file there may be no directory either, and nothing to lock in it.
        let is_there =
            self.path.try_exists().map_err(|cause| KeyError::Read { path: self.path.clone(), cause })?;
        if !is_there {
            return Err(self.unknown_name(name, &[]));
        }
        let _lock = self.lock()?;
        let mut records = self.load()?;
        let position = records.iter().position(|record| record.name.as_str() == name);
        let Some(position) = position else {
            return Err(self.unknown_name(name, &records));
        };
        let revoked = records.remove(position);
        self.store(records)?;
        Ok(revoked)
    }

    fn store(&self, records: Vec<KeyRecord>) -> Result<(), KeyError> {
        let written = compose(records)
            .and_then(|text| replace(&self.directory, &self.path, |file| file.write_all(text.as_bytes())));
        written.map_err(|cause| self.cannot_write(&self.path, cause))
    }

    fn make_directory(&self) -> Result<(), KeyError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.directory)
            .map_err(|cause| self.cannot_write(&self.directory, cause))
    }

    /// Waits until no other process is changing the file; held until dropped.
    ///
    /// A file of its own: the file of keys is replaced by each change, and a lock on it would stay
    /// with the one that was replaced. It is never removed, as somebody may be waiting at it.
    fn lock(&self) -> Result<File, KeyError> {
        let path = self.directory.join(LOCK_NAME);
        let locked =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path).and_then(
                |file| {
                    adopt_owner(&file, &self.directory)?;
                    file.lock()?;
                    Ok(file)
                },
            );
        locked.map_err(|cause| self.cannot_write(&path, cause))
    }

    fn cannot_write(&self, path: &Path, cause: io::Error) -> KeyError {
        KeyError::Write { path: path.to_owned(), cause }
    }

    fn unknown_name(&self, name: &str, records: &[KeyRecord]) -> KeyError {
        let nearest = records
            .iter()
            .map(|record| &record.name)
            .map(|known| {
                let likeness = strsim::normalized_damerau_levenshtein(known.as_str(), name);
                (likeness, known)
            })
            .filter(|(likeness, _)| *likeness >= LIKENESS)
            .max_by(|(a, _), (b, _)| a.total_cmp(b))
            .map(|(_, known)| known.clone());
        KeyError::UnknownName { path: self.path.clone(), name: name.to_owned(), nearest }
    }
}

fn rfc_3339(time: SystemTime) -> String {
    // A clock gone astray must not be what stops a key from being made.
    let writable = time.clamp(UNIX_EPOCH, UNIX_EPOCH + LAST_SECOND);
    humantime::format_rfc3339_seconds(writable).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::table::{KeyTable, Lookup};
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    struct Home {
        _directory: tempfile::TempDir,
        file: KeyFile,
    }

    /// A key file in a state directory that is not there yet.
    fn home() -> Home {
        let directory = tempfile::tempdir().unwrap();
        let file = KeyFile::in_state_dir(&directory.path().join("state/evenkeel"));
        Home { _directory: directory, file }
    }

    impl Home {
        fn create(&self, name: &str) -> Result<Secret, KeyError> {
            let environment = Environment::Production;
            self.file.create(name, environment, None, UNIX_EPOCH)
        }

        fn write(&self, text: &str) {
            self.file.make_directory().unwrap();
            fs::write(self.file.path(), text).unwrap();
        }

        fn names(&self) -> Vec<String> {
            let records = self.file.load().unwrap();
            records.iter().map(|r| r.name.to_string()).collect()
        }
    }

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_key_is_made_kept_and_taken_away() {
        let home = home();
        assert!(home.file.load().unwrap().is_empty());
        let now = UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        let apis = Some(vec!["Chat".to_owned()]);
        let secret = home.file.create("ci", Environment::Sandbox, apis.clone(), now).unwrap();
        let records = home.file.load().unwrap();
        assert_eq!(records.len(), 1);
        let record = &records[0];
        assert_eq!(record.name.as_str(), "ci");
        assert_eq!(record.environment, Environment::Sandbox);
        assert_eq!(record.apis, apis);
        assert_eq!(record.created_at, "2026-01-01T00:00:00Z");
        let end = &secret.reveal()[secret.reveal().len() - 4..];
        assert_eq!(record.hint, format!("ek_sbx_…{end}"));
        let table = KeyTable::new(records.clone());
        assert!(matches!(table.find(secret.reveal()), Lookup::Found(_)));

        assert_eq!(home.file.revoke("ci").unwrap(), records[0]);
        assert!(home.file.load().unwrap().is_empty());
    }

    #[test]
    fn neither_the_file_nor_its_place_is_for_others() {
        let home = home();
        let secret = home.create("a").unwrap();
        assert_eq!(mode(home.file.path()), 0o600);
        assert_eq!(mode(&home.file.directory), 0o700);
        assert_eq!(mode(&home.file.directory.join(LOCK_NAME)), 0o600);
        let text = fs::read_to_string(home.file.path()).unwrap();
        assert!(!text.contains(secret.reveal()));
    }

    #[test]
    fn a_file_left_open_to_others_is_closed_by_the_next_change() {
        let home = home();
        home.write("version: 1\n");
        fs::set_permissions(home.file.path(), fs::Permissions::from_mode(0o644)).unwrap();
        home.create("a").unwrap();
        assert_eq!(mode(home.file.path()), 0o600);
    }

    #[test]
    fn a_name_is_given_once() {
        let home = home();
        home.create("a").unwrap();
        let before = fs::read(home.file.path()).unwrap();
        let error = home.create("a").unwrap_err();
        assert!(matches!(error, KeyError::NameTaken { .. }), "{error}");
        assert!(matches!(home.create("a b").unwrap_err(), KeyError::InvalidName(_)));
        assert_eq!(fs::read(home.file.path()).unwrap(), before);
    }

    #[test]
    fn an_unknown_name_is_told_with_the_nearest() {
        let home = home();
        let of = |name: &str| home.file.revoke(name).unwrap_err().to_string();
        let path = home.file.path().display();
        assert_eq!(of("mobil"), format!("{path}: there is no key named `mobil`"));
        assert!(!home.file.directory.exists(), "revoking makes nothing");
        home.create("mobile").unwrap();
        home.create("batch").unwrap();
        assert_eq!(of("moblie"), format!("{path}: there is no key named `moblie`; did you mean `mobile`?"));
        assert_eq!(of("zzz"), format!("{path}: there is no key named `zzz`"));
        assert_eq!(home.names(), ["mobile", "batch"]);
    }

    #[test]
    fn a_file_that_cannot_be_understood_is_left_alone() {
        let home = home();
        let text = "version: 2\n";
        home.write(text);
        for error in [
            home.file.load().unwrap_err(),
            home.create("new").unwrap_err(),
            home.file.revoke("old").unwrap_err(),
        ] {
            assert!(matches!(error, KeyError::Version { found: 2, .. }), "{error}");
        }
        assert_eq!(fs::read_to_string(home.file.path()).unwrap(), text);
    }

    #[test]
    fn leftovers_of_a_crash_do_no_harm() {
        let home = home();
        home.create("a").unwrap();
        fs::write(home.file.directory.join(".keys.abc123.new"), "version: 1\nke").unwrap();
        home.create("b").unwrap();
        assert_eq!(home.names(), ["a", "b"]);
    }

    #[test]
    fn a_state_directory_that_cannot_be_made_is_told() {
        let home = home();
        let blocker = home._directory.path().join("state");
        fs::write(&blocker, "").unwrap();
        let error = home.create("a").unwrap_err();
        assert!(matches!(error, KeyError::Write { .. }), "{error}");
    }

    #[test]
    fn many_at_once_lose_nothing() {
        let home = home();
        std::thread::scope(|scope| {
            for worker in ["a", "b", "c"] {
                let home = &home;
                scope.spawn(move || {
                    for i in 0..20 {
                        home.create(&format!("{worker}-{i}")).unwrap();
                    }
                    home.file.revoke(&format!("{worker}-7")).unwrap();
                });
            }
        });
        let names = home.names();
        assert_eq!(names.len(), 3 * 19);
        assert!(!names.iter().any(|name| name.ends_with("-7")));
    }

    #[test]
    fn times_beyond_the_format_are_brought_to_its_edge() {
        for (time, text) in [
            (UNIX_EPOCH - Duration::from_secs(1), "1970-01-01T00:00:00Z"),
            (UNIX_EPOCH + LAST_SECOND * 2, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc_3339(time), text);
        }
    }
}
