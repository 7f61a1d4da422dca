//! The directory that one request is worked on in.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The names of scratch directories begin so.
const PREFIX: &str = "media-";
/// A directory younger than this may be about to be locked by who made it.
pub(super) const AGE_MIN: Duration = Duration::from_secs(60);

/// A directory for one request; gone with this value. It is locked for as long: one that is not belonged to a process
/// that was killed.
#[derive(Debug)]
pub struct Scratch {
    directory: tempfile::TempDir,
    _lock: File,
}

impl Scratch {
    /// A fresh directory in `root` that only this process and `owner` can enter.
    pub(super) fn new(root: &Path, owner: Option<u32>) -> io::Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(root)?;
        let lock = File::open(directory.path())?;
        // On a file system without locks what is left over stays: nobody can tell whose it is.
        let _ = lock.lock();
        if let Some(owner) = owner {
            chown(directory.path(), Some(owner), Some(owner))?;
        }
        Ok(Self { directory, _lock: lock })
    }

    /// Where a file of this name lies.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Whether nothing lies here but plain files: a link in the place of one would make this process, which may read
    /// more than the child, read what it points to.
    pub(super) fn holds_plain_files_alone(&self) -> io::Result<bool> {
        for entry in std::fs::read_dir(self.path())? {
            if !entry?.file_type()?.is_file() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Removes scratch directories that nobody holds any more. Several workers may share the root.
pub(super) fn remove_left_over(root: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(root)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        // One that goes away meanwhile was its holder's.
        let Ok(directory) = File::open(entry.path()) else { continue };
        let age = directory.metadata()?.modified()?.elapsed().unwrap_or_default();
        if age >= AGE_MIN && directory.try_lock().is_ok() {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}
