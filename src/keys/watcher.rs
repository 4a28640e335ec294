//! Noticing that the file of keys has changed.

use super::error::KeyError;
use super::file::KeyFile;
use super::table::KeyTable;
use crate::stamp::Stamp;

/// Looks whether the file of keys has changed, each time it is asked: cheap enough for twice a second.
#[derive(Debug)]
pub struct KeyWatcher {
    file: KeyFile,
    /// What the table in use was read from.
    loaded: Option<Stamp>,
    /// What could not be read, and was said to be so.
    reported: Option<Stamp>,
}

impl KeyWatcher {
    /// Watches `file`, of which nothing is known yet: the first [`changed`](Self::changed) reads it.
    pub fn new(file: KeyFile) -> Self {
        Self { file, loaded: None, reported: None }
    }

    /// The keys of the file if it has changed since they were last read; `None` if it has not.
    /// A file that is not there (any more) has no keys.
    ///
    /// # Errors
    /// Those of [`KeyFile::load`], once for each state of the file: it is tried again at every call,
    /// as what hindered reading may go without a trace in the file, and until then the answer is
    /// `None`. The caller keeps the table it has.
    pub fn changed(&mut self) -> Result<Option<KeyTable>, KeyError> {
        // Taken before reading: a change that comes in between is seen the next time.
        let stamp = Stamp::of(self.file.path());
        if self.loaded == Some(stamp) {
            self.reported = None;
            return Ok(None);
        }
        match self.file.load() {
            Ok(records) => {
                self.loaded = Some(stamp);
                self.reported = None;
                Ok(Some(KeyTable::new(records)))
            }
            Err(_) if self.reported == Some(stamp) => Ok(None),
            Err(error) => {
                self.reported = Some(stamp);
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::secret::Environment;
    use super::super::table::Lookup;
    use super::*;
    use std::fs;
    use std::time::UNIX_EPOCH;

    fn watched() -> (tempfile::TempDir, KeyFile, KeyWatcher) {
        let directory = tempfile::tempdir().unwrap();
        let file = KeyFile::in_state_dir(directory.path());
        let watcher = KeyWatcher::new(file.clone());
        (directory, file, watcher)
    }

    fn create(file: &KeyFile, name: &str) -> String {
        let environment = Environment::Production;
        let secret = file.create(name, environment, None, UNIX_EPOCH).unwrap();
        secret.reveal().to_owned()
    }

    #[test]
    fn each_change_is_told_once() {
        let (_directory, file, mut watcher) = watched();
        assert!(watcher.changed().unwrap().unwrap().is_empty());
        assert!(watcher.changed().unwrap().is_none());

        let first = create(&file, "first");
        let table = watcher.changed().unwrap().unwrap();
        assert!(matches!(table.find(&first), Lookup::Found(_)));
        assert!(watcher.changed().unwrap().is_none());

        create(&file, "second");
        assert_eq!(watcher.changed().unwrap().unwrap().len(), 2);
        file.revoke("first").unwrap();
        let table = watcher.changed().unwrap().unwrap();
        assert!(matches!(table.find(&first), Lookup::Unknown));
        assert!(watcher.changed().unwrap().is_none());
    }

    #[test]
    fn a_file_taken_away_has_no_keys() {
        let (_directory, file, mut watcher) = watched();
        create(&file, "a");
        assert_eq!(watcher.changed().unwrap().unwrap().len(), 1);
        fs::remove_file(file.path()).unwrap();
        assert!(watcher.changed().unwrap().unwrap().is_empty());
        assert!(watcher.changed().unwrap().is_none());
    }

    #[test]
    fn a_broken_file_is_told_once_and_again_when_broken_otherwise() {
        let (_directory, file, mut watcher) = watched();
        create(&file, "a");
        assert!(watcher.changed().unwrap().is_some());
        let good = fs::read(file.path()).unwrap();
        for broken in ["version: 1\nkeys: [", "version: 17\n"] {
            fs::write(file.path(), broken).unwrap();
            assert!(watcher.changed().is_err(), "{broken}");
            assert!(watcher.changed().unwrap().is_none(), "{broken}");
        }
        fs::write(file.path(), good).unwrap();
        assert_eq!(watcher.changed().unwrap().unwrap().len(), 1);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told_once() {
        let (_directory, file, mut watcher) = watched();
        // A directory of its name: nobody can read that, not even root.
        fs::create_dir(file.path()).unwrap();
        assert!(matches!(watcher.changed(), Err(KeyError::Read { .. })));
        assert!(watcher.changed().unwrap().is_none());
        fs::remove_dir(file.path()).unwrap();
        assert!(watcher.changed().unwrap().unwrap().is_empty());
    }
}
