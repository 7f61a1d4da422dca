//! An append-only file of JSON lines: how everything that must survive a restart is kept.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error("the sandbox cannot use {path}: {source}; check the disk and the rights of its data directory")]
    Io { path: PathBuf, source: io::Error },
    #[error("line {line} of {path} is not what the sandbox wrote: {source}; remove the data directory")]
    Corrupt { path: PathBuf, line: usize, source: serde_json::Error },
}

impl StorageError {
    /// Names the file with which an operation failed.
    pub fn at(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |source| Self::Io { path: path.to_owned(), source }
    }
}

/// One open file; lines are whole in the page cache when `append` returns, and on the disk after
/// [`sync`].
pub struct Journal {
    path: PathBuf,
    file: Arc<File>,
}

impl Journal {
    /// Opens or makes the file and reads its lines. A last line that was torn by a crash was never
    /// answered for and is cut off.
    pub fn open<T: DeserializeOwned>(path: PathBuf) -> Result<(Self, Vec<T>), StorageError> {
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(StorageError::at(&path)(error)),
        };
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let mut lines = Vec::new();
        for (index, line) in text[..whole].lines().enumerate() {
            let value = serde_json::from_str(line).map_err(|source| StorageError::Corrupt {
                path: path.clone(),
                line: index + 1,
                source,
            })?;
            lines.push(value);
        }
        let file =
            OpenOptions::new().create(true).append(true).open(&path).map_err(StorageError::at(&path))?;
        if whole < text.len() {
            file.set_len(whole as u64).map_err(StorageError::at(&path))?;
        }
        Ok((Self { path, file: Arc::new(file) }, lines))
    }

    /// Writes one line with one call, so that no reader sees half of it.
    pub fn append<T: Serialize>(&mut self, value: &T) -> Result<(), StorageError> {
        let mut line = serde_json::to_vec(value)
            .map_err(|source| StorageError::at(&self.path)(io::Error::other(source)))?;
        line.push(b'\n');
        (&*self.file).write_all(&line).map_err(StorageError::at(&self.path))
    }

    /// Replaces the content with `values`, by a file renamed over the old one.
    pub fn rewrite<T: Serialize>(&mut self, values: &[T]) -> Result<(), StorageError> {
        let aside = self.path.with_extension("new");
        let file = File::create(&aside).map_err(StorageError::at(&aside))?;
        let mut next = Self { path: aside.clone(), file: Arc::new(file) };
        for value in values {
            next.append(value)?;
        }
        next.file.sync_data().map_err(StorageError::at(&aside))?;
        fs::rename(&aside, &self.path).map_err(StorageError::at(&self.path))?;
        self.file = next.file;
        Ok(())
    }

    /// The file and its name, for [`sync`] outside of any lock.
    pub fn handle(&self) -> (Arc<File>, PathBuf) {
        (Arc::clone(&self.file), self.path.clone())
    }
}

/// Waits until everything written so far is on the disk.
pub async fn sync((file, path): (Arc<File>, PathBuf)) -> Result<(), StorageError> {
    let synced = tokio::task::spawn_blocking(move || file.sync_data()).await;
    synced.map_err(io::Error::other).flatten().map_err(StorageError::at(&path))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use super::{Journal, StorageError};

    #[test]
    fn a_torn_last_line_is_cut_off_and_a_broken_one_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("j.jsonl");
        std::fs::write(&path, "1\n2\n3").unwrap();
        let (mut journal, lines) = Journal::open::<u32>(path.clone()).unwrap();
        assert_eq!(lines, [1, 2]);
        journal.append(&4).unwrap();
        assert_eq!(Journal::open::<u32>(path.clone()).unwrap().1, [1, 2, 4]);
        std::fs::write(&path, "1\nx\n2\n").unwrap();
        let broken = Journal::open::<u32>(path).map(|(_, lines)| lines);
        assert!(matches!(broken, Err(StorageError::Corrupt { line: 2, .. })));
    }
}
