//! Bytes in and bytes out: checked while they come, streamed while they go, never held in memory.

use std::{
    io::{Seek as _, SeekFrom},
    ops::Range,
    path::PathBuf,
    sync::Arc,
    time::SystemTime,
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use s3s::{
    S3Error, S3Result, TrailingHeaders,
    checksum::ChecksumHasher,
    crypto::{Checksum as _, Md5},
    dto::{Checksum, StreamingBlob},
    s3_error,
};
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    task::spawn_blocking,
};
use tokio_util::io::ReaderStream;

use super::{
    object::{Blob, Object},
    store::Store,
};

/// The most that one PUT may bring (Amazon S3 User Guide, "Uploading objects", 2026-11).
const PUT_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;
/// How much is read from disk at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// What the client said its bytes would be.
#[derive(Debug, Default)]
pub(super) struct Expected {
    /// Base64 of the MD5.
    pub content_md5: Option<String>,
    pub content_length: Option<i64>,
    /// The algorithm whose value comes after the bytes.
    pub algorithm: Option<String>,
    /// The values that came before them.
    pub checksum: Checksum,
    pub trailers: Option<TrailingHeaders>,
}

/// Writes `body` to a new blob and compares it with what was expected; a difference leaves nothing behind.
pub(super) async fn receive(
    store: &Arc<Store>,
    body: Option<StreamingBlob>,
    expected: Expected,
) -> S3Result<Blob> {
    let (name, path) = store.new_blob_name();
    let guard = Unfinished(Some(path.clone()));
    let mut hasher = hasher_for(&expected)?;
    let mut md5 = Md5::new();
    let mut size_bytes = 0_u64;
    let mut file = File::create_new(&path).await.map_err(disk)?;
    let mut body = body;
    while let Some(body) = body.as_mut()
        && let Some(chunk) = body.next().await
    {
        let chunk = chunk.map_err(|error| S3Error::with_source(s3s::S3ErrorCode::IncompleteBody, error))?;
        size_bytes += chunk.len() as u64;
        if size_bytes > PUT_BYTES_MAX {
            return Err(s3_error!(EntityTooLarge));
        }
        md5.update(&chunk);
        hasher.update(&chunk);
        file.write_all(&chunk).await.map_err(disk)?;
    }
    file.flush().await.map_err(disk)?;
    file.sync_data().await.map_err(disk)?;
    let md5 = md5.finalize();
    compare(expected, size_bytes, &md5, hasher)?;
    guard.finished();
    Ok(Blob { name, size_bytes, md5: hex::encode(md5), modified: SystemTime::now() })
}

/// The bytes `range` of `object`, file after file.
pub(super) fn send(store: &Arc<Store>, object: &Object, range: Range<u64>) -> StreamingBlob {
    let mut start = 0_u64;
    let mut pieces = Vec::new();
    for blob in &object.blobs {
        let end = start + blob.size_bytes;
        let (from, to) = (range.start.max(start), range.end.min(end));
        if from < to {
            pieces.push((store.blob_path(&blob.name), from - start, to - from));
        }
        start = end;
    }
    StreamingBlob::wrap(stream_of(pieces))
}

fn stream_of(pieces: Vec<(PathBuf, u64, u64)>) -> impl Stream<Item = std::io::Result<Bytes>> + Send + Sync {
    futures_util::stream::iter(pieces)
        .then(|(path, offset, length)| {
            spawn_blocking(move || {
                let mut file = std::fs::File::open(path)?;
                file.seek(SeekFrom::Start(offset))?;
                Ok::<_, std::io::Error>((file, length))
            })
        })
        .map(|opened| opened.map_err(std::io::Error::other).flatten())
        .map_ok(|(file, length)| ReaderStream::with_capacity(File::from_std(file).take(length), CHUNK_BYTES))
        .try_flatten()
}

fn disk(error: std::io::Error) -> S3Error {
    tracing::error!(%error, "the disk of the local object store refused");
    S3Error::internal_error(error)
}

fn hasher_for(expected: &Expected) -> S3Result<ChecksumHasher> {
    let mut hasher = ChecksumHasher::default();
    let named = |name: &str| expected.algorithm.as_deref() == Some(name);
    let known = &expected.checksum;
    if let Some(name) = &expected.algorithm
        && !["CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME"].contains(&name.as_str())
    {
        return Err(s3_error!(NotImplemented, "checksum algorithm {name} is not known here"));
    }
    hasher.crc32 = (named("CRC32") || known.checksum_crc32.is_some()).then(Default::default);
    hasher.crc32c = (named("CRC32C") || known.checksum_crc32c.is_some()).then(Default::default);
    hasher.sha1 = (named("SHA1") || known.checksum_sha1.is_some()).then(Default::default);
    hasher.sha256 = (named("SHA256") || known.checksum_sha256.is_some()).then(Default::default);
    hasher.crc64nvme = (named("CRC64NVME") || known.checksum_crc64nvme.is_some()).then(Default::default);
    Ok(hasher)
}

fn compare(expected: Expected, size_bytes: u64, md5: &[u8], hasher: ChecksumHasher) -> S3Result<()> {
    if expected.content_length.is_some_and(|length| u64::try_from(length) != Ok(size_bytes)) {
        return Err(s3_error!(IncompleteBody));
    }
    if let Some(declared) = &expected.content_md5
        && base64::Engine::decode(&base64::engine::general_purpose::STANDARD, declared).as_deref() != Ok(md5)
    {
        return Err(s3_error!(BadDigest, "Content-MD5 differs from the bytes received"));
    }
    let trailers = expected.trailers.and_then(|trailers| trailers.take());
    let trailing = |name: &str| {
        trailers
            .as_ref()
            .and_then(|headers| headers.get(name))
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let found = hasher.finalize();
    let declared = expected.checksum;
    for (name, declared, found) in [
        ("x-amz-checksum-crc32", declared.checksum_crc32, found.checksum_crc32),
        ("x-amz-checksum-crc32c", declared.checksum_crc32c, found.checksum_crc32c),
        ("x-amz-checksum-sha1", declared.checksum_sha1, found.checksum_sha1),
        ("x-amz-checksum-sha256", declared.checksum_sha256, found.checksum_sha256),
        ("x-amz-checksum-crc64nvme", declared.checksum_crc64nvme, found.checksum_crc64nvme),
    ] {
        if let Some(declared) = declared.or_else(|| trailing(name))
            && found.as_ref() != Some(&declared)
        {
            return Err(s3_error!(BadDigest, "{name} differs from the bytes received"));
        }
    }
    Ok(())
}

/// Removes a half-received file when its request ends early, by an error or by the client going away.
struct Unfinished(Option<PathBuf>);

impl Unfinished {
    fn finished(mut self) {
        self.0 = None;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            let _ = std::fs::remove_file(path);
        }
    }
}
