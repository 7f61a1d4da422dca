//! Uploads as a phone does them: parts straight to storage, any of them again, and then "done".

use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{brand::Brand, networks::http};

/// The fields of an upload that are needed to go on with it.
pub const UPLOAD: &str =
    "id partBytes partCount receivedBytes asset { id state } missingParts(first: 16) { number url }";

/// A file on its way.
pub struct Upload {
    pub id: String,
    pub asset_id: String,
    pub part_bytes: usize,
    pub part_count: u64,
    /// `(number, address)` of the parts that storage has not got, at most 16.
    pub missing: Vec<(usize, String)>,
    bytes: Vec<u8>,
}

impl Upload {
    fn read(upload: &Value, bytes: Vec<u8>) -> Self {
        let missing = upload["missingParts"].as_array().unwrap().iter();
        let missing = missing.map(|part| {
            (
                usize::try_from(part["number"].as_u64().unwrap()).unwrap(),
                part["url"].as_str().unwrap().to_owned(),
            )
        });
        Self {
            id: upload["id"].as_str().unwrap().to_owned(),
            asset_id: upload["asset"]["id"].as_str().unwrap().to_owned(),
            part_bytes: usize::try_from(upload["partBytes"].as_u64().unwrap()).unwrap(),
            part_count: upload["partCount"].as_u64().unwrap(),
            missing: missing.collect(),
            bytes,
        }
    }

    /// Sends one of the missing parts.
    ///
    /// # Panics
    /// When storage refuses it.
    pub async fn put(&self, number: usize) {
        let (_, url) = self.missing.iter().find(|(missing, _)| *missing == number).unwrap();
        let from = (number - 1) * self.part_bytes;
        let part = self.bytes[from..self.bytes.len().min(from + self.part_bytes)].to_vec();
        let answer = http().put(url).body(part).send().await.unwrap();
        assert!(answer.status().is_success(), "part {number}: {}", answer.text().await.unwrap());
    }

    /// Sends all that is missing.
    pub async fn put_all(&self) {
        for (number, _) in &self.missing {
            self.put(*number).await;
        }
    }

    /// The whole file's SHA-256, in hex.
    #[must_use]
    pub fn sha256(&self) -> String {
        hex::encode(Sha256::digest(&self.bytes))
    }
}

impl Brand<'_> {
    /// Begins an upload.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn begin_upload(&self, file: &Path, caption: &str) -> Upload {
        let bytes = std::fs::read(file).unwrap();
        let described = json!({
            "filename": file.file_name().unwrap().to_string_lossy(), "contentType": content_type(file),
            "bytes": bytes.len(), "caption": caption,
        });
        let input = json!({ "brandId": self.id, "files": [described] });
        let payload = self.api.mutate("createUploads", input, &format!("uploads {{ {UPLOAD} }}")).await;
        Upload::read(&payload["uploads"][0], bytes)
    }

    /// The same upload as it is now, with fresh addresses.
    ///
    /// # Panics
    /// When it is not there.
    pub async fn resume_upload(&self, upload: Upload) -> Upload {
        let query = format!("query ($id: ID!) {{ node(id: $id) {{ ... on Upload {{ {UPLOAD} }} }} }}");
        let data = self.api.query(&query, json!({ "id": upload.id })).await;
        Upload::read(&data["node"], upload.bytes)
    }

    /// Says that everything is there.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn complete_upload(&self, upload: &Upload) {
        let input = json!({ "uploads": [{ "uploadId": upload.id, "sha256": upload.sha256() }] });
        self.api.mutate("completeUploads", input, "assets { id state }").await;
    }

    /// A file from beginning to end; returns the asset's id, not yet probed.
    pub async fn upload(&self, file: &Path, caption: &str) -> String {
        let upload = self.begin_upload(file, caption).await;
        upload.put_all().await;
        self.complete_upload(&upload).await;
        upload.asset_id
    }
}

/// What a phone would call it.
#[must_use]
pub fn content_type(file: &Path) -> &'static str {
    match file.extension().and_then(|ending| ending.to_str()) {
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("png") => "image/png",
        Some("heic") => "image/heic",
        Some("svg") => "image/svg+xml",
        Some("tiff") => "image/tiff",
        Some("mov") => "video/quicktime",
        Some("mp3") => "audio/mpeg",
        _ => "video/mp4",
    }
}
