//! Replacing a file so that a crash or a full disk leaves either the old one or the new one, whole.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

/// What the new content is called until it takes the name of the file. One name for all: what a process has left that was
/// killed is replaced by the next.
const TEMPORARY: &str = ".keys.new";

/// Replaces `path`, a file of `directory` that nobody else is replacing, by what `write` writes. The new file has mode 0600 and the
/// owner of the old one, or else of the directory.
///
/// The new content goes to a temporary file beside it, is forced to the disk, and only then takes
/// the name; forcing the directory to the disk as well makes the new name last.
///
/// # Errors
/// What the operating system or `write` says. Until the new file has taken the name, the old one is
/// untouched and the temporary file is removed. Only forcing the directory to the disk comes after that.
pub(super) fn replace(
    directory: &Path,
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    match fs::remove_file(directory.join(TEMPORARY)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // Made with mode 0600, which renaming keeps.
    let mut temporary = tempfile::Builder::new().prefix(TEMPORARY).rand_bytes(0).tempfile_in(directory)?;
    let model = if path.try_exists()? { path } else { directory };
    adopt_owner(temporary.as_file(), model)?;
    write(temporary.as_file_mut())?;
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|error| error.error)?;
    File::open(directory)?.sync_all()
}

/// Gives `file` the owner of `model`, where that is allowed: keys made by root must stay readable
/// for the user that the gateway runs as.
pub(super) fn adopt_owner(file: &File, model: &Path) -> io::Result<()> {
    let model = model.metadata()?;
    if file.metadata()?.uid() == model.uid() {
        return Ok(());
    }
    match fchown(file, Some(model.uid()), Some(model.gid())) {
        // Not root: the file stays with the person who makes it.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::fs::{PermissionsExt, chown};

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn replaces_and_leaves_nothing_beside() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        for content in ["one", "two"] {
            replace(directory.path(), &path, |file| file.write_all(content.as_bytes())).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
            // As a process leaves it that is killed in the middle.
            fs::write(directory.path().join(TEMPORARY), "half of the n").unwrap();
        }
        replace(directory.path(), &path, |_| Ok(())).unwrap();
        assert_eq!(names(directory.path()), ["f"]);
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_writer_that_fails_midway_leaves_the_old_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        fs::write(&path, "old").unwrap();
        let error = replace(directory.path(), &path, |file| {
            file.write_all(b"half of the n")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        })
        .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(directory.path()), ["f"]);
    }

    #[test]
    fn the_old_file_is_whole_until_the_new_one_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        fs::write(&path, "old").unwrap();
        replace(directory.path(), &path, |file| {
            file.write_all(b"new")?;
            assert_eq!(fs::read_to_string(&path)?, "old");
            Ok(())
        })
        .unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }

    #[test]
    fn a_name_that_cannot_be_taken_leaves_nothing_beside() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        fs::create_dir(&path).unwrap();
        assert!(replace(directory.path(), &path, |file| file.write_all(b"new")).is_err());
        assert!(path.is_dir());
        assert_eq!(names(directory.path()), ["f"]);
    }

    #[test]
    fn a_missing_directory_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("missing");
        let error = replace(&missing, &missing.join("f"), |_| Ok(())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn the_owner_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        // Only root may give files away; for anybody else the owner can be no other than it is.
        let given_away = chown(directory.path(), Some(4711), Some(4712)).is_ok();
        let expected = directory.path().metadata().unwrap();
        assert_eq!(given_away, expected.uid() == 4711);
        for _ in 0..2 {
            replace(directory.path(), &path, |_| Ok(())).unwrap();
            let made = path.metadata().unwrap();
            assert_eq!(made.uid(), expected.uid());
        }
    }
}
