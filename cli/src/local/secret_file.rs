//! Small files that only their owner may read (mode 0600), written whole or not at all.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use anyhow::Context as _;
use rand::RngCore as _;
use secrecy::SecretString;

/// Writes `content` to `path` with mode 0600, replacing what was there in one step.
///
/// # Errors
/// The folder is missing, full or not writable.
pub fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let aside = path.with_extension(format!("{:08x}.tmp", rand::rng().next_u32()));
    let result = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&aside)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&aside, path));
    if result.is_err() {
        let _ = fs::remove_file(&aside);
    }
    result.with_context(|| format!("write {}", path.display()))
}

/// The secret in `path`; made of 32 random bytes (64 hex digits) and stored there when the file is missing.
///
/// # Errors
/// The file exists and is unreadable or empty, or cannot be written.
pub fn read_or_create(path: &Path) -> anyhow::Result<SecretString> {
    match fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => Ok(text.trim().to_owned().into()),
        Ok(_) => {
            anyhow::bail!("{} is empty: remove it with the data it belongs to, or restore it", path.display())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let secret = random_hex();
            write(path, secret.as_bytes())?;
            Ok(secret.into())
        }
        Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
    }
}

/// 32 random bytes as 64 hex digits.
#[must_use]
pub fn random_hex() -> String {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    hex::encode(bytes)
}

/// Makes `path` and its missing parents; `path` itself gets `mode` when it is new.
///
/// # Errors
/// A parent is not writable.
pub fn create_folder(path: &Path, mode: u32) -> anyhow::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(|| format!("make the folder {}", parent.display()))?;
    }
    fs::DirBuilder::new()
        .mode(mode)
        .create(path)
        .with_context(|| format!("make the folder {}", path.display()))
}
