//! One asset made of several, which stay.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use backplane::store::assets::{self, CarouselItem, NewCarousel};
use domain::id::Noun;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::audit::{self, Entry, Place};
use super::failure::Answer;
use super::id;
use super::idempotency::IdempotencyKey;
use super::media_asset::{AssetKey, MediaAsset};
use super::scope::{Cx, cx};
use super::user_error::{Code, Path, Stop, UserError, change, payloads};
use crate::auth::Right;

/// What any network takes; each has its own limits, which a target is held to.
const ITEMS: std::ops::RangeInclusive<usize> = 2..=35;

/// Assets of one brand, in order.
#[derive(Clone, InputObject, Serialize)]
pub struct CreateCarouselInput {
    /// The brand.
    #[serde(serialize_with = "super::id::as_text")]
    brand_id: ID,
    /// 2 to 35, each once, in order.
    #[serde(serialize_with = "super::id::as_texts")]
    asset_ids: Vec<ID>,
    /// The text it comes with.
    caption: Option<String>,
    /// A repeat with the same key makes no second one.
    #[serde(skip)]
    idempotency_key: Option<String>,
}

/// The carousel.
#[derive(SimpleObject, Default)]
pub struct CreateCarouselPayload {
    /// The carousel.
    asset: Option<MediaAsset>,
    /// Why nothing changed.
    user_errors: Vec<UserError>,
}

payloads!(CreateCarouselPayload);

/// Making carousels.
#[derive(Default)]
pub struct CreateCarouselMutation;

#[Object]
impl CreateCarouselMutation {
    /// Makes one asset of several, which stay.
    async fn create_carousel(
        &self,
        ctx: &Context<'_>,
        input: CreateCarouselInput,
    ) -> Answer<CreateCarouselPayload> {
        change(input, |input| create_carousel(cx(ctx), input)).await
    }
}

async fn create_carousel(cx: &Cx, input: CreateCarouselInput) -> Result<CreateCarouselPayload, Stop> {
    let path = Path::input();
    let brand = cx.brand_in(&input.brand_id, Right::Edit, &path.field("brandId"))?;
    let ids = read_ids(&input.asset_ids, &path.field("assetIds"))?;
    let caption = input.caption.as_deref().map(domain::caption::accept).transpose();
    let caption = caption.map_err(|problem| UserError::invalid(problem.message, &path.field("caption")))?;
    let asker = cx.asker()?;
    let key =
        IdempotencyKey::read(asker.actor.id(), input.idempotency_key.as_deref(), "createCarousel", &input)?;
    let mut tx = cx.write(brand, Right::Edit, &path.field("brandId")).await?;
    if let Some(key) = &key
        && let Some(made) = key.claim::<Uuid>(&mut tx).await?
    {
        // Reading takes a connection of its own: nobody holds two.
        drop(tx);
        return answer(cx, made).await;
    }
    let found = assets::items_for_carousel(&mut tx, brand, &ids).await?;
    let items = in_order(&ids, &found, &path.field("assetIds"))?;
    let hash = content_hash(&items);
    let carousel = NewCarousel {
        id: Uuid::now_v7(),
        caption: caption.as_deref(),
        items: &ids,
        ready: hash.is_some(),
        content_hash: hash.as_deref(),
        thumbnail_key: items.first().and_then(|item| item.thumbnail_key.as_deref()),
        placeholder: items.first().and_then(|item| item.placeholder.as_deref()),
    };
    assets::insert_carousel(&mut tx, brand, &carousel).await?;
    let entry = Entry::new("media_asset.carousel_created", Noun::MediaAsset, carousel.id);
    audit::write(&mut tx, &asker, Place::Brand(brand), &[entry]).await?;
    if let Some(key) = &key {
        key.keep(&mut tx, &carousel.id).await?;
    }
    let made = carousel.id;
    tx.commit().await?;
    cx.system.announce(brand, Noun::MediaAsset, made);
    answer(cx, made).await
}

async fn answer(cx: &Cx, made: Uuid) -> Result<CreateCarouselPayload, Stop> {
    let asset = cx.loaders.load_one(AssetKey(made)).await?;
    Ok(CreateCarouselPayload { asset, user_errors: vec![] })
}

fn read_ids(ids: &[ID], path: &Path) -> Result<Vec<Uuid>, UserError> {
    if !ITEMS.contains(&ids.len()) {
        return Err(UserError::invalid("a carousel has 2 to 35 items", path));
    }
    let mut read: Vec<Uuid> = Vec::with_capacity(ids.len());
    for (index, id) in ids.iter().enumerate() {
        let item = id::parse_input(Noun::MediaAsset, id, &path.index(index))?;
        if read.contains(&item) {
            return Err(UserError::invalid("this item is in it already: name each once", &path.index(index)));
        }
        read.push(item);
    }
    Ok(read)
}

fn in_order<'a>(
    ids: &[Uuid],
    found: &'a [CarouselItem],
    path: &Path,
) -> Result<Vec<&'a CarouselItem>, UserError> {
    ids.iter()
        .enumerate()
        .map(|(index, id)| {
            let at = path.index(index);
            let item =
                found.iter().find(|item| item.id == *id).ok_or_else(|| UserError::not_found("asset", &at))?;
            if item.kind == "CAROUSEL" {
                return Err(UserError::invalid("a carousel cannot hold another one", &at));
            }
            if item.state == "REJECTED" {
                let message = "this asset was rejected: leave it out, or upload it again";
                return Err(UserError::new(Code::UnsupportedMedia, message, &at));
            }
            Ok(item)
        })
        .collect()
}

/// Of all items' hashes in order; `None` while one of them is not known yet.
fn content_hash(items: &[&CarouselItem]) -> Option<Vec<u8>> {
    let mut hash = Sha256::new();
    for item in items {
        hash.update(item.content_hash.as_ref().filter(|_| item.state == "READY")?);
    }
    Some(hash.finalize().to_vec())
}
