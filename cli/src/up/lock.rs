//! One `reelmill up` for each data folder.

use std::{
    fs::{self, File, TryLockError},
    path::Path,
};

use anyhow::Context as _;
use cli::local::secret_file;

/// Makes the data folder and locks it for as long as the result lives.
///
/// Others may pass through the folder (Postgres' own user must), but not list it; what is secret in it has mode 0600.
pub fn take(data_dir: &Path) -> anyhow::Result<File> {
    secret_file::create_folder(data_dir, 0o711)?;
    let path = data_dir.join("lock");
    let file = fs::OpenOptions::new().create(true).append(true).open(&path);
    let file = file.with_context(|| format!("open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => anyhow::bail!(
            "reelmill up is running on {} already: stop it, or choose another folder with --data-dir",
            data_dir.display()
        ),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("lock {}", path.display())),
    }
}
