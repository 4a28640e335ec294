//! Client keys: making them, telling a mistyped one from an unknown one, keeping their hashes in a
//! file, and finding the record of the key that a client presents.
//!
//! The text of a key exists in two places only: where it is made, for the one time it is shown, and
//! with the client. Everything that is kept is its SHA-256.

mod atomic_write;
mod document;
mod error;
mod file;
mod record;
mod secret;
mod table;
mod watcher;

pub use error::KeyError;
pub use file::KeyFile;
pub use record::{KeyHash, KeyName, KeyRecord};
pub use secret::{Environment, Form, Secret, UnknownEnvironment, generate, inspect};
pub use table::{KeyTable, Lookup};
pub use watcher::KeyWatcher;
