//! The folder: `buckets/` holds records, `uploads/` multipart uploads, `blobs/` bytes. All calls here block briefly.

use std::{
    collections::HashSet,
    fs,
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::{
    key,
    object::{Blob, Object},
};

/// Why storage did not do it.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error("there is no such bucket")]
    NoSuchBucket,
    #[error("there is no such object")]
    NoSuchKey,
    #[error("there is no such upload: it was completed, aborted or never begun")]
    NoSuchUpload,
    #[error("part {0} was never uploaded, or its ETag differs")]
    InvalidPart(i32),
    #[error("parts must be listed once each, in ascending order")]
    InvalidPartOrder,
    #[error("part {0} is smaller than 5 MiB and is not the last one")]
    EntityTooSmall(i32),
    #[error("an object is already there")]
    AlreadyThere,
    #[error("the key is empty or too long")]
    KeyTooLong,
    #[error("a record is damaged")]
    Damaged(#[from] serde_json::Error),
    #[error("the disk refused")]
    Disk(#[from] io::Error),
}

/// Objects in a folder.
#[derive(Debug)]
pub(super) struct Store {
    root: PathBuf,
    /// Held while records change, never while bytes are read or written.
    records: Mutex<()>,
}

impl Store {
    /// Opens the folder and removes the bytes that no record names: what a crash left behind.
    ///
    /// # Errors
    /// The folder cannot be made or read.
    pub(super) fn open(root: &Path) -> Result<Self, StoreError> {
        for folder in ["buckets", "uploads", "blobs"] {
            fs::create_dir_all(root.join(folder))?;
        }
        let store = Self { root: root.to_owned(), records: Mutex::new(()) };
        store.remove_orphans()?;
        Ok(store)
    }

    pub(super) fn create_bucket(&self, bucket: &str) -> Result<(), StoreError> {
        Ok(fs::create_dir_all(self.root.join("buckets").join(bucket))?)
    }

    /// The folder of a bucket's records. The bucket's name was checked by `s3s` (letters, digits, dots, hyphens).
    pub(super) fn bucket(&self, bucket: &str) -> Result<PathBuf, StoreError> {
        let path = self.root.join("buckets").join(bucket);
        if path.is_dir() { Ok(path) } else { Err(StoreError::NoSuchBucket) }
    }

    pub(super) fn object(&self, bucket: &str, key: &str) -> Result<Object, StoreError> {
        read_record(&self.bucket(bucket)?.join(key::record_path(key)?))?.ok_or(StoreError::NoSuchKey)
    }

    /// Stores `object` under `key`; with `only_new`, refuses when one is there.
    pub(super) fn put(
        &self,
        bucket: &str,
        key: &str,
        object: &Object,
        only_new: bool,
    ) -> Result<(), StoreError> {
        let path = self.bucket(bucket)?.join(key::record_path(key)?);
        let _guard = self.lock();
        self.replace(&path, object, only_new)
    }

    /// Removes the object if it is there.
    pub(super) fn delete(&self, bucket: &str, key: &str) -> Result<(), StoreError> {
        let path = self.bucket(bucket)?.join(key::record_path(key)?);
        let _guard = self.lock();
        if let Some(object) = read_record::<Object>(&path)? {
            fs::remove_file(&path)?;
            self.remove_blobs(&object.blobs);
        }
        Ok(())
    }

    /// A new file for bytes, not yet named by any record.
    pub(super) fn new_blob_name(&self) -> (String, PathBuf) {
        let name = Uuid::now_v7().simple().to_string();
        let path = self.blob_path(&name);
        (name, path)
    }

    pub(super) fn blob_path(&self, name: &str) -> PathBuf {
        self.root.join("blobs").join(name)
    }

    pub(super) fn upload_folder(&self, upload_id: &str) -> Result<PathBuf, StoreError> {
        let id = Uuid::parse_str(upload_id).map_err(|_| StoreError::NoSuchUpload)?;
        Ok(self.root.join("uploads").join(id.simple().to_string()))
    }

    /// Held by every change of records. A panic while it was held left complete records, old or new.
    pub(super) fn lock(&self) -> MutexGuard<'_, ()> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the record at `path` and removes the bytes of the one it replaces. Call it with the lock held.
    pub(super) fn replace(&self, path: &Path, object: &Object, only_new: bool) -> Result<(), StoreError> {
        let old = read_record::<Object>(path)?;
        if only_new && old.is_some() {
            return Err(StoreError::AlreadyThere);
        }
        self.write_record(path, object)?;
        if let Some(old) = old {
            let kept: HashSet<&str> = object.blobs.iter().map(|blob| blob.name.as_str()).collect();
            let gone: Vec<Blob> =
                old.blobs.into_iter().filter(|blob| !kept.contains(blob.name.as_str())).collect();
            self.remove_blobs(&gone);
        }
        Ok(())
    }

    /// Writes a record aside, makes it durable, and puts it in place in one step.
    pub(super) fn write_record<T: Serialize>(&self, path: &Path, record: &T) -> Result<(), StoreError> {
        let aside = self.root.join(format!("{}.tmp", Uuid::now_v7().simple()));
        let mut file = fs::File::create_new(&aside)?;
        file.write_all(&serde_json::to_vec(record)?)?;
        file.sync_data()?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::rename(&aside, path)?)
    }

    /// Removes bytes that no record names any more. One that stays behind is removed at the next start.
    pub(super) fn remove_blobs(&self, blobs: &[Blob]) {
        for blob in blobs {
            if let Err(error) = fs::remove_file(self.blob_path(&blob.name))
                && error.kind() != ErrorKind::NotFound
            {
                tracing::warn!(blob = blob.name, %error, "could not remove stored bytes");
            }
        }
    }

    fn remove_orphans(&self) -> Result<(), StoreError> {
        let mut named = HashSet::new();
        visit(&self.root.join("buckets"), &mut |path| {
            let object: Option<Object> = read_record(path)?;
            named.extend(object.into_iter().flat_map(|object| object.blobs).map(|blob| blob.name));
            Ok(())
        })?;
        visit(&self.root.join("uploads"), &mut |path| {
            // The upload's own record lies beside those of its parts.
            if !path.ends_with("upload.json") {
                named.extend(read_record::<Blob>(path)?.map(|blob| blob.name));
            }
            Ok(())
        })?;
        for entry in fs::read_dir(self.root.join("blobs"))? {
            let entry = entry?;
            if !entry.file_name().to_str().is_some_and(|name| named.contains(name)) {
                fs::remove_file(entry.path())?;
            }
        }
        for entry in fs::read_dir(&self.root)? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "tmp") {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

/// The record at `path`, if there is one.
pub(super) fn read_record<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, StoreError> {
    match fs::read(path) {
        Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Calls `found` with every file below `folder`.
pub(super) fn visit(
    folder: &Path,
    found: &mut dyn FnMut(&Path) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                found(&entry.path())?;
            }
        }
    }
    Ok(())
}
