//! A direct, resumable upload to object storage. Nothing big passes through this server.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, ID, Object, SimpleObject};
use backplane::blobs::UploadedPart;
use backplane::store::assets::{self, UploadRow};
use chrono::{DateTime, Utc};
use domain::id::Noun;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::failure::{Answer, Failure};
use super::id;
use super::loaders::{LoadError, Loaders};
use super::media_asset::{AssetKey, MediaAsset};
use super::scalars::{ByteCount, Url};
use super::scope::{Cx, cx};

/// An address of a part is good for a day: a phone may be off for the night.
const PART_ADDRESS_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// Most parts of one answer.
const PARTS_MAX: i32 = 100;

/// A direct, resumable upload to object storage, kept for seven days after its last part.
#[derive(Clone, Debug)]
pub struct Upload {
    pub row: Arc<UploadRow>,
    /// What storage has, asked for once an object.
    parts: Arc<OnceCell<Vec<UploadedPart>>>,
}

/// `number` counts from 1.
#[derive(Clone, Debug, SimpleObject)]
pub struct UploadPart {
    /// Counts from 1.
    number: i32,
    /// PUT the part's bytes there.
    url: Url,
    /// Until when that works.
    expires_at: DateTime<Utc>,
}

impl Upload {
    /// An upload as it is stored.
    #[must_use]
    pub fn new(row: UploadRow) -> Self {
        Self { row: Arc::new(row), parts: Arc::default() }
    }

    /// The parts that storage has; of a finished upload none are left to ask about.
    async fn parts(&self, cx: &Cx) -> Answer<&[UploadedPart]> {
        let ask = || async {
            match cx.system.blobs.uploaded_parts(&self.row.object_key, &self.row.storage_upload_id).await {
                Err(error) if error.is_not_found() => Ok(Vec::new()),
                answered => answered,
            }
        };
        Ok(self.parts.get_or_try_init(ask).await?)
    }
}

/// A direct, resumable upload to object storage, kept for seven days after its last part.
#[Object]
impl Upload {
    /// Global id.
    pub async fn id(&self) -> ID {
        id::of(Noun::Upload, self.row.id)
    }

    /// What it becomes.
    async fn asset(&self, ctx: &Context<'_>) -> Answer<MediaAsset> {
        cx(ctx).loaders.load_one(AssetKey(self.row.asset_id)).await?.ok_or(Failure::Unauthenticated)
    }

    /// Of every part but the last.
    async fn part_bytes(&self) -> i32 {
        self.row.part_bytes
    }

    /// How many parts there are.
    async fn part_count(&self) -> i32 {
        self.row.part_count
    }

    /// What storage has of it.
    async fn received_bytes(&self, ctx: &Context<'_>) -> Answer<ByteCount> {
        if self.row.completed_at.is_some() {
            return Ok(ByteCount(u64::try_from(self.row.bytes).unwrap_or(0)));
        }
        Ok(ByteCount(self.parts(cx(ctx)).await?.iter().map(|part| part.bytes).sum()))
    }

    /// The first parts that storage has not got, each with a fresh address: PUT its bytes there, without
    /// further headers, as often as needed. Empty: completeUploads.
    async fn missing_parts(&self, ctx: &Context<'_>, first: i32) -> Answer<Vec<UploadPart>> {
        if !(1..=PARTS_MAX).contains(&first) {
            return Err(Failure::bad_request("`first` goes from 1 to 100"));
        }
        if self.row.completed_at.is_some() {
            return Ok(Vec::new());
        }
        let missing = missing(&self.row, self.parts(cx(ctx)).await?);
        let count = usize::try_from(first).unwrap_or(0);
        let expires_at = Utc::now() + PART_ADDRESS_FOR;
        let mut parts = Vec::with_capacity(count.min(missing.len()));
        for number in missing.into_iter().take(count) {
            let blobs = &cx(ctx).system.blobs;
            let (key, upload) = (&self.row.object_key, &self.row.storage_upload_id);
            let url = blobs.part_address(key, upload, number, PART_ADDRESS_FOR).await?;
            parts.push(UploadPart { number, url: Url(url), expires_at });
        }
        Ok(parts)
    }

    /// Until when it can be gone on with.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.row.expires_at
    }
}

/// Which parts storage has not got, or not as long as they have to be.
#[must_use]
pub fn missing(upload: &UploadRow, parts: &[UploadedPart]) -> Vec<i32> {
    let part_bytes = i64::from(upload.part_bytes);
    let size = |number: i32| {
        let before = i64::from(number - 1) * part_bytes;
        u64::try_from((upload.bytes - before).min(part_bytes)).unwrap_or(0)
    };
    let whole: HashSet<i32> =
        parts.iter().filter(|part| part.bytes == size(part.number)).map(|part| part.number).collect();
    (1..=upload.part_count).filter(|number| !whole.contains(number)).collect()
}

/// Loads an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UploadKey(pub Uuid);

impl Loader<UploadKey> for Loaders {
    type Value = Upload;
    type Error = LoadError;

    async fn load(&self, keys: &[UploadKey]) -> Result<HashMap<UploadKey, Upload>, LoadError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows = assets::uploads_by_id(&mut self.read().await?, &ids).await.map_err(Arc::new)?;
        Ok(rows.into_iter().map(|row| (UploadKey(row.id), Upload::new(row))).collect())
    }
}

/// Loads the upload by which an asset comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UploadOfAsset(pub Uuid);

impl Loader<UploadOfAsset> for Loaders {
    type Value = Upload;
    type Error = LoadError;

    async fn load(&self, keys: &[UploadOfAsset]) -> Result<HashMap<UploadOfAsset, Upload>, LoadError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows = assets::uploads_of_assets(&mut self.read().await?, &ids).await.map_err(Arc::new)?;
        Ok(rows.into_iter().map(|row| (UploadOfAsset(row.asset_id), Upload::new(row))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_is_lost_or_short_is_missing() {
        let upload = UploadRow {
            id: Uuid::nil(),
            brand_id: Uuid::nil(),
            asset_id: Uuid::nil(),
            storage_upload_id: String::new(),
            object_key: String::new(),
            bytes: 25,
            part_bytes: 10,
            part_count: 3,
            expires_at: DateTime::UNIX_EPOCH,
            completed_at: None,
        };
        let part = |number, bytes| UploadedPart { number, etag: String::new(), bytes };
        assert_eq!(missing(&upload, &[]), [1, 2, 3]);
        assert_eq!(missing(&upload, &[part(1, 10), part(2, 9), part(3, 5)]), [2]);
        assert_eq!(missing(&upload, &[part(3, 10), part(1, 10), part(2, 10)]), [3]);
        assert!(missing(&upload, &[part(1, 10), part(2, 10), part(3, 5)]).is_empty());
    }
}
