//! What a configuration can refer to outside of itself: the environment and files.

use crate::stamp::Stamped;
use std::cell::RefCell;
use std::env::VarError;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The greatest file that is read, in bytes.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// The environment and the files that a configuration is loaded among.
pub trait Outside {
    /// The environment variable `name`.
    ///
    /// # Errors
    /// If it is not set, or holds something that is not Unicode.
    fn variable(&self, name: &str) -> Result<String, VarError>;

    /// The whole content of the file at `path`.
    ///
    /// # Errors
    /// If it cannot be read.
    fn file(&self, path: &Path) -> io::Result<Vec<u8>>;
}

/// The environment of this process and the files that it can read. A relative path is one from its working directory.
#[derive(Debug, Clone, Copy, Default)]
pub struct Process;

impl Outside for Process {
    #[expect(clippy::disallowed_methods, reason = "this is the place that may")]
    fn variable(&self, name: &str) -> Result<String, VarError> {
        std::env::var(name)
    }

    fn file(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = File::open(path)?;
        // A device may have no end.
        let read = file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
        if read as u64 > MAX_FILE {
            let message = format!("it has more than {MAX_FILE} bytes");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        Ok(bytes)
    }
}

/// What this process can read, and a text in the place of all else. The file of this path is read as it is.
pub(super) struct StandIns<'a>(pub(super) &'a Path);

/// Long enough for whatever has a least length.
const STAND_IN: &str = "a text that only the process that serves can read";

/// Whether `text` stands in for what this process cannot read.
pub(super) fn is_stand_in(text: &str) -> bool {
    text == STAND_IN
}

impl Outside for StandIns<'_> {
    fn variable(&self, name: &str) -> Result<String, VarError> {
        Process.variable(name).or_else(|_| Ok(STAND_IN.to_owned()))
    }

    fn file(&self, path: &Path) -> io::Result<Vec<u8>> {
        match Process.file(path) {
            Err(error) if path == self.0 => Err(error),
            // An empty one says nothing either.
            Ok(bytes) if !bytes.is_empty() => Ok(bytes),
            _ => Ok(STAND_IN.into()),
        }
    }
}

/// Notes which files were asked for, and in which state they were.
pub(super) struct Noting<O> {
    inner: O,
    files: RefCell<Vec<Stamped>>,
}

impl<O> Noting<O> {
    pub(super) fn new(inner: O) -> Self {
        Self { inner, files: RefCell::default() }
    }

    /// The files that were asked for, each once, in the order in which they first were, and as they were then.
    pub(super) fn files(self) -> Vec<Stamped> {
        self.files.into_inner()
    }
}

impl<O: Outside> Outside for Noting<O> {
    fn variable(&self, name: &str) -> Result<String, VarError> {
        self.inner.variable(name)
    }

    fn file(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut files = self.files.borrow_mut();
        if !files.iter().any(|known| known.path == path) {
            // Before it is read: a change that comes in between shows as one.
            files.push(Stamped::of(path));
        }
        self.inner.file(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_stood_in_for() {
        let directory = tempfile::tempdir().unwrap();
        let [file, key, none] = ["evenkeel.yaml", "key", "none"].map(|name| directory.path().join(name));
        std::fs::write(&key, "the key").unwrap();
        let outside = StandIns(&file);
        assert_eq!(outside.file(&key).unwrap(), b"the key");
        assert_eq!(outside.file(&none).unwrap(), STAND_IN.as_bytes());
        assert_eq!(outside.variable("EVENKEEL_NOT_SET").unwrap(), STAND_IN);
        assert_eq!(
            outside.file(&file).unwrap_err().kind(),
            io::ErrorKind::NotFound,
            "the file itself is read"
        );
    }
}
