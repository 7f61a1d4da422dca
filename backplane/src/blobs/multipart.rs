//! Uploads in parts, straight from a client to storage.

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use super::error::classify;
use super::{BlobError, Blobs};

/// A part that storage holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadedPart {
    /// From 1.
    pub number: i32,
    pub etag: String,
    pub bytes: u64,
}

impl Blobs {
    /// Begins an upload of `key` and returns storage's name for it.
    ///
    /// # Errors
    /// When the request fails.
    pub async fn begin_upload(&self, key: &str, content_type: &str) -> Result<String, BlobError> {
        let begun =
            self.internal.create_multipart_upload().bucket(&self.bucket).key(key).content_type(content_type);
        let begun = begun.send().await.map_err(|error| classify("begin upload", &error))?;
        Ok(begun.upload_id.unwrap_or_default())
    }

    /// The parts that arrived, by number.
    ///
    /// # Errors
    /// Not found when the upload was completed or aborted, else when the request fails.
    pub async fn uploaded_parts(&self, key: &str, upload: &str) -> Result<Vec<UploadedPart>, BlobError> {
        let mut parts = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let request = self.internal.list_parts().bucket(&self.bucket).key(key).upload_id(upload);
            let page = request.set_part_number_marker(marker).send().await;
            let page = page.map_err(|error| classify("list parts", &error))?;
            parts.extend(page.parts().iter().map(|part| UploadedPart {
                number: part.part_number().unwrap_or(0),
                etag: part.e_tag().unwrap_or_default().to_owned(),
                bytes: part.size().and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
            }));
            match page.next_part_number_marker {
                Some(next) if page.is_truncated == Some(true) => marker = Some(next),
                _ => return Ok(parts),
            }
        }
    }

    /// Joins the parts and returns the size of the object, bytes. May be called any number of times:
    /// when storage no longer knows the upload, the object under its key answers for it. Compare the
    /// size with what was declared.
    ///
    /// # Errors
    /// Not found when there is neither such an upload nor such an object, else when a request fails.
    pub async fn complete_upload(
        &self,
        key: &str,
        upload: &str,
        parts: &[UploadedPart],
    ) -> Result<u64, BlobError> {
        let named = parts
            .iter()
            .map(|part| CompletedPart::builder().part_number(part.number).e_tag(&part.etag).build());
        let list = CompletedMultipartUpload::builder().set_parts(Some(named.collect())).build();
        let request =
            self.internal.complete_multipart_upload().bucket(&self.bucket).key(key).upload_id(upload);
        let completed = request.multipart_upload(list).send().await;
        match completed.map_err(|error| classify("complete upload", &error)) {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(self.head(key).await?.bytes),
        }
    }

    /// Forgets an upload and its parts; fine when there is none.
    ///
    /// # Errors
    /// When the request fails.
    pub async fn abort_upload(&self, key: &str, upload: &str) -> Result<(), BlobError> {
        let request = self.internal.abort_multipart_upload().bucket(&self.bucket).key(key).upload_id(upload);
        match request.send().await.map_err(|error| classify("abort upload", &error)) {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }
}
