//! A video, a photo or a carousel of a brand.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, Enum, ID, InputObject, Object};
use backplane::blobs::Audience;
use backplane::store::assets::{self, AssetQuery, AssetRow};
use chrono::{DateTime, Utc};
use domain::id::Noun;
use domain::platform::UnknownName;
use futures_util::FutureExt as _;
use uuid::Uuid;

use super::brand::{Brand, BrandKey};
use super::connection::{Connection, Order, PageArgs, TimeKey};
use super::failure::{Answer, Failure};
use super::id;
use super::loaders::{LoadError, Loaders};
use super::media_fit::{self, MediaFit};
use super::media_info::MediaInfo;
use super::platform::{MediaKind, Platform, TimeRangeInput};
use super::problem::Problem;
use super::publish_target::{self, PublishTarget};
use super::scalars::Url;
use super::scope::{Cx, cx};
use super::social_account::{AccountKey, SocialAccount};
use super::transcoded_media::{self, TranscodedMedia};
use super::upload::{Upload, UploadOfAsset};

/// Addresses of files are good for at least an hour: a page stays open, too.
const ADDRESS_FOR: Duration = Duration::from_secs(6 * 60 * 60);
/// Words that one search may have.
const WORDS_MAX: usize = 10;

/// Where an asset came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum AssetSource {
    /// Ingested from a connected account.
    Instagram,
    /// Uploaded by a person or a script.
    Upload,
}

/// How far an asset is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum AssetState {
    /// Parts of it are still to come.
    Uploading,
    /// Being downloaded from its network.
    Fetching,
    /// Being looked into.
    Probing,
    /// May be posted.
    Ready,
    /// Cannot be used: `problem` says why.
    Rejected,
    /// The files are gone; the record stays for what was posted from it.
    Deleted,
}

impl AssetSource {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Instagram => "INSTAGRAM",
            Self::Upload => "UPLOAD",
        }
    }
}

impl AssetState {
    const ALL: [Self; 6] =
        [Self::Uploading, Self::Fetching, Self::Probing, Self::Ready, Self::Rejected, Self::Deleted];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Uploading => "UPLOADING",
            Self::Fetching => "FETCHING",
            Self::Probing => "PROBING",
            Self::Ready => "READY",
            Self::Rejected => "REJECTED",
            Self::Deleted => "DELETED",
        }
    }
}

/// Which assets of a brand.
#[derive(Clone, Debug, Default, InputObject)]
pub struct AssetFilter {
    /// Where it came from.
    sources: Option<Vec<AssetSource>>,
    /// What it is.
    kinds: Option<Vec<MediaKind>>,
    /// How far it is.
    states: Option<Vec<AssetState>>,
    /// Ingested from this account.
    account_id: Option<ID>,
    /// Words of the caption or the filename.
    search: Option<String>,
    /// When it was posted at its source, else made here.
    posted: Option<TimeRangeInput>,
    /// false: only assets without a target, cancelled ones not counted (the inbox).
    used: Option<bool>,
    /// Only assets without such a target on any of these accounts.
    unused_on_account_ids: Option<Vec<ID>>,
}

impl AssetFilter {
    fn query(self) -> Answer<AssetQuery> {
        let words = self.search.unwrap_or_default().to_lowercase();
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        if words.len() > WORDS_MAX || words.iter().any(|word| word.contains('\0')) {
            return Err(Failure::bad_request("`search` takes up to 10 words"));
        }
        let names = |kinds: Vec<MediaKind>| {
            kinds
                .into_iter()
                .map(|kind| domain::platform::MediaKind::from(kind).as_str().to_uppercase())
                .collect()
        };
        let posted = self.posted.unwrap_or(TimeRangeInput { from: None, before: None });
        Ok(AssetQuery {
            sources: self.sources.map(|all| all.iter().map(|source| source.as_str().to_owned()).collect()),
            kinds: self.kinds.map(names),
            states: self.states.map(|all| all.iter().map(|state| state.as_str().to_owned()).collect()),
            account: self.account_id.map(|account| id::parse(Noun::SocialAccount, &account)).transpose()?,
            words,
            from: posted.from,
            before: posted.before,
            used: self.used,
            unused_on: self
                .unused_on_account_ids
                .map(|accounts| id::parse_all(Noun::SocialAccount, &accounts))
                .transpose()?,
        })
    }
}

/// A video, a photo or a carousel of a brand.
#[derive(Clone, Debug)]
pub struct MediaAsset(pub Arc<AssetRow>);

/// A video, a photo or a carousel of a brand.
#[Object]
impl MediaAsset {
    /// Global id.
    pub async fn id(&self) -> ID {
        id::of(Noun::MediaAsset, self.0.id)
    }

    /// Whose it is.
    async fn brand(&self, ctx: &Context<'_>) -> Answer<Brand> {
        cx(ctx).loaders.load_one(BrandKey(self.0.brand_id)).await?.ok_or(Failure::Unauthenticated)
    }

    /// Where it came from.
    async fn source(&self) -> AssetSource {
        if self.0.source == "INSTAGRAM" { AssetSource::Instagram } else { AssetSource::Upload }
    }

    /// The account that it was ingested from. What Reelmill itself posted there is not ingested.
    async fn account(&self, ctx: &Context<'_>) -> Answer<Option<SocialAccount>> {
        match self.0.account_id {
            Some(account) => Ok(cx(ctx).loaders.load_one(AccountKey(account)).await?),
            None => Ok(None),
        }
    }

    /// What it is.
    async fn kind(&self) -> Answer<MediaKind> {
        let kind: domain::platform::MediaKind = self.0.kind.to_lowercase().parse()?;
        Ok(kind.into())
    }

    /// How far it is.
    async fn state(&self) -> Answer<AssetState> {
        let state = AssetState::ALL.into_iter().find(|state| state.as_str() == self.0.state);
        Ok(state.ok_or_else(|| UnknownName::new("asset state", &self.0.state))?)
    }

    /// Why it was rejected or is late.
    async fn problem(&self) -> Option<Problem> {
        self.0.problem.clone().map(Problem::from)
    }

    /// As it was called where it came from.
    async fn filename(&self) -> Option<&str> {
        self.0.filename.as_deref()
    }

    /// The text it came with, untouched.
    async fn caption(&self) -> Option<&str> {
        self.0.caption.as_deref()
    }

    /// When it was posted at the network that it came from.
    async fn posted_at(&self) -> Option<DateTime<Utc>> {
        self.0.posted_at
    }

    /// Its id there.
    async fn external_id(&self) -> Option<&str> {
        self.0.external_id.as_deref()
    }

    /// Its address there.
    async fn external_url(&self) -> Option<Url> {
        self.0.external_url.as_deref()?.parse().ok().map(Url)
    }

    /// What the file really is; null until probed. For a carousel, see `items`.
    async fn info(&self) -> Option<MediaInfo> {
        self.0.info.as_ref().map(MediaInfo::from)
    }

    /// Of a carousel, in order.
    async fn items(&self, ctx: &Context<'_>) -> Answer<Vec<MediaAsset>> {
        if self.0.kind != "CAROUSEL" {
            return Ok(Vec::new());
        }
        let loaders = &cx(ctx).loaders;
        let ids = loaders.load_one(ItemsOf(self.0.id)).await?.unwrap_or_default();
        let mut found = loaders.load_many(ids.iter().copied().map(AssetKey)).await?;
        Ok(ids.into_iter().filter_map(|id| found.remove(&AssetKey(id))).collect())
    }

    /// What it would become for each profile of its kind on these networks, or on all: each of its items
    /// for a carousel. Nothing is made. Empty until it is probed.
    async fn fits(&self, ctx: &Context<'_>, platforms: Option<Vec<Platform>>) -> Answer<Vec<MediaFit>> {
        media_fit::of_asset(cx(ctx), self, platforms).await
    }

    /// A small JPEG.
    async fn thumbnail_url(&self, ctx: &Context<'_>) -> Answer<Option<Url>> {
        address(cx(ctx), self.0.thumbnail_key.as_deref(), Some("image/jpeg")).await
    }

    /// A blur of some 25 bytes to show while the thumbnail loads: a ThumbHash (evanw.github.io/thumbhash), in
    /// base64. `null` before the file was looked into. A carousel has its first item's.
    async fn placeholder(&self) -> Option<&str> {
        self.0.placeholder.as_deref()
    }

    /// The file as it came.
    async fn original_url(&self, ctx: &Context<'_>) -> Answer<Option<Url>> {
        address(cx(ctx), self.0.object_key.as_deref(), self.0.content_type.as_deref()).await
    }

    /// While UPLOADING: where to go on.
    async fn upload(&self, ctx: &Context<'_>) -> Answer<Option<Upload>> {
        if self.0.state != "UPLOADING" {
            return Ok(None);
        }
        Ok(cx(ctx).loaders.load_one(UploadOfAsset(self.0.id)).await?)
    }

    /// Where it went and will go, newest first.
    async fn targets(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Answer<Connection<PublishTarget>> {
        publish_target::of_asset(cx(ctx), self.0.id, &PageArgs::new(first, after, last, before)).await
    }

    /// Files made from it.
    async fn transcodes(&self, ctx: &Context<'_>) -> Answer<Vec<TranscodedMedia>> {
        transcoded_media::of_asset(cx(ctx), self.0.id).await
    }

    /// When it was made here.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// Where the asker reads a file; short-lived, and a secret of theirs.
///
/// # Errors
/// When no address can be signed.
pub async fn address(cx: &Cx, key: Option<&str>, content_type: Option<&str>) -> Answer<Option<Url>> {
    let Some(key) = key else { return Ok(None) };
    let content_type = content_type.unwrap_or("application/octet-stream");
    Ok(Some(Url(cx.system.blobs.read_address(Audience::Client, key, content_type, ADDRESS_FOR).await?)))
}

/// A brand's assets, newest first.
///
/// # Errors
/// `BAD_REQUEST` or `BAD_ID` for wrong arguments.
pub async fn of_brand(
    cx: &Arc<Cx>,
    brand: Uuid,
    filter: Option<AssetFilter>,
    args: &PageArgs,
) -> Answer<Connection<MediaAsset>> {
    let page = args.page::<TimeKey>()?;
    let query = filter.unwrap_or_default().query()?;
    let edges =
        assets::assets_of_brand(&mut cx.read().await?, brand, &query, page.window(Order::NewestFirst))
            .await?;
    let mut found = cx.loaders.load_many(edges.iter().map(|edge| AssetKey(edge.id))).await?;
    let rows =
        edges.into_iter().filter_map(|edge| found.remove(&AssetKey(edge.id)).map(|asset| (edge, asset)));
    let counting = Arc::clone(cx);
    let count = Box::new(move || {
        let (cx, query) = (Arc::clone(&counting), query.clone());
        async move { Ok(assets::count_assets(&mut cx.read().await?, brand, &query).await?) }.boxed()
    });
    Connection::of(&page, rows.collect(), |(edge, _)| TimeKey::from(edge), |(_, asset)| asset, count)
}

/// Loads an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AssetKey(pub Uuid);

impl Loader<AssetKey> for Loaders {
    type Value = MediaAsset;
    type Error = LoadError;

    async fn load(&self, keys: &[AssetKey]) -> Result<HashMap<AssetKey, MediaAsset>, LoadError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows = assets::assets_by_id(&mut self.read().await?, &ids).await.map_err(Arc::new)?;
        Ok(rows.into_iter().map(|row| (AssetKey(row.id), MediaAsset(Arc::new(row)))).collect())
    }
}

/// Loads the ids of a carousel's items, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ItemsOf(pub Uuid);

impl Loader<ItemsOf> for Loaders {
    type Value = Vec<Uuid>;
    type Error = LoadError;

    async fn load(&self, keys: &[ItemsOf]) -> Result<HashMap<ItemsOf, Vec<Uuid>>, LoadError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows = assets::items_of_carousels(&mut self.read().await?, &ids).await.map_err(Arc::new)?;
        let mut items: HashMap<ItemsOf, Vec<Uuid>> = HashMap::new();
        for (carousel, item) in rows {
            items.entry(ItemsOf(carousel)).or_default().push(item);
        }
        Ok(items)
    }
}
