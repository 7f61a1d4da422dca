//! The S3 operations that Reelmill uses, in terms of the store. All others answer NotImplemented.

use std::sync::Arc;

use async_trait::async_trait;
use s3s::{
    S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result,
    dto::{
        AbortMultipartUploadInput, AbortMultipartUploadOutput, Checksum, CommonPrefix,
        CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CreateBucketInput, CreateBucketOutput,
        CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteObjectInput, DeleteObjectOutput,
        DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETag, ETagCondition, GetObjectInput,
        GetObjectOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput,
        ListObjectsV2Input, ListObjectsV2Output, ListPartsInput, ListPartsOutput, Part, PutObjectInput,
        PutObjectOutput, UploadPartInput, UploadPartOutput,
    },
    s3_error,
};
use tokio::task::spawn_blocking;

use super::{
    body::{self, Expected},
    listing::{Entry, Query},
    object::{Headers, Object, Upload},
    store::{Store, StoreError},
};

/// The most lines of any answer (S3's own page size).
const PAGE_MAX: usize = 1_000;

/// The operations over one store.
#[derive(Debug)]
pub(super) struct Api {
    store: Arc<Store>,
}

impl Api {
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    /// Runs `work`, which may wait for the disk, away from the threads that serve connections.
    async fn run<T, F>(&self, work: F) -> S3Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    {
        let store = Arc::clone(&self.store);
        Ok(spawn_blocking(move || work(&store)).await.map_err(S3Error::internal_error)??)
    }

    async fn object(&self, bucket: String, key: String) -> S3Result<Object> {
        self.run(move |store| store.object(&bucket, &key)).await
    }
}

impl From<StoreError> for S3Error {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::NoSuchBucket => S3ErrorCode::NoSuchBucket,
            StoreError::NoSuchKey => S3ErrorCode::NoSuchKey,
            StoreError::NoSuchUpload => S3ErrorCode::NoSuchUpload,
            StoreError::InvalidPart(_) => S3ErrorCode::InvalidPart,
            StoreError::InvalidPartOrder => S3ErrorCode::InvalidPartOrder,
            StoreError::EntityTooSmall(_) => S3ErrorCode::EntityTooSmall,
            StoreError::AlreadyThere => S3ErrorCode::PreconditionFailed,
            StoreError::KeyTooLong => S3ErrorCode::KeyTooLongError,
            StoreError::Damaged(cause) => {
                tracing::error!(%cause, "a record of the local object store is damaged");
                S3ErrorCode::InternalError
            }
            StoreError::Disk(cause) => {
                tracing::error!(%cause, "the disk of the local object store refused");
                S3ErrorCode::InternalError
            }
        };
        Self::with_message(code, error.to_string())
    }
}

/// `If-None-Match: *` is the only condition on writing that is understood: "only when nothing is there".
fn only_new(condition: Option<&ETagCondition>) -> S3Result<bool> {
    match condition {
        None => Ok(false),
        Some(ETagCondition::Any) => Ok(true),
        Some(ETagCondition::ETag(_)) => Err(s3_error!(NotImplemented, "If-None-Match takes only * here")),
    }
}

fn page_size(asked: Option<i32>) -> usize {
    asked.and_then(|asked| usize::try_from(asked).ok()).unwrap_or(PAGE_MAX).min(PAGE_MAX)
}

fn signed(size: u64) -> Option<i64> {
    i64::try_from(size).ok()
}

/// What a PUT says about its bytes. Two request types have these fields and no trait in common.
macro_rules! expected {
    ($input:ident, $trailers:expr) => {
        Expected {
            content_md5: $input.content_md5,
            content_length: $input.content_length,
            algorithm: $input.checksum_algorithm.map(|algorithm| algorithm.as_str().to_owned()),
            checksum: Checksum {
                checksum_crc32: $input.checksum_crc32,
                checksum_crc32c: $input.checksum_crc32c,
                checksum_crc64nvme: $input.checksum_crc64nvme,
                checksum_sha1: $input.checksum_sha1,
                checksum_sha256: $input.checksum_sha256,
                ..Checksum::default()
            },
            trailers: $trailers,
        }
    };
}

#[async_trait]
impl S3 for Api {
    async fn create_bucket(
        &self,
        req: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        self.run(move |store| store.create_bucket(&req.input.bucket)).await?;
        Ok(S3Response::new(CreateBucketOutput::default()))
    }

    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        self.run(move |store| store.bucket(&req.input.bucket)).await?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn put_object(&self, req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let input = req.input;
        let only_new = only_new(input.if_none_match.as_ref())?;
        let expected = expected!(input, req.trailing_headers);
        let headers = Headers {
            content_type: input.content_type,
            content_disposition: input.content_disposition,
            cache_control: input.cache_control,
            metadata: input.metadata.unwrap_or_default(),
        };
        let bucket = input.bucket.clone();
        self.run(move |store| store.bucket(&bucket)).await?;
        let blob = body::receive(&self.store, input.body, expected).await?;
        let etag = blob.md5.clone();
        self.run(move |store| {
            let object = Object::single(headers, blob);
            store
                .put(&input.bucket, &input.key, &object, only_new)
                .inspect_err(|_| store.remove_blobs(&object.blobs))
        })
        .await?;
        Ok(S3Response::new(PutObjectOutput { e_tag: Some(ETag::Strong(etag)), ..Default::default() }))
    }

    async fn get_object(&self, req: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = req.input;
        let object = self.object(input.bucket, input.key).await?;
        let size = object.size_bytes;
        let range = input.range.map(|range| range.check(size)).transpose()?;
        let content_range =
            range.as_ref().map(|range| format!("bytes {}-{}/{size}", range.start, range.end - 1));
        let range = range.unwrap_or(0..size);
        let length = range.end - range.start;
        Ok(S3Response::new(GetObjectOutput {
            body: Some(body::send(&self.store, &object, range)),
            accept_ranges: Some("bytes".to_owned()),
            content_length: signed(length),
            content_range,
            content_type: input.response_content_type.or(object.headers.content_type),
            content_disposition: input.response_content_disposition.or(object.headers.content_disposition),
            cache_control: input.response_cache_control.or(object.headers.cache_control),
            e_tag: Some(ETag::Strong(object.etag)),
            last_modified: Some(object.modified.into()),
            metadata: Some(object.headers.metadata),
            ..Default::default()
        }))
    }

    async fn head_object(&self, req: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let object = self.object(req.input.bucket, req.input.key).await?;
        Ok(S3Response::new(HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: signed(object.size_bytes),
            content_type: object.headers.content_type,
            content_disposition: object.headers.content_disposition,
            cache_control: object.headers.cache_control,
            e_tag: Some(ETag::Strong(object.etag)),
            last_modified: Some(object.modified.into()),
            metadata: Some(object.headers.metadata),
            ..Default::default()
        }))
    }

    async fn delete_object(
        &self,
        req: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.run(move |store| store.delete(&req.input.bucket, &req.input.key)).await?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(
        &self,
        req: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let input = req.input;
        if input.delete.objects.len() > PAGE_MAX {
            return Err(s3_error!(MalformedXML, "at most {PAGE_MAX} keys can be deleted at once"));
        }
        let quiet = input.delete.quiet.unwrap_or(false);
        let keys: Vec<String> = input.delete.objects.into_iter().map(|object| object.key).collect();
        let keys = self
            .run(move |store| {
                keys.iter().try_for_each(|key| store.delete(&input.bucket, key))?;
                Ok(keys)
            })
            .await?;
        let deleted = keys.into_iter().map(|key| DeletedObject { key: Some(key), ..Default::default() });
        let deleted = (!quiet).then(|| deleted.collect());
        Ok(S3Response::new(DeleteObjectsOutput { deleted, ..Default::default() }))
    }

    async fn list_objects_v2(
        &self,
        req: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = req.input;
        let limit = page_size(input.max_keys);
        let asked = input.clone();
        let page = self
            .run(move |store| {
                store.list(&Query {
                    bucket: &asked.bucket,
                    prefix: asked.prefix.as_deref().unwrap_or(""),
                    delimiter: asked.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty()),
                    after: asked.continuation_token.as_deref().max(asked.start_after.as_deref()),
                    limit,
                })
            })
            .await?;
        let last = page.entries.last().map(|(key, _)| key.clone());
        let count = page.entries.len();
        let (mut contents, mut groups) = (Vec::new(), Vec::new());
        for (key, entry) in page.entries {
            match entry {
                Entry::Group => groups.push(CommonPrefix { prefix: Some(key) }),
                Entry::Object(object) => contents.push(s3s::dto::Object {
                    key: Some(key),
                    size: signed(object.size_bytes),
                    e_tag: Some(ETag::Strong(object.etag)),
                    last_modified: Some(object.modified.into()),
                    ..Default::default()
                }),
            }
        }
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: input.prefix,
            delimiter: input.delimiter,
            continuation_token: input.continuation_token,
            start_after: input.start_after,
            max_keys: i32::try_from(limit).ok(),
            key_count: i32::try_from(count).ok(),
            is_truncated: Some(page.truncated),
            next_continuation_token: last.filter(|_| page.truncated),
            contents: Some(contents),
            common_prefixes: (!groups.is_empty()).then_some(groups),
            ..Default::default()
        }))
    }

    async fn create_multipart_upload(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = req.input;
        let upload = Upload {
            bucket: input.bucket.clone(),
            key: input.key.clone(),
            headers: Headers {
                content_type: input.content_type,
                content_disposition: input.content_disposition,
                cache_control: input.cache_control,
                metadata: input.metadata.unwrap_or_default(),
            },
        };
        let id = self.run(move |store| store.create_upload(&upload)).await?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            ..Default::default()
        }))
    }

    async fn upload_part(&self, req: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        let input = req.input;
        let expected = expected!(input, req.trailing_headers);
        let (id, number) = (input.upload_id, input.part_number);
        let wanted = id.clone();
        self.run(move |store| store.upload(&wanted, &input.bucket, &input.key)).await?;
        let blob = body::receive(&self.store, input.body, expected).await?;
        let etag = blob.md5.clone();
        self.run(move |store| {
            store
                .put_part(&id, number, &blob)
                .inspect_err(|_| store.remove_blobs(std::slice::from_ref(&blob)))
        })
        .await?;
        Ok(S3Response::new(UploadPartOutput { e_tag: Some(ETag::Strong(etag)), ..Default::default() }))
    }

    async fn list_parts(&self, req: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        let input = req.input;
        let (id, bucket, key) = (input.upload_id.clone(), input.bucket.clone(), input.key.clone());
        let mut received = self
            .run(move |store| {
                store.upload(&id, &bucket, &key)?;
                store.parts(&id)
            })
            .await?;
        received.retain(|(number, _)| input.part_number_marker.is_none_or(|marker| *number > marker));
        let limit = page_size(input.max_parts);
        let truncated = received.len() > limit;
        received.truncate(limit);
        let next = received.last().map(|(number, _)| *number).filter(|_| truncated);
        let parts = received.into_iter().map(|(number, blob)| Part {
            part_number: Some(number),
            size: signed(blob.size_bytes),
            e_tag: Some(ETag::Strong(blob.md5)),
            last_modified: Some(blob.modified.into()),
            ..Default::default()
        });
        Ok(S3Response::new(ListPartsOutput {
            parts: Some(parts.collect()),
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            part_number_marker: input.part_number_marker,
            next_part_number_marker: next,
            max_parts: i32::try_from(limit).ok(),
            is_truncated: Some(truncated),
            ..Default::default()
        }))
    }

    async fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = req.input;
        let only_new = only_new(input.if_none_match.as_ref())?;
        let mut wanted = Vec::new();
        for part in input.multipart_upload.and_then(|list| list.parts).unwrap_or_default() {
            let (Some(number), Some(etag)) = (part.part_number, part.e_tag) else {
                return Err(s3_error!(MalformedXML, "every part needs its number and its ETag"));
            };
            wanted.push((number, etag.into_value()));
        }
        let (bucket, key) = (input.bucket.clone(), input.key.clone());
        let object = self
            .run(move |store| store.complete((&bucket, &key), &input.upload_id, &wanted, only_new))
            .await?;
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(ETag::Strong(object.etag)),
            ..Default::default()
        }))
    }

    async fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let input = req.input;
        self.run(move |store| store.abort(&input.bucket, &input.key, &input.upload_id)).await?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}
