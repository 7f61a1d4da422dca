//! What people do to several targets at once: each item in its own brand's scope and its own
//! transaction, changed if it can be, with an error at its index if it cannot.

use std::sync::Arc;

use async_graphql::ID;
use backplane::job_kind::JobKind;
use backplane::store::clock;
use backplane::store::jobs;
use backplane::store::publishing::{TargetRow, last_attempt, lock_target};
use backplane::store::{StoreError, Tx};
use chrono::{DateTime, Utc};
use domain::id::Noun;
use uuid::Uuid;

use super::audit::{self, Entry, Place};
use super::id;
use super::publish_target::{PublishTarget, TargetKey};
use super::scope::Cx;
use super::user_error::{Path, Stop, UserError};
use crate::auth::Right;
use crate::publishing::Refusal;
use crate::publishing::change::Follow;
use crate::publishing::follow::{self, Record};

/// What came of the items.
#[derive(Debug, Default)]
pub struct Changed {
    pub targets: Vec<PublishTarget>,
    pub user_errors: Vec<UserError>,
}

/// Which targets, what it takes, and what it is called in the audit log.
#[derive(Clone, Copy, Debug)]
pub struct Plural {
    /// The field of `input` that holds the items.
    pub list: &'static str,
    /// The field of an item that holds the target's id; `None`: the item is the id.
    pub id_field: Option<&'static str>,
    pub right: Right,
    pub action: &'static str,
}

/// One locked target, and what its change may use.
pub struct Locked<'a> {
    pub tx: &'a mut Tx,
    pub target: &'a mut TargetRow,
    /// The database's.
    pub now: DateTime<Utc>,
    /// Of the item in the input.
    pub path: &'a Path,
}

/// The change of one kind of item.
pub trait Change: Sync {
    type Item: Sync;

    /// The target that the item names.
    fn target<'i>(&self, item: &'i Self::Item) -> &'i ID;

    /// Changes the locked target and says what has to follow.
    ///
    /// # Errors
    /// Why the item cannot be: then its transaction is rolled back.
    fn change(
        &self,
        item: &Self::Item,
        locked: Locked<'_>,
    ) -> impl Future<Output = Result<Follow, Stop>> + Send;

    /// What the audit log is told beside the action.
    fn entry(&self, entry: Entry, before: &TargetRow, after: &TargetRow) -> Entry {
        let state = |row: &TargetRow| Some(row.state.as_str().to_owned());
        entry.change("state", state(before), state(after))
    }
}

/// Runs a change over `items`, one after the other.
///
/// # Errors
/// `BAD_REQUEST` unless there are 1 to 250 items; else what is our own fault.
pub async fn each<C: Change>(
    cx: &Cx,
    plural: Plural,
    items: &[C::Item],
    change: &C,
) -> Result<Changed, Stop> {
    cx.asker()?;
    let items = items.iter().collect();
    let run = |item, path: Path| async move { one(cx, plural, change, item, &path).await };
    let (targets, user_errors) = super::plural::each(plural.list, items, run).await?;
    Ok(Changed { targets, user_errors })
}

async fn one<C: Change>(
    cx: &Cx,
    plural: Plural,
    change: &C,
    item: &C::Item,
    path: &Path,
) -> Result<PublishTarget, Stop> {
    let id_path = plural.id_field.map_or_else(|| path.clone(), |field| path.field(field));
    let id = id::parse_input(Noun::PublishTarget, change.target(item), &id_path)?;
    let missing = || UserError::not_found("target", &id_path);
    let seen = cx.loaders.load_one(TargetKey(id)).await?.ok_or_else(missing)?;
    let brand = seen.0.brand_id;
    let asker = cx.allow(brand, plural.right, &id_path)?;
    let mut tx = cx.write(brand, plural.right, &id_path).await?;
    // The jobs that may be writing it now before the target, as they lock it themselves.
    jobs::hold(&mut tx, &[(JobKind::Caption, id), (JobKind::Publish, id)]).await?;
    let before = lock_target(&mut tx, id).await?.ok_or_else(missing)?;
    let now = clock::now(&mut tx).await?;
    let attempt = last_attempt(&mut tx, id).await?;
    let mut target = before.clone();
    let locked = Locked { tx: &mut tx, target: &mut target, now, path };
    let follow = change.change(item, locked).await?;
    if follow == Follow::default() && target == before {
        return Ok(PublishTarget(Arc::new(before)));
    }
    let record = Record {
        person: &asker.name,
        attempt: attempt.as_ref(),
        traceparent: cx.envelope.traceparent.as_deref(),
    };
    follow::save(&mut tx, &target, &follow, record).await.map_err(|error| repeated(error, path))?;
    let entry = change.entry(Entry::new(plural.action, Noun::PublishTarget, id), &before, &target);
    audit::write(&mut tx, &asker, Place::Brand(brand), &[entry]).await?;
    tx.commit().await?;
    announce(cx, brand, target.job_id, id);
    Ok(cx.loaders.load_one(TargetKey(id)).await?.unwrap_or_else(|| PublishTarget(Arc::new(target))))
}

/// Tells whoever watches that a target, and so its job, changed.
fn announce(cx: &Cx, brand: Uuid, job: Uuid, target: Uuid) {
    cx.system.announce(brand, Noun::PublishTarget, target);
    cx.system.announce(brand, Noun::PublishJob, job);
}

/// The guard against posting the same content twice refused the change.
fn repeated(error: StoreError, path: &Path) -> Stop {
    if error.violates("one_content_per_account") {
        let message =
            "another target has put this content on the account, or is about to: cancel that one first";
        return UserError::conflict(message, path).into();
    }
    error.into()
}

/// Shows a refusal at the field that it is about.
#[must_use]
pub fn refuse(refusal: Refusal, path: &Path) -> Stop {
    match refusal {
        Refusal::Conflict(message) => UserError::conflict(message, path).into(),
        Refusal::Invalid { field, message } => UserError::invalid(message, &path.field(field)).into(),
    }
}
