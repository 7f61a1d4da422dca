//! Who asks, and all that they may see.

use async_graphql::{Context, ID, Object};

use super::attention::{self, AttentionItem};
use super::brand::{self, Brand};
use super::connection::{Connection, PageArgs};
use super::failure::Answer;
use super::organization::{Organization, OrganizationKey};
use super::problem::Remedy;
use super::scope::cx;
use super::user::{User, UserKey};
use crate::auth::Actor;

/// Who asks, and all that they may see.
#[derive(Clone, Copy, Debug)]
pub struct Viewer;

/// Who asks, and all that they may see.
#[Object]
impl Viewer {
    /// Null for an API key.
    async fn user(&self, ctx: &Context<'_>) -> Answer<Option<User>> {
        match cx(ctx).asker()?.actor {
            Actor::User { user, .. } => Ok(cx(ctx).loaders.load_one(UserKey(user)).await?),
            Actor::ApiKey { .. } => Ok(None),
        }
    }

    /// The agencies that the asker belongs to.
    async fn organizations(&self, ctx: &Context<'_>) -> Answer<Vec<Organization>> {
        let asker = cx(ctx).asker()?;
        let keys: Vec<_> = asker.organizations.keys().copied().map(OrganizationKey).collect();
        let mut found = cx(ctx).loaders.load_many(keys.iter().copied()).await?;
        Ok(keys.iter().filter_map(|key| found.remove(key)).collect())
    }

    /// By name.
    async fn brands(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Answer<Connection<Brand>> {
        let ids = cx(ctx).asker()?.brands.keys().copied().collect();
        brand::by_name(cx(ctx), ids, &PageArgs::new(first, after, last, before)).await
    }

    /// What waits for a person in all brands, or in the given ones; newest first. A target that waits
    /// only for its account is not listed beside it.
    #[expect(clippy::too_many_arguments, reason = "the contract names each of them")]
    async fn attention(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        brand_ids: Option<Vec<ID>>,
        remedies: Option<Vec<Remedy>>,
    ) -> Answer<Connection<AttentionItem>> {
        attention::list(cx(ctx), &PageArgs::new(first, after, last, before), brand_ids, remedies).await
    }
}

/// What `viewer` answers.
#[derive(Default)]
pub struct ViewerQuery;

#[Object]
impl ViewerQuery {
    /// Null when nobody is signed in.
    async fn viewer(&self, ctx: &Context<'_>) -> Option<Viewer> {
        cx(ctx).asker_if_any().map(|_| Viewer)
    }
}
