//! Whole objects: to and from files, listed and deleted.

use std::path::Path;
use std::time::Duration;

use aws_sdk_s3::primitives::{ByteStream, Length};
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::error::classify;
use super::{BlobError, BlobErrorKind, Blobs, UploadedPart};

/// Larger files go up in parts of this size, bytes.
const PART_BYTES: u64 = 16 << 20;

/// Parts of one file that go up at once.
const PARTS_AT_ONCE: usize = 3;

/// A read that brings nothing for this long is given up.
const STALL_LIMIT: Duration = Duration::from_secs(30);

/// S3 deletes at most this many in one request.
const DELETE_BATCH: usize = 1000;

/// What storage says of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectFacts {
    pub bytes: u64,
    pub content_type: Option<String>,
}

/// One object of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    pub key: String,
    pub bytes: u64,
    pub modified: DateTime<Utc>,
}

/// Objects in the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectPage {
    pub objects: Vec<ListedObject>,
    /// Pass it as `after` for the next page; `None`: this was the last one.
    pub next: Option<String>,
}

impl Blobs {
    /// Facts of an object.
    ///
    /// # Errors
    /// Not found, or when the request fails.
    pub async fn head(&self, key: &str) -> Result<ObjectFacts, BlobError> {
        let head = self.internal.head_object().bucket(&self.bucket).key(key).send().await;
        let head = head.map_err(|error| classify("head", &error))?;
        Ok(ObjectFacts { bytes: size(head.content_length), content_type: head.content_type })
    }

    /// Writes an object to a new file at `path` and returns its size, bytes; never more than
    /// `bytes_max`.
    ///
    /// # Errors
    /// Not found, too large (refused), a stalled or cut transfer (transient), or a full disk (local).
    pub async fn download(&self, key: &str, path: &Path, bytes_max: u64) -> Result<u64, BlobError> {
        const WHAT: &str = "download";
        let object = self.internal.get_object().bucket(&self.bucket).key(key).send().await;
        let object = object.map_err(|error| classify(WHAT, &error))?;
        let announced = object.content_length.map(|length| size(Some(length)));
        if announced.is_some_and(|bytes| bytes > bytes_max) {
            return Err(BlobError::new(BlobErrorKind::Refused, WHAT, "too large"));
        }
        let mut file = File::create_new(path).await.map_err(|error| BlobError::local(WHAT, &error))?;
        let mut body = object.body;
        let mut written = 0_u64;
        loop {
            let chunk = timeout(STALL_LIMIT, body.try_next()).await;
            let cut = |code: &str| BlobError::new(BlobErrorKind::Transient, WHAT, code);
            let Some(chunk) = chunk.map_err(|_| cut("stalled"))?.map_err(|_| cut("cut"))? else { break };
            written += chunk.len() as u64;
            if written > bytes_max {
                return Err(BlobError::new(BlobErrorKind::Refused, WHAT, "too large"));
            }
            file.write_all(&chunk).await.map_err(|error| BlobError::local(WHAT, &error))?;
        }
        file.flush().await.map_err(|error| BlobError::local(WHAT, &error))?;
        match announced {
            Some(bytes) if bytes != written => Err(BlobError::new(BlobErrorKind::Transient, WHAT, "cut")),
            _ => Ok(written),
        }
    }

    /// Stores the file at `path` under `key` and returns its size, bytes; in parts when it is large.
    ///
    /// # Errors
    /// When the file cannot be read or a request fails; nothing is under `key` then.
    pub async fn upload(&self, path: &Path, key: &str, content_type: &str) -> Result<u64, BlobError> {
        const WHAT: &str = "upload";
        let facts = tokio::fs::metadata(path).await.map_err(|error| BlobError::local(WHAT, &error))?;
        if facts.len() > PART_BYTES {
            return self.upload_in_parts(path, key, content_type, facts.len()).await;
        }
        let body = ByteStream::from_path(path).await;
        let body = body.map_err(|_| BlobError::new(BlobErrorKind::Local, WHAT, "unreadable file"))?;
        let put = self.internal.put_object().bucket(&self.bucket).key(key).content_type(content_type);
        put.body(body).send().await.map_err(|error| classify(WHAT, &error))?;
        Ok(facts.len())
    }

    async fn upload_in_parts(
        &self,
        path: &Path,
        key: &str,
        content_type: &str,
        bytes: u64,
    ) -> Result<u64, BlobError> {
        let upload = self.begin_upload(key, content_type).await?;
        let parts: Vec<(i32, u64)> = (1..).zip((0..bytes).step_by(part_step())).collect();
        let sent = stream::iter(parts)
            .map(|(number, offset)| {
                let length = PART_BYTES.min(bytes - offset);
                self.upload_part(path, (key, upload.as_str()), number, (offset, length))
            })
            .buffered(PARTS_AT_ONCE)
            .try_collect::<Vec<_>>()
            .await;
        let stored = match sent {
            Ok(parts) => self.complete_upload(key, &upload, &parts).await,
            Err(error) => Err(error),
        };
        if stored.is_err() {
            // The first error is what matters; leftovers are removed by the bucket's housekeeping.
            let _ = self.abort_upload(key, &upload).await;
        }
        stored
    }

    async fn upload_part(
        &self,
        path: &Path,
        (key, upload): (&str, &str),
        number: i32,
        (offset, length): (u64, u64),
    ) -> Result<UploadedPart, BlobError> {
        const WHAT: &str = "upload part";
        let body =
            ByteStream::read_from().path(path).offset(offset).length(Length::Exact(length)).build().await;
        let body = body.map_err(|_| BlobError::new(BlobErrorKind::Local, WHAT, "unreadable file"))?;
        let request = self.internal.upload_part().bucket(&self.bucket).key(key).upload_id(upload);
        let answer = request.part_number(number).body(body).send().await;
        let answer = answer.map_err(|error| classify(WHAT, &error))?;
        Ok(UploadedPart { number, etag: answer.e_tag.unwrap_or_default(), bytes: length })
    }

    /// Removes objects; those that are not there are fine.
    ///
    /// # Errors
    /// When a request fails, or storage kept one of them.
    pub async fn delete(&self, keys: &[String]) -> Result<(), BlobError> {
        const WHAT: &str = "delete";
        for batch in keys.chunks(DELETE_BATCH) {
            let named: Result<Vec<_>, _> =
                batch.iter().map(|key| ObjectIdentifier::builder().key(key).build()).collect();
            let list = named.and_then(|named| Delete::builder().quiet(true).set_objects(Some(named)).build());
            let list = list.map_err(|_| BlobError::new(BlobErrorKind::Refused, WHAT, "bad key"))?;
            let done = self.internal.delete_objects().bucket(&self.bucket).delete(list).send().await;
            let done = done.map_err(|error| classify(WHAT, &error))?;
            if let Some(kept) = done.errors().first() {
                return Err(BlobError::new(BlobErrorKind::Transient, WHAT, kept.code().unwrap_or("kept")));
            }
        }
        Ok(())
    }

    /// Lists at most 1,000 objects whose keys start with `prefix` and come after `after`.
    ///
    /// # Errors
    /// When the request fails.
    pub async fn list(&self, prefix: &str, after: Option<&str>) -> Result<ObjectPage, BlobError> {
        let request = self.internal.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let page = request.set_start_after(after.map(str::to_owned)).send().await;
        let page = page.map_err(|error| classify("list", &error))?;
        let objects: Vec<_> = page.contents().iter().filter_map(listed).collect();
        let more = page.is_truncated == Some(true);
        let next = objects.last().filter(|_| more).map(|last| last.key.clone());
        Ok(ObjectPage { objects, next })
    }
}

fn listed(object: &aws_sdk_s3::types::Object) -> Option<ListedObject> {
    let modified = object.last_modified()?;
    Some(ListedObject {
        key: object.key()?.to_owned(),
        bytes: size(object.size()),
        modified: DateTime::from_timestamp(modified.secs(), modified.subsec_nanos())?,
    })
}

fn size(length: Option<i64>) -> u64 {
    length.and_then(|length| u64::try_from(length).ok()).unwrap_or(0)
}

/// [`PART_BYTES`] as a step; it fits every platform that this is built for.
fn part_step() -> usize {
    usize::try_from(PART_BYTES).unwrap_or(usize::MAX)
}
