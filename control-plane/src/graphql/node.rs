//! Any object by its global id.

use async_graphql::{Context, ID, Interface, Object};
use domain::id::{GlobalId, Noun};
use futures_util::future::try_join_all;

use super::api_key::{ApiKey, ApiKeyKey};
use super::audit_entry::{AuditEntry, AuditEntryKey};
use super::brand::{Brand, BrandKey};
use super::caption::{AdaptedCaption, CaptionKey};
use super::failure::{Answer, Failure};
use super::media_asset::{AssetKey, MediaAsset};
use super::membership::{Membership, MembershipKey};
use super::organization::{Organization, OrganizationKey};
use super::publish_job::{JobKey, PublishJob};
use super::publish_target::{PublishTarget, TargetKey};
use super::scope::{Cx, cx};
use super::social_account::{AccountKey, SocialAccount};
use super::transcoded_media::{TranscodedKey, TranscodedMedia};
use super::upload::{Upload, UploadKey};
use super::user::{User, UserKey};

/// Most ids of one `nodes`.
const NODES_MAX: usize = 100;

/// Whatever has a global id.
#[derive(Clone, Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Global id."))]
pub enum Node {
    Organization(Organization),
    User(User),
    Brand(Brand),
    MediaAsset(MediaAsset),
    Upload(Upload),
    TranscodedMedia(TranscodedMedia),
    AdaptedCaption(AdaptedCaption),
    PublishJob(PublishJob),
    PublishTarget(PublishTarget),
    SocialAccount(SocialAccount),
    Membership(Membership),
    ApiKey(ApiKey),
    AuditEntry(AuditEntry),
}

/// Objects by their ids.
#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// Null for what does not exist or is not the asker's.
    async fn node(&self, ctx: &Context<'_>, id: ID) -> Answer<Option<Node>> {
        find(cx(ctx), parse(&id)?).await
    }

    /// In the order asked for, up to 100.
    async fn nodes(&self, ctx: &Context<'_>, ids: Vec<ID>) -> Answer<Vec<Option<Node>>> {
        if ids.len() > NODES_MAX {
            return Err(Failure::bad_request("`nodes` takes up to 100 ids: ask for fewer at once"));
        }
        let ids: Vec<GlobalId> = ids.iter().map(parse).collect::<Answer<_>>()?;
        try_join_all(ids.into_iter().map(|id| find(cx(ctx), id))).await
    }

    /// Null for what does not exist or is not the asker's.
    async fn brand(&self, ctx: &Context<'_>, id: ID) -> Answer<Option<Brand>> {
        cx(ctx).asker()?;
        let id = super::id::parse(Noun::Brand, &id)?;
        Ok(cx(ctx).loaders.load_one(BrandKey(id)).await?)
    }
}

fn parse(id: &ID) -> Answer<GlobalId> {
    GlobalId::parse(id).map_err(|error| Failure::BadId(error.to_string()))
}

/// One `match`: every noun that has global ids is in it.
///
/// # Errors
/// `UNAUTHENTICATED`, or when Postgres cannot be asked.
pub async fn find(cx: &Cx, id: GlobalId) -> Answer<Option<Node>> {
    cx.asker()?;
    let (loaders, uuid) = (&cx.loaders, id.uuid);
    Ok(match id.noun {
        Noun::Organization => loaders.load_one(OrganizationKey(uuid)).await?.map(Node::Organization),
        Noun::User => loaders.load_one(UserKey(uuid)).await?.map(Node::User),
        Noun::Brand => loaders.load_one(BrandKey(uuid)).await?.map(Node::Brand),
        Noun::MediaAsset => loaders.load_one(AssetKey(uuid)).await?.map(Node::MediaAsset),
        Noun::SocialAccount => loaders.load_one(AccountKey(uuid)).await?.map(Node::SocialAccount),
        Noun::Upload => loaders.load_one(UploadKey(uuid)).await?.map(Node::Upload),
        Noun::TranscodedMedia => loaders.load_one(TranscodedKey(uuid)).await?.map(Node::TranscodedMedia),
        Noun::AdaptedCaption => loaders.load_one(CaptionKey(uuid)).await?.map(Node::AdaptedCaption),
        Noun::PublishJob => loaders.load_one(JobKey(uuid)).await?.map(Node::PublishJob),
        Noun::PublishTarget => loaders.load_one(TargetKey(uuid)).await?.map(Node::PublishTarget),
        Noun::Membership => loaders.load_one(MembershipKey(uuid)).await?.map(Node::Membership),
        Noun::ApiKey => loaders.load_one(ApiKeyKey(uuid)).await?.map(Node::ApiKey),
        Noun::AuditEntry => loaders.load_one(AuditEntryKey(uuid)).await?.map(Node::AuditEntry),
    })
}
