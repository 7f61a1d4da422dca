//! Multipart uploads: a folder with one record for the upload and one for each part.

use std::fs;

use s3s::crypto::{Checksum as _, Md5};
use uuid::Uuid;

use super::{
    key,
    object::{Blob, Object, Upload},
    store::{Store, StoreError, read_record},
};

/// Every part but the last has at least 5 MiB (Amazon S3 User Guide, "Multipart upload limits", 2026-11).
const PART_BYTES_MIN: u64 = 5 * 1024 * 1024;
/// Part numbers go from 1 to 10,000 (same page).
const PARTS_MAX: i32 = 10_000;

impl Store {
    /// Begins an upload and returns its id.
    pub(super) fn create_upload(&self, upload: &Upload) -> Result<String, StoreError> {
        self.bucket(&upload.bucket)?;
        key::record_path(&upload.key)?;
        let id = Uuid::new_v4().simple().to_string();
        self.write_record(&self.upload_folder(&id)?.join("upload.json"), upload)?;
        Ok(id)
    }

    /// The upload `id`, which must be for this bucket and key.
    pub(super) fn upload(&self, id: &str, bucket: &str, key: &str) -> Result<Upload, StoreError> {
        read_record::<Upload>(&self.upload_folder(id)?.join("upload.json"))?
            .filter(|upload| upload.bucket == bucket && upload.key == key)
            .ok_or(StoreError::NoSuchUpload)
    }

    /// Records a part that has been received, in place of an earlier one of that number.
    pub(super) fn put_part(&self, id: &str, number: i32, blob: &Blob) -> Result<(), StoreError> {
        if !(1..=PARTS_MAX).contains(&number) {
            return Err(StoreError::InvalidPart(number));
        }
        let folder = self.upload_folder(id)?;
        let _guard = self.lock();
        // Completed or aborted while the bytes were coming: the part has nowhere to go.
        if !folder.join("upload.json").exists() {
            return Err(StoreError::NoSuchUpload);
        }
        let path = folder.join(format!("{number:05}.json"));
        let old = read_record::<Blob>(&path)?;
        self.write_record(&path, blob)?;
        self.remove_blobs(old.as_slice());
        Ok(())
    }

    /// The parts received so far, by number.
    pub(super) fn parts(&self, id: &str) -> Result<Vec<(i32, Blob)>, StoreError> {
        let mut parts = Vec::new();
        for entry in fs::read_dir(self.upload_folder(id)?)? {
            let path = entry?.path();
            // `upload.json` has no number.
            if let Some(number) = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok())
                && let Some(blob) = read_record(&path)?
            {
                parts.push((number, blob));
            }
        }
        parts.sort_unstable_by_key(|(number, _)| *number);
        Ok(parts)
    }

    /// Makes the object out of the parts that `wanted` lists as (number, ETag), in one step.
    /// Asked again after it has succeeded, it gives the same answer.
    pub(super) fn complete(
        &self,
        (bucket, key): (&str, &str),
        id: &str,
        wanted: &[(i32, String)],
        only_new: bool,
    ) -> Result<Object, StoreError> {
        let path = self.bucket(bucket)?.join(key::record_path(key)?);
        let folder = self.upload_folder(id)?;
        let _guard = self.lock();
        let upload = match self.upload(id, bucket, key) {
            Err(StoreError::NoSuchUpload) => return completed_before(&path, id),
            upload => upload?,
        };
        let mut received = self.parts(id)?;
        let blobs = choose(&received, wanted)?;
        let object = Object {
            headers: upload.headers,
            etag: etag_of_parts(&blobs),
            size_bytes: blobs.iter().map(|blob| blob.size_bytes).sum(),
            modified: std::time::SystemTime::now(),
            blobs,
            upload_id: Some(id.to_owned()),
        };
        self.replace(&path, &object, only_new)?;
        fs::remove_dir_all(&folder)?;
        received.retain(|(_, blob)| !object.blobs.contains(blob));
        self.remove_blobs(&received.into_iter().map(|(_, blob)| blob).collect::<Vec<_>>());
        Ok(object)
    }

    /// Ends an upload and removes its parts.
    pub(super) fn abort(&self, bucket: &str, key: &str, id: &str) -> Result<(), StoreError> {
        let folder = self.upload_folder(id)?;
        let _guard = self.lock();
        self.upload(id, bucket, key)?;
        let parts = self.parts(id)?;
        fs::remove_dir_all(&folder)?;
        self.remove_blobs(&parts.into_iter().map(|(_, blob)| blob).collect::<Vec<_>>());
        Ok(())
    }
}

fn completed_before(path: &std::path::Path, id: &str) -> Result<Object, StoreError> {
    read_record::<Object>(path)?
        .filter(|object| object.upload_id.as_deref() == Some(id))
        .ok_or(StoreError::NoSuchUpload)
}

fn choose(received: &[(i32, Blob)], wanted: &[(i32, String)]) -> Result<Vec<Blob>, StoreError> {
    if wanted.is_empty() {
        return Err(StoreError::InvalidPart(1));
    }
    if !wanted.is_sorted_by(|(left, _), (right, _)| left < right) {
        return Err(StoreError::InvalidPartOrder);
    }
    let mut blobs = Vec::with_capacity(wanted.len());
    for (at, (number, etag)) in wanted.iter().enumerate() {
        let found = received.iter().find(|(have, blob)| have == number && blob.md5 == *etag);
        let (_, blob) = found.ok_or(StoreError::InvalidPart(*number))?;
        if blob.size_bytes < PART_BYTES_MIN && at + 1 < wanted.len() {
            return Err(StoreError::EntityTooSmall(*number));
        }
        blobs.push(blob.clone());
    }
    Ok(blobs)
}

/// S3's ETag of a multipart object: the MD5 of the parts' MD5s, and how many there are.
fn etag_of_parts(blobs: &[Blob]) -> String {
    let mut md5 = Md5::new();
    for blob in blobs {
        md5.update(&hex::decode(&blob.md5).unwrap_or_default());
    }
    format!("{}-{}", hex::encode(md5.finalize()), blobs.len())
}
