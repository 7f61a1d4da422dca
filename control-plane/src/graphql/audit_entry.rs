//! Reading the audit log.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use backplane::store::audit::{self, AuditOf, AuditQuery, AuditRow};
use chrono::{DateTime, Utc};
use domain::id::{GlobalId, Noun};
use serde::Deserialize;
use uuid::Uuid;

use super::brand::{Brand, BrandKey};
use super::connection::{Connection, Order, PageArgs, TimeKey};
use super::failure::{Answer, Failure};
use super::id;
use super::loaders::{LoadError, Loaders};
use super::node::{self, Node};
use super::platform::TimeRangeInput;
use super::scope::{Cx, cx};
use crate::auth::Right;

/// Most values of one condition.
const VALUES_MAX: usize = 100;

/// Which lines of the log.
#[derive(InputObject, Default)]
pub struct AuditFilter {
    /// When it happened.
    during: Option<TimeRangeInput>,
    /// Users or API keys.
    actor_ids: Option<Vec<ID>>,
    /// What it happened to.
    subject_ids: Option<Vec<ID>>,
    /// What happened, e.g. publish_target.approved.
    actions: Option<Vec<String>>,
}

/// What somebody did.
#[derive(Clone, Debug)]
pub struct AuditEntry(pub AuditRow);

/// One changed field. Never holds a secret.
#[derive(Clone, Debug, SimpleObject, Deserialize)]
pub struct AuditChange {
    /// The field.
    field: String,
    /// What it was.
    before: Option<String>,
    /// What it is.
    after: Option<String>,
}

/// What somebody did.
#[Object]
impl AuditEntry {
    /// Global id.
    pub async fn id(&self) -> ID {
        id::of(Noun::AuditEntry, self.0.id)
    }

    /// When.
    async fn at(&self) -> DateTime<Utc> {
        self.0.at
    }

    /// Null for what concerns the organisation.
    async fn brand(&self, ctx: &Context<'_>) -> Answer<Option<Brand>> {
        match self.0.brand_id {
            Some(brand) => Ok(cx(ctx).loaders.load_one(BrandKey(brand)).await?),
            None => Ok(None),
        }
    }

    /// A User or ApiKey; null for Reelmill itself.
    async fn actor(&self, ctx: &Context<'_>) -> Answer<Option<Node>> {
        let noun = if self.0.actor_kind == "API_KEY" { Noun::ApiKey } else { Noun::User };
        match self.0.actor_id {
            Some(actor) => node::find(cx(ctx), GlobalId::new(noun, actor)).await,
            None => Ok(None),
        }
    }

    /// As it was then.
    async fn actor_name(&self) -> &str {
        &self.0.actor_name
    }

    /// Stable and open-ended, e.g. publish_target.approved.
    async fn action(&self) -> &str {
        &self.0.action
    }

    /// What it happened to.
    async fn subject_id(&self) -> ID {
        ID(self.0.subject_id.clone())
    }

    /// Null when it is gone.
    async fn subject(&self, ctx: &Context<'_>) -> Answer<Option<Node>> {
        match GlobalId::parse(&self.0.subject_id) {
            Ok(subject) => node::find(cx(ctx), subject).await,
            Err(_) => Ok(None),
        }
    }

    /// What changed.
    async fn changes(&self) -> Vec<AuditChange> {
        serde_json::from_value(self.0.changes.clone()).unwrap_or_default()
    }
}

/// Loads a line that the asker may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AuditEntryKey(pub Uuid);

impl Loader<AuditEntryKey> for Loaders {
    type Value = AuditEntry;
    type Error = LoadError;

    async fn load(&self, keys: &[AuditEntryKey]) -> Result<HashMap<AuditEntryKey, AuditEntry>, LoadError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let Some(asker) = self.asker() else { return Ok(HashMap::new()) };
        let mut rows = audit::audit_by_id(&mut self.read().await?, &ids).await.map_err(Arc::new)?;
        rows.retain(|row| row.brand_id.is_some_and(|brand| asker.may(brand, Right::Administer)));
        for organization in self.administered() {
            if asker.may_everywhere(organization, Right::Administer) {
                let mut tx = self.organization(organization).await?;
                rows.extend(audit::audit_by_id(&mut tx, &ids).await.map_err(Arc::new)?);
            }
        }
        Ok(rows.into_iter().map(|row| (AuditEntryKey(row.id), AuditEntry(row))).collect())
    }
}

/// A log, newest first. Check first what the asker may read.
///
/// # Errors
/// `BAD_REQUEST` or `BAD_ID` for wrong arguments.
pub async fn log(
    cx: &Arc<Cx>,
    of: AuditOf,
    args: &PageArgs,
    filter: Option<AuditFilter>,
) -> Answer<Connection<AuditEntry>> {
    let page = args.page::<TimeKey>()?;
    let query = read_filter(filter.unwrap_or_default())?;
    let window = page.window(Order::NewestFirst);
    let mut tx = match of {
        AuditOf::Brand(_) => cx.read().await?,
        AuditOf::Organization(organization) => cx.organization(organization).await?,
    };
    let edges = audit::audit_page(&mut tx, of, &query, window).await?;
    let ids: Vec<Uuid> = edges.iter().map(|edge| edge.id).collect();
    let rows = audit::audit_by_id(&mut tx, &ids).await?;
    drop(tx);
    let mut rows: HashMap<Uuid, AuditRow> = rows.into_iter().map(|row| (row.id, row)).collect();
    let rows = edges.iter().filter_map(|edge| rows.remove(&edge.id).map(|row| (*edge, row))).collect();
    let cx = Arc::clone(cx);
    let count = Box::new(move || -> futures_util::future::BoxFuture<'static, Answer<i64>> {
        let (cx, query) = (Arc::clone(&cx), query.clone());
        Box::pin(async move {
            let mut tx = match of {
                AuditOf::Brand(_) => cx.read().await?,
                AuditOf::Organization(organization) => cx.organization(organization).await?,
            };
            Ok(audit::count_audit(&mut tx, of, &query).await?)
        })
    });
    Connection::of(&page, rows, |(edge, _)| TimeKey::from(edge), |(_, row)| AuditEntry(row), count)
}

fn read_filter(filter: AuditFilter) -> Answer<AuditQuery> {
    let lengths = [
        filter.actor_ids.as_ref().map_or(0, Vec::len),
        filter.subject_ids.as_ref().map_or(0, Vec::len),
        filter.actions.as_ref().map_or(0, Vec::len),
    ];
    if lengths.into_iter().any(|length| length > VALUES_MAX) {
        return Err(Failure::bad_request("a filter takes up to 100 values of a kind"));
    }
    let parse = |id: &ID| GlobalId::parse(id).map_err(|error| Failure::BadId(error.to_string()));
    let actors = filter.actor_ids.map(|ids| ids.iter().map(parse).collect::<Answer<Vec<_>>>()).transpose()?;
    if let Some(actors) = &actors
        && !actors.iter().all(|actor| matches!(actor.noun, Noun::User | Noun::ApiKey))
    {
        return Err(Failure::BadId("`actorIds` takes ids of users and API keys".to_owned()));
    }
    let subjects =
        filter.subject_ids.map(|ids| ids.iter().map(parse).collect::<Answer<Vec<_>>>()).transpose()?;
    let (from, before) = filter.during.map_or((None, None), |range| (range.from, range.before));
    Ok(AuditQuery {
        from,
        before,
        actors: actors.map(|ids| ids.into_iter().map(|id| id.uuid).collect()),
        subjects: subjects.map(|ids| ids.into_iter().map(|id| id.to_string()).collect()),
        actions: filter.actions,
    })
}
