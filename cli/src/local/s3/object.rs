//! The record of an object: what is known about it, and the files that hold its bytes, in order.

use std::{collections::HashMap, time::SystemTime};

use serde::{Deserialize, Serialize};

/// One file of bytes. A part of a multipart upload stays the file it was when the object is completed,
/// so completing 4 GiB moves none of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Blob {
    /// Its name in the folder of blobs.
    pub name: String,
    pub size_bytes: u64,
    /// MD5 of its bytes, 32 hex digits: what S3 calls the ETag of a part.
    pub md5: String,
    pub modified: SystemTime,
}

/// What the client says about an object when it creates it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Headers {
    pub content_type: Option<String>,
    pub content_disposition: Option<String>,
    pub cache_control: Option<String>,
    #[serde(default)]
    pub metadata: HashMap<String, String>,
}

/// An object as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Object {
    pub headers: Headers,
    pub etag: String,
    pub size_bytes: u64,
    pub modified: SystemTime,
    pub blobs: Vec<Blob>,
    /// The multipart upload that made it: completing that one again gives the same answer.
    pub upload_id: Option<String>,
}

impl Object {
    /// An object of one file.
    pub(super) fn single(headers: Headers, blob: Blob) -> Self {
        Self {
            headers,
            etag: blob.md5.clone(),
            size_bytes: blob.size_bytes,
            modified: blob.modified,
            blobs: vec![blob],
            upload_id: None,
        }
    }
}

/// A multipart upload under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Upload {
    pub bucket: String,
    pub key: String,
    pub headers: Headers,
}
