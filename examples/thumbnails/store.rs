//! The output folder: a file in it is whole, or it is not there.
//!
//! Bytes go to a temporary file in the same folder, are flushed to the disk, and only then does a rename give them their
//! name. A program that is killed in between leaves at most a hidden `.millpond-*.part` file, which the next run removes.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// What the name of every temporary file starts with.
const PREFIX: &str = ".millpond-";
/// What the name of every temporary file ends with.
const SUFFIX: &str = ".part";

/// An output folder that exists and could be written to when it was opened.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    folder: PathBuf,
}

impl Store {
    /// Opens `folder`: creates it if need be, removes what a killed run left behind, and tries to write.
    ///
    /// Two runs may share a folder: the one that loses a temporary file to the other's start sees an I/O error, and retries.
    ///
    /// # Errors
    ///
    /// The folder cannot be created, listed, or written to.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let store = Self { folder: folder.to_owned() };
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if is_temporary(&entry.file_name().to_string_lossy()) && entry.file_type()?.is_file() {
                // Another run may have removed it first.
                let _ = fs::remove_file(entry.path());
            }
        }
        store.temporary()?;
        Ok(store)
    }

    /// Writes the file `name`, replacing one that is there already.
    ///
    /// # Errors
    ///
    /// Any I/O error. The temporary file is removed, and a file that was there before is unharmed.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.temporary()?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        // Dropping a temporary file removes it, and so does a failed `persist`.
        file.persist(self.path(name)).map_err(|error| error.error)?;
        Ok(())
    }

    /// The folder itself.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the file `name` is, or would be.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A new temporary file in the folder, readable for whom the user's own new files are.
    fn temporary(&self) -> io::Result<NamedTempFile> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        builder.tempfile_in(&self.folder)
    }
}

fn is_temporary(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::Store;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_written_file_is_alone_and_replaces_the_old_one() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::open(&root.path().join("new/folder")).unwrap();
        store.write("a", b"old").unwrap();
        store.write("a", b"new").unwrap();
        assert_eq!(fs::read(store.path("a")).unwrap(), b"new");
        assert_eq!(names(&root.path().join("new/folder")), ["a"]);
    }

    #[test]
    fn a_failed_write_leaves_no_temporary_file() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::open(root.path()).unwrap();
        fs::create_dir(store.path("a")).unwrap();
        fs::write(store.path("a").join("inside"), "").unwrap();
        store.write("a", b"cannot replace a folder").unwrap_err();
        assert_eq!(names(root.path()), ["a"]);
    }

    #[test]
    fn leftovers_of_a_killed_run_are_removed_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        for name in [".millpond-x7.part", ".millpond-notes", "x.part", "cat.jpg"] {
            fs::write(root.path().join(name), "").unwrap();
        }
        Store::open(root.path()).unwrap();
        assert_eq!(names(root.path()), [".millpond-notes", "cat.jpg", "x.part"]);
    }

    #[test]
    fn a_file_in_the_way_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("file"), "").unwrap();
        Store::open(&root.path().join("file")).unwrap_err();
        Store::open(&root.path().join("file/below")).unwrap_err();
    }
}
