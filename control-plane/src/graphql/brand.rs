//! Tenants: one brand-customer each.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, ID, Object, SimpleObject};
use backplane::store::audit::AuditOf;
use backplane::store::tenants::{self, BrandRow, BrandWindow};
use domain::id::Noun;
use futures_util::FutureExt as _;
use uuid::Uuid;

use super::audit_entry::{self, AuditEntry, AuditFilter};
use super::brand_look::{self, Watermark};
use super::connection::{Connection, PageArgs};
use super::failure::{Answer, Failure};
use super::id;
use super::loaders::{LoadError, Loaders};
use super::media_asset::{self, AssetFilter, MediaAsset};
use super::organization::{Organization, OrganizationKey};
use super::platform::Platform;
use super::publish_job::{self, PublishJob};
use super::publish_target::{self, PublishTarget, TargetFilter};
use super::scope::{Cx, cx};
use super::social_account::{self, SocialAccount};
use crate::auth::{Right, Role};

/// A tenant: one brand-customer. All its data is invisible to every other brand.
#[derive(Clone, Debug)]
pub struct Brand(pub BrandRow);

/// How the brand speaks: the input of caption adaptation.
#[derive(Clone, Debug, SimpleObject)]
pub struct BrandVoice {
    /// What the author of captions is told of the brand.
    pub system_prompt: String,
    /// Put under captions, as far as the network allows.
    pub default_hashtags: Vec<String>,
    /// Never written.
    pub forbidden_phrases: Vec<String>,
    /// The language of captions, as a BCP 47 tag; null: that of the text it came with.
    pub language: Option<String>,
}

/// A tenant: one brand-customer. All its data is invisible to every other brand.
#[Object]
impl Brand {
    /// Global id.
    pub async fn id(&self) -> ID {
        id::of(Noun::Brand, self.0.id)
    }

    /// The agency that it belongs to.
    async fn organization(&self, ctx: &Context<'_>) -> Answer<Organization> {
        let key = OrganizationKey(self.0.organization_id);
        cx(ctx).loaders.load_one(key).await?.ok_or(Failure::Unauthenticated)
    }

    /// What it is called.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// IANA name, e.g. Europe/Kyiv. A change moves nothing that is already scheduled.
    async fn timezone(&self) -> &str {
        &self.0.timezone
    }

    /// How it speaks.
    async fn voice(&self) -> BrandVoice {
        BrandVoice {
            system_prompt: self.0.voice_prompt.clone(),
            default_hashtags: self.0.voice_hashtags.clone(),
            forbidden_phrases: self.0.voice_forbidden.clone(),
            language: self.0.voice_language.clone(),
        }
    }

    /// Of targets submitted from now on.
    async fn approval_required(&self) -> bool {
        self.0.approval_required
    }

    /// true: nothing is sent; what is being sent goes on to its end.
    async fn paused(&self) -> bool {
        self.0.paused
    }

    /// A target that could not be sent for so long after its time is FAILED instead; 360 unless changed.
    async fn max_lateness_minutes(&self) -> i32 {
        self.0.max_lateness_minutes
    }

    /// Of the borders that pictures get for another shape, e.g. `#1a2b3c`. Null: black beside videos, white beside
    /// photos.
    async fn pad_color(&self) -> Option<&str> {
        self.0.pad_color.as_deref()
    }

    /// Drawn over every file that is made from now on.
    async fn watermark(&self) -> Option<Watermark> {
        brand_look::watermark(&self.0)
    }

    /// By handle.
    async fn social_accounts(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        platform: Option<Platform>,
    ) -> Answer<Connection<SocialAccount>> {
        let args = PageArgs::new(first, after, last, before);
        social_account::of_brand(cx(ctx), self.0.id, platform, &args).await
    }

    /// Newest first, by `postedAt`, else `createdAt`. Left out are items that came in a carousel and,
    /// unless asked for, deleted assets.
    async fn assets(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        filter: Option<AssetFilter>,
    ) -> Answer<Connection<MediaAsset>> {
        let args = PageArgs::new(first, after, last, before);
        media_asset::of_brand(cx(ctx), self.0.id, filter, &args).await
    }

    /// Newest first.
    async fn publish_jobs(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Answer<Connection<PublishJob>> {
        publish_job::of_brand(cx(ctx), self.0.id, &PageArgs::new(first, after, last, before)).await
    }

    /// By `publishedAt`, else `scheduledAt`; those without either last.
    async fn publish_targets(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        filter: Option<TargetFilter>,
    ) -> Answer<Connection<PublishTarget>> {
        let args = PageArgs::new(first, after, last, before);
        publish_target::of_brand(cx(ctx), self.0.id, &args, filter).await
    }

    /// Newest first. Null for who is not an admin.
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        filter: Option<AuditFilter>,
    ) -> Answer<Option<Connection<AuditEntry>>> {
        if !cx(ctx).asker()?.may(self.0.id, Right::Administer) {
            return Ok(None);
        }
        let args = PageArgs::new(first, after, last, before);
        Ok(Some(audit_entry::log(cx(ctx), AuditOf::Brand(self.0.id), &args, filter).await?))
    }

    /// What the asker may do here.
    async fn viewer_role(&self, ctx: &Context<'_>) -> Answer<Role> {
        let asker = cx(ctx).asker()?;
        asker.brands.get(&self.0.id).map(|access| access.role).ok_or(Failure::Unauthenticated)
    }
}

/// Some of the asker's brands, by name.
///
/// # Errors
/// `BAD_REQUEST` for wrong arguments of the page.
pub async fn by_name(cx: &Arc<Cx>, among: Vec<Uuid>, args: &PageArgs) -> Answer<Connection<Brand>> {
    let page = args.page::<(String, Uuid)>()?;
    let total = i64::try_from(among.len()).unwrap_or(i64::MAX);
    let window = BrandWindow {
        among,
        after: page.after.clone(),
        before: page.before.clone(),
        limit: page.limit(),
        backward: page.backward,
    };
    let keys = tenants::brands_by_name(&mut cx.read().await?, &window).await?;
    let mut brands = cx.loaders.load_many(keys.iter().map(|(_, id)| BrandKey(*id))).await?;
    let rows = keys.into_iter().filter_map(|key| brands.remove(&BrandKey(key.1)).map(|brand| (key, brand)));
    let count = Box::new(move || async move { Ok(total) }.boxed());
    Connection::of(&page, rows.collect(), |(key, _)| key.clone(), |(_, brand)| brand, count)
}

/// Loads a brand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BrandKey(pub Uuid);

impl Loader<BrandKey> for Loaders {
    type Value = Brand;
    type Error = LoadError;

    async fn load(&self, keys: &[BrandKey]) -> Result<HashMap<BrandKey, Brand>, LoadError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows = tenants::brands_by_id(&mut self.read().await?, &ids).await.map_err(Arc::new)?;
        Ok(rows.into_iter().map(|row| (BrandKey(row.id), Brand(row))).collect())
    }
}
