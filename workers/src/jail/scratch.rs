//! The directory that one request is worked on in.

use std::fs::{File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The names of scratch directories begin so.
const PREFIX: &str = "media-";
/// A directory younger than this may be about to be locked by who made it.
pub(super) const AGE_MIN: Duration = Duration::from_secs(60);

/// So many engines may run at once on a machine.
const USERS_MAX: u32 = 1024;

/// A directory for one request; gone with this value. It is locked for as long: one that is not belonged to a process
/// that was killed.
#[derive(Debug)]
pub struct Scratch {
    directory: tempfile::TempDir,
    user: Option<User>,
    _lock: File,
}

/// A user id that nobody else runs an engine under: one engine can neither signal another nor use up its processes.
#[derive(Debug)]
struct User {
    id: u32,
    /// Among all workers that share the root.
    _lock: File,
}

impl User {
    /// The first that is free, from `first` on.
    fn take(root: &Path, first: u32) -> io::Result<Self> {
        for id in first..first.saturating_add(USERS_MAX) {
            let name = root.join(format!("user-{id}"));
            let lock = File::options().create(true).truncate(false).write(true).open(name)?;
            match lock.try_lock() {
                Ok(()) => return Ok(Self { id, _lock: lock }),
                Err(TryLockError::WouldBlock) => {}
                // Without locks nobody can tell: one id for all is what is left.
                Err(TryLockError::Error(_)) => return Ok(Self { id: first, _lock: lock }),
            }
        }
        Err(io::Error::other(format!("{USERS_MAX} engines are running")))
    }
}

/// Makes the directory that scratch directories are made in, or takes one that is ours alone: in another's, a scratch
/// directory could be exchanged for a link.
pub(super) fn make_root(root: &Path) -> io::Result<()> {
    match std::fs::DirBuilder::new().recursive(true).mode(0o711).create(root) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found = std::fs::symlink_metadata(root)?;
    let others_write = found.mode() & 0o022 != 0;
    if found.is_dir() && found.uid() == rustix::process::geteuid().as_raw() && !others_write {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        format!("{} is not a directory of this user alone: choose another SCRATCH_DIR", root.display()),
    ))
}

impl Scratch {
    /// A fresh directory in `root` that only this process can enter, and a user of its own, if there is to be one: a
    /// free one from `first_user` on.
    pub(super) fn new(root: &Path, first_user: Option<u32>) -> io::Result<Self> {
        let user = first_user.map(|first| User::take(root, first)).transpose()?;
        let directory = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(root)?;
        let lock = File::open(directory.path())?;
        // On a file system without locks what is left over stays: nobody can tell whose it is.
        let _ = lock.lock();
        if let Some(User { id, .. }) = user {
            chown(directory.path(), Some(id), Some(id))?;
        }
        Ok(Self { directory, user, _lock: lock })
    }

    /// Whom it belongs to, when that is not this process's user.
    pub(super) fn user(&self) -> Option<u32> {
        self.user.as_ref().map(|user| user.id)
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
