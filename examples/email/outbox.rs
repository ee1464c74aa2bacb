//! An outbox: a folder with one complete `.eml` file per recipient.
//!
//! A file is written under a name that starts with a dot and ends with `.tmp`, flushed to the disk, and renamed. So a
//! reader of `*.eml` sees a whole message or none, also after a crash. The temporary name depends on the recipient alone:
//! what a crash leaves behind is replaced by the next run. Two runs into one folder at the same time are not supported.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Where `.eml` files are put.
#[derive(Debug)]
pub(crate) struct Outbox {
    folder: PathBuf,
}

impl Outbox {
    /// Makes the folder if it is not there, and proves that a file can be written to it.
    ///
    /// # Errors
    ///
    /// When either fails.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let probe = folder.join(".probe.tmp");
        File::create(&probe)?.write_all(b"probe")?;
        fs::remove_file(&probe)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Writes `message` as `<stem>.eml`, replacing a file of that name.
    ///
    /// # Errors
    ///
    /// Those of the file system. No `.eml` file is touched then, and the temporary is removed if that is possible.
    pub(crate) fn put(&self, stem: &str, message: &[u8]) -> io::Result<()> {
        let temporary = self.folder.join(format!(".{stem}.tmp"));
        let complete = self.folder.join(format!("{stem}.eml"));
        let written = write_all(&temporary, message).and_then(|()| fs::rename(&temporary, &complete));
        if written.is_err() {
            // Nothing more can be done if this fails too; the reason to report is the first one.
            let _ = fs::remove_file(&temporary);
        }
        written
    }
}

/// Writes a file and waits until the disk has it: renaming first could leave an empty file after a power failure.
fn write_all(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
