//! Noticing that a file has changed, without reading it.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What tells one state of a file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// There is no file.
    Missing,
    /// Seconds and nanoseconds. The time of the inode's change tells what that of the content's
    /// does not: a file made readable again, or put back with its old time.
    Present {
        /// Its inode.
        inode: u64,
        /// Its length in bytes.
        length: u64,
        /// When its content was changed.
        modified: (i64, i64),
        /// When its inode was changed.
        changed: (i64, i64),
    },
    /// Not even its metadata can be had.
    Hidden(io::ErrorKind),
}

impl Stamp {
    /// The state of the file at `path`, or of what a symbolic link there refers to.
    pub fn of(path: &Path) -> Self {
        match fs::metadata(path) {
            Ok(metadata) => Self::Present {
                inode: metadata.ino(),
                length: metadata.len(),
                modified: (metadata.mtime(), metadata.mtime_nsec()),
                changed: (metadata.ctime(), metadata.ctime_nsec()),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Missing,
            Err(error) => Self::Hidden(error.kind()),
        }
    }
}

/// A file, and the state that it was in when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped {
    /// Where it is.
    pub path: PathBuf,
    /// Its state.
    pub stamp: Stamp,
}

impl Stamped {
    /// The file at `path`, as it is now.
    pub fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), stamp: Stamp::of(path) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_change_of_permissions_alone_is_a_change() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let before = Stamp::of(file.path());
        let content_time = |stamp| match stamp {
            Stamp::Present { modified, .. } => modified,
            other => panic!("the file is there, not {other:?}"),
        };
        // The clock of a file system goes in steps: until it makes one, the stamp stays as it is.
        let after = (0..1_000_000).find_map(|_| {
            fs::set_permissions(file.path(), fs::Permissions::from_mode(0o640)).unwrap();
            Some(Stamp::of(file.path())).filter(|after| *after != before)
        });
        let after = after.expect("a stamp that tells of the change");
        assert_eq!(content_time(after), content_time(before));
    }
}
