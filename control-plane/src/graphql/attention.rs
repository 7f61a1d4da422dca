//! What waits for a person.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use backplane::store::publishing::{
    AttentionKind, AttentionQuery, AttentionRow, Edge, attention, count_attention,
};
use domain::id::{GlobalId, Noun};
use futures_util::FutureExt as _;
use uuid::Uuid;

use super::brand::{Brand, BrandKey};
use super::connection::{Connection, Order, PageArgs, TimeKey};
use super::failure::{Answer, Failure};
use super::id;
use super::node::{self, Node};
use super::problem::{Problem, Remedy};
use super::scope::{Cx, cx};

/// Something that waits for a person.
#[derive(Clone, Debug)]
pub struct AttentionItem(AttentionRow);

/// Something that waits for a person.
#[Object]
impl AttentionItem {
    /// Whose it is.
    async fn brand(&self, ctx: &Context<'_>) -> Answer<Brand> {
        cx(ctx).loaders.load_one(BrandKey(self.0.brand_id)).await?.ok_or(Failure::Unauthenticated)
    }

    /// A PublishTarget, SocialAccount or MediaAsset.
    async fn subject(&self, ctx: &Context<'_>) -> Answer<Node> {
        let noun = match self.0.kind {
            AttentionKind::Target => Noun::PublishTarget,
            AttentionKind::Account => Noun::SocialAccount,
            AttentionKind::Asset => Noun::MediaAsset,
        };
        node::find(cx(ctx), GlobalId::new(noun, self.0.id)).await?.ok_or(Failure::Unauthenticated)
    }

    /// What holds it up, and what to do.
    async fn problem(&self) -> Problem {
        self.0.problem.clone().into()
    }
}

/// What waits for a person in the asker's brands, or in those given; newest first.
///
/// # Errors
/// `BAD_REQUEST` and `BAD_ID` for wrong arguments.
pub async fn list(
    cx: &Arc<Cx>,
    args: &PageArgs,
    brand_ids: Option<Vec<ID>>,
    remedies: Option<Vec<Remedy>>,
) -> Answer<Connection<AttentionItem>> {
    let page = args.page::<TimeKey>()?;
    let asker = cx.asker()?;
    let mut brands: Vec<Uuid> = match brand_ids {
        Some(ids) => id::parse_all(Noun::Brand, &ids)?,
        None => asker.brands.keys().copied().collect(),
    };
    brands.retain(|brand| asker.brands.contains_key(brand));
    brands.sort_unstable();
    brands.dedup();
    let remedies = remedies.map(|remedies| remedies.into_iter().map(Into::into).collect());
    let query = AttentionQuery { brands, remedies };
    let rows = attention(&mut cx.read().await?, &query, page.window(Order::NewestFirst)).await?;
    let shared = Arc::clone(cx);
    let count = Box::new(move || {
        let (cx, query) = (Arc::clone(&shared), query.clone());
        async move { Ok(count_attention(&mut cx.read().await?, &query).await?) }.boxed()
    });
    Connection::of(
        &page,
        rows,
        |row| TimeKey::from(&Edge { at: Some(row.problem.since), id: row.id }),
        AttentionItem,
        count,
    )
}
