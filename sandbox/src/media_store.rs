//! Media files by their SHA-256 under `data_dir/media`.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use crate::journal::StorageError;

/// A file that the store holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// Of the whole file, hex.
    pub sha256: String,
    pub bytes: u64,
}

/// Why a stream did not become a file.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    #[error("the file is larger than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("the file ended early: {0}")]
    Broken(String),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The directory of files, and a place aside for those that are still arriving.
pub struct MediaStore {
    dir: PathBuf,
    arriving: PathBuf,
}

impl MediaStore {
    /// Makes the directories; what was arriving when the last process died is removed.
    pub fn open(data_dir: &Path) -> Result<Self, StorageError> {
        let store = Self { dir: data_dir.join("media"), arriving: data_dir.join("arriving") };
        match std::fs::remove_dir_all(&store.arriving) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StorageError::at(&store.arriving)(error));
            }
            _ => {}
        }
        for dir in [&store.dir, &store.arriving] {
            std::fs::create_dir_all(dir).map_err(StorageError::at(dir))?;
        }
        Ok(store)
    }

    /// Keeps a stream of at most `limit` bytes.
    pub async fn receive<E: std::fmt::Display>(
        &self,
        stream: impl Stream<Item = Result<Bytes, E>> + Unpin,
        limit: u64,
    ) -> Result<Stored, ReceiveError> {
        let arrived = self.arrive(stream, limit).await?;
        let stored = arrived.stored.clone();
        arrived.keep_as(&self.path(&stored.sha256))?;
        Ok(stored)
    }

    /// Receives a stream of at most `limit` bytes and leaves it aside: dropped, it is removed.
    pub async fn arrive<E: std::fmt::Display>(
        &self,
        mut stream: impl Stream<Item = Result<Bytes, E>> + Unpin,
        limit: u64,
    ) -> Result<Arrived, ReceiveError> {
        let aside = Aside(self.arriving.join(Uuid::new_v4().to_string()));
        let at = || StorageError::at(&aside.0);
        let mut file = File::create(&aside.0).await.map_err(at())?;
        let (mut hash, mut bytes) = (Sha256::new(), 0);
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| ReceiveError::Broken(error.to_string()))?;
            bytes += chunk.len() as u64;
            if bytes > limit {
                return Err(ReceiveError::TooLarge { limit });
            }
            hash.update(&chunk);
            file.write_all(&chunk).await.map_err(at())?;
        }
        // Whole for other processes; only the ledger promises to survive a power cut.
        file.flush().await.map_err(at())?;
        Ok(Arrived { stored: Stored { sha256: hex::encode(hash.finalize()), bytes }, aside })
    }

    /// Where the file with this hash lies; it may not exist.
    pub fn path(&self, sha256: &str) -> PathBuf {
        self.dir.join(sha256)
    }
}

/// Whether `text` can be the name of a file in the store.
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A whole file that nobody has asked to keep yet.
pub struct Arrived {
    pub stored: Stored,
    aside: Aside,
}

impl Arrived {
    /// Moves the file to where it stays, on the same disk.
    pub fn keep_as(self, path: &Path) -> Result<(), StorageError> {
        std::fs::rename(&self.aside.0, path).map_err(StorageError::at(path))
    }
}

/// A file that is removed unless it was renamed away.
struct Aside(PathBuf);

impl Drop for Aside {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}
