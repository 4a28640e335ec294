//! What can go wrong with keys, in words for the person who runs the gateway.

use std::io;
use std::path::PathBuf;

use super::record::KeyName;

/// Why keys could not be made, read, written or taken away.
///
/// Each message is complete: causes stand in it, and `source` gives nothing to print once more.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes for a new key: {0}")]
    Random(getrandom::Error),
    /// The text cannot name a key.
    #[error("`{0}` cannot name a key: use 1 to 64 of the characters A-Z a-z 0-9 . _ -")]
    InvalidName(String),
    /// A key of this name is there already.
    #[error(
        "{}: there is a key named `{name}` already; choose another name, or revoke that key first",
        path.display()
    )]
    NameTaken {
        /// The file of keys.
        path: PathBuf,
        /// The name asked for.
        name: KeyName,
    },
    /// No key has this name.
    #[error(
        "{}: there is no key named `{name}`{}",
        path.display(),
        nearest.as_ref().map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default()
    )]
    UnknownName {
        /// The file of keys.
        path: PathBuf,
        /// The name asked for.
        name: String,
        /// The most similar name that there is, when one is similar at all.
        nearest: Option<KeyName>,
    },
    /// The file is there and cannot be read.
    #[error("{}: cannot read the keys: {cause}; the user that runs evenkeel must be able to read this file", path.display())]
    Read {
        /// The file of keys.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
    /// The file is no list of keys.
    #[error("{}: not a list of keys: {cause}; mend the file, or move it away and make new keys", path.display())]
    Malformed {
        /// The file of keys.
        path: PathBuf,
        /// What is wrong, with line and column.
        cause: serde_yaml::Error,
    },
    /// The file was written by another version of the program.
    #[error("{}: version {found} of the key file is not known, only version {known}; use the evenkeel that wrote it", path.display())]
    Version {
        /// The file of keys.
        path: PathBuf,
        /// The version it says.
        found: u32,
        /// The version that is understood.
        known: u32,
    },
    /// Two records of the file share what must tell them apart.
    #[error("{}: the {what} of key `{name}` stands there twice; remove one of the two", path.display())]
    Duplicate {
        /// The file of keys.
        path: PathBuf,
        /// `name` or `hash`.
        what: &'static str,
        /// The later of the two records.
        name: KeyName,
    },
    /// The file, its directory or its lock could not be written. The keys are as before, unless the new file had
    /// its name already and only forcing that name to the disk failed.
    #[error("{}: cannot write the keys: {cause}; check the directory's owner, its permissions and the space left on the disk", path.display())]
    Write {
        /// What could not be written.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
}
