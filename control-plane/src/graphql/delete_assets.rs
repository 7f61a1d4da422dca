//! The end of assets.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use backplane::store::assets;
use domain::id::Noun;
use uuid::Uuid;

use super::audit::{self, Entry, Place};
use super::failure::Answer;
use super::id;
use super::media_asset::{AssetKey, MediaAsset};
use super::plural;
use super::scope::{Cx, cx};
use super::user_error::{Path, Stop, UserError};
use crate::auth::Right;

/// Which assets.
#[derive(InputObject)]
pub struct DeleteAssetsInput {
    /// 1 to 250, of several brands if need be.
    asset_ids: Vec<ID>,
}

/// The records that stay.
#[derive(SimpleObject, Default)]
pub struct DeleteAssetsPayload {
    /// The deleted assets, in the order of the input.
    assets: Vec<MediaAsset>,
    /// Why nothing changed.
    user_errors: Vec<UserError>,
}

/// Deleting assets.
#[derive(Default)]
pub struct DeleteAssetsMutation;

#[Object]
impl DeleteAssetsMutation {
    /// Deletes the files, breaks off an upload, and keeps an ingested post from coming back. CONFLICT
    /// while a target or a carousel still needs them.
    async fn delete_assets(
        &self,
        ctx: &Context<'_>,
        input: DeleteAssetsInput,
    ) -> Answer<DeleteAssetsPayload> {
        let cx = cx(ctx);
        let (ids, user_errors) =
            plural::each("assetIds", input.asset_ids, |id, path| delete(cx, id, path)).await?;
        let mut found = cx.loaders.load_many(ids.iter().copied().map(AssetKey)).await?;
        let assets = ids.into_iter().filter_map(|id| found.remove(&AssetKey(id))).collect();
        Ok(DeleteAssetsPayload { assets, user_errors })
    }
}

async fn delete(cx: &Cx, id: ID, path: Path) -> Result<Uuid, Stop> {
    let asset = id::parse_input(Noun::MediaAsset, &id, &path)?;
    let brand = assets::brand_of_assets(&mut cx.read().await?, &[asset]).await?.pop();
    let (_, brand) = brand.ok_or_else(|| UserError::not_found("asset", &path))?;
    let mut tx = cx.write(brand, Right::Edit, &path).await?;
    let found = assets::deletable(&mut tx, brand, asset).await?;
    let found = found.ok_or_else(|| UserError::not_found("asset", &path))?;
    if found.state == "DELETED" {
        return Ok(asset);
    }
    if found.used {
        let message = "a target still needs this asset: cancel the target first";
        return Err(UserError::conflict(message, &path).into());
    }
    if found.in_carousel {
        let message = "a carousel still holds this asset: delete the carousel first";
        return Err(UserError::conflict(message, &path).into());
    }
    if found.is_logo {
        let message = "this asset is the brand's logo: choose another one with updateBrand first";
        return Err(UserError::conflict(message, &path).into());
    }
    let keys = assets::delete_asset(&mut tx, brand, asset).await?;
    let entry = Entry::new("media_asset.deleted", Noun::MediaAsset, asset);
    audit::write(&mut tx, &*cx.asker()?, Place::Brand(brand), &[entry]).await?;
    tx.commit().await?;
    cx.system.announce(brand, Noun::MediaAsset, asset);
    remove_files(cx, &keys, found.upload_key.as_deref().zip(found.upload_id.as_deref())).await;
    Ok(asset)
}

/// The rows are gone already: what cannot be removed now, housekeeping removes within a day.
async fn remove_files(cx: &Cx, keys: &[String], upload: Option<(&str, &str)>) {
    if let Err(error) = cx.system.blobs.delete(keys).await {
        tracing::warn!(%error, "files of a deleted asset are left to housekeeping");
    }
    if let Some((key, upload)) = upload
        && let Err(error) = cx.system.blobs.abort_upload(key, upload).await
    {
        tracing::warn!(%error, "an upload of a deleted asset is left to housekeeping");
    }
}
