//! What a person changes about a connected account: its settings, its ingest, and its end.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use backplane::job_kind::{JobKind, Lane};
use backplane::store::Tx;
use backplane::store::accounts::{self, AccountRow};
use backplane::store::jobs::{self, NewJob};
use chrono::{DateTime, Utc};
use domain::id::Noun;
use serde_json::Value;
use uuid::Uuid;

use super::audit::{self, Entry, Place};
use super::connect;
use super::failure::Answer;
use super::id;
use super::scope::{Cx, cx};
use super::social_account::{self, AccountKey, SettingSpec, SocialAccount};
use super::user_error::{Path, Stop, UserError, change, payloads};
use crate::auth::Right;

/// Longest free text of a setting, in characters.
const VALUE_MAX: usize = 500;

/// Which account is given back.
#[derive(Clone, InputObject)]
pub struct DisconnectAccountInput {
    /// The account.
    account_id: ID,
}

/// The account as it is now.
#[derive(SimpleObject, Default)]
pub struct DisconnectAccountPayload {
    /// The disconnected account.
    account: Option<SocialAccount>,
    /// Why nothing changed.
    user_errors: Vec<UserError>,
}

/// What is left out stays as it is.
#[derive(Clone, InputObject)]
pub struct UpdateAccountInput {
    /// The account.
    account_id: ID,
    /// true: nothing is sent to it; its targets wait.
    paused: Option<bool>,
    /// Choices by their key.
    settings: Option<Vec<AccountSettingInput>>,
}

/// One choice; null clears it.
#[derive(Clone, InputObject)]
pub struct AccountSettingInput {
    /// Which setting.
    key: String,
    /// The choice; null clears it.
    value: Option<String>,
}

/// The account as it is now.
#[derive(SimpleObject, Default)]
pub struct UpdateAccountPayload {
    /// The changed account.
    account: Option<SocialAccount>,
    /// Why nothing changed.
    user_errors: Vec<UserError>,
}

/// Which account, and how far back.
#[derive(Clone, InputObject)]
pub struct IngestNowInput {
    /// The account.
    account_id: ID,
    /// Every post since then, not only those newer than the newest known.
    since: Option<DateTime<Utc>>,
}

/// The account as it is now.
#[derive(SimpleObject, Default)]
pub struct IngestNowPayload {
    /// The account; `ingest` shows how it goes.
    account: Option<SocialAccount>,
    /// Why nothing changed.
    user_errors: Vec<UserError>,
}

payloads!(DisconnectAccountPayload, UpdateAccountPayload, IngestNowPayload);

/// Changing accounts.
#[derive(Default)]
pub struct ChangeAccountMutation;

#[Object]
impl ChangeAccountMutation {
    /// Cancels its targets that have not left. While others are undecided, their outcome is still looked
    /// up; then the access is given back.
    async fn disconnect_account(
        &self,
        ctx: &Context<'_>,
        input: DisconnectAccountInput,
    ) -> Answer<DisconnectAccountPayload> {
        change(input, |input| disconnect(cx(ctx), input)).await
    }

    /// Pauses an account, or takes choices for it.
    async fn update_account(
        &self,
        ctx: &Context<'_>,
        input: UpdateAccountInput,
    ) -> Answer<UpdateAccountPayload> {
        change(input, |input| update(cx(ctx), input)).await
    }

    /// Pulls new posts of a connected Instagram account now instead of at the next turn;
    /// `SocialAccount.ingest` shows how it goes.
    async fn ingest_now(&self, ctx: &Context<'_>, input: IngestNowInput) -> Answer<IngestNowPayload> {
        change(input, |input| ingest_now(cx(ctx), input)).await
    }
}

/// Opens a transaction in the account's brand with the account locked, and before it what works for it.
async fn locked(cx: &Cx, account: &ID, right: Right, path: &Path) -> Result<(Tx, AccountRow), Stop> {
    let account = id::parse_input(Noun::SocialAccount, account, path)?;
    let found = cx.loaders.load_one(AccountKey(account)).await?;
    let brand = found.ok_or_else(|| UserError::not_found("account", path))?.0.brand_id;
    let mut tx = cx.write(brand, right, path).await?;
    accounts::hold_work(&mut tx, brand, account).await?;
    let row = accounts::lock_account(&mut tx, brand, account).await?;
    Ok((tx, row.ok_or_else(|| UserError::not_found("account", path))?))
}

/// The account as it is after the change.
async fn changed(cx: &Cx, row: &AccountRow) -> Result<Option<SocialAccount>, Stop> {
    cx.system.announce(row.brand_id, Noun::SocialAccount, row.id);
    let mut rows = accounts::accounts_by_id(&mut cx.read().await?, &[row.id]).await?;
    Ok(rows.pop().map(|row| SocialAccount(row.into())))
}

async fn disconnect(cx: &Cx, input: DisconnectAccountInput) -> Result<DisconnectAccountPayload, Stop> {
    let path = Path::input().field("accountId");
    let (mut tx, row) = locked(cx, &input.account_id, Right::Administer, &path).await?;
    if row.state != "DISCONNECTED" {
        let (cancelled, undecided) = accounts::disconnect(&mut tx, row.brand_id, row.id).await?;
        jobs::withdraw(&mut tx, JobKind::Publish, &cancelled).await?;
        jobs::withdraw(&mut tx, JobKind::Ingest, &[row.id]).await?;
        jobs::withdraw(&mut tx, JobKind::Refresh, &[row.id]).await?;
        jobs::enqueue(&mut tx, row.brand_id, &[NewJob::now(JobKind::Revoke, Lane::Now, row.id)]).await?;
        let entry = Entry::new("social_account.disconnected", Noun::SocialAccount, row.id)
            .change("cancelledTargets", None, Some(cancelled.len().to_string()))
            .change("undecidedTargets", None, Some(undecided.to_string()));
        audit::write(&mut tx, &*cx.asker()?, Place::Brand(row.brand_id), &[entry]).await?;
        tx.commit().await?;
        for target in cancelled {
            cx.system.announce(row.brand_id, Noun::PublishTarget, target);
        }
    }
    Ok(DisconnectAccountPayload { account: changed(cx, &row).await?, user_errors: vec![] })
}

async fn update(cx: &Cx, input: UpdateAccountInput) -> Result<UpdateAccountPayload, Stop> {
    let path = Path::input();
    let (mut tx, row) = locked(cx, &input.account_id, Right::Administer, &path.field("accountId")).await?;
    let specs = social_account::specs(&row)?;
    let mut settings = row.settings.clone();
    let mut entry = Entry::new("social_account.updated", Noun::SocialAccount, row.id);
    for (index, choice) in input.settings.unwrap_or_default().into_iter().enumerate() {
        check(&specs, &choice, &path.field("settings").index(index))?;
        let before = settings[&choice.key].as_str().map(str::to_owned);
        entry = entry.change(&choice.key, before, choice.value.clone());
        settings[&choice.key] = choice.value.map_or(Value::Null, Value::String);
    }
    let paused = input.paused.unwrap_or(row.paused);
    entry = entry.change("paused", Some(row.paused.to_string()), Some(paused.to_string()));
    let missing = connect::missing_setting(&specs, &settings);
    accounts::save_settings(&mut tx, row.id, paused, &settings, missing.as_ref()).await?;
    if !paused && missing.is_none() {
        connect::wake(&mut tx, row.brand_id, row.id).await?;
    }
    audit::write(&mut tx, &*cx.asker()?, Place::Brand(row.brand_id), &[entry]).await?;
    tx.commit().await?;
    Ok(UpdateAccountPayload { account: changed(cx, &row).await?, user_errors: vec![] })
}

fn check(specs: &[SettingSpec], choice: &AccountSettingInput, path: &Path) -> Result<(), UserError> {
    let spec = specs.iter().find(|spec| spec.key == choice.key);
    let spec =
        spec.ok_or_else(|| UserError::invalid("this account has no such setting", &path.field("key")))?;
    let Some(value) = &choice.value else { return Ok(()) };
    match &spec.choices {
        Some(choices) if !choices.contains(value) => {
            let message = format!("choose one of {}", choices.join(", "));
            Err(UserError::invalid(message, &path.field("value")))
        }
        None if value.chars().count() > VALUE_MAX || value.contains('\0') => {
            Err(UserError::invalid("a setting has up to 500 characters", &path.field("value")))
        }
        _ => Ok(()),
    }
}

async fn ingest_now(cx: &Cx, input: IngestNowInput) -> Result<IngestNowPayload, Stop> {
    let path = Path::input();
    let at = path.field("accountId");
    // Read and not locked: the worker that runs the job holds the job while it writes the account.
    let account = id::parse_input(Noun::SocialAccount, &input.account_id, &at)?;
    let found = cx.loaders.load_one(AccountKey(account)).await?;
    let row = found.ok_or_else(|| UserError::not_found("account", &at))?.0;
    let mut tx = cx.write(row.brand_id, Right::Edit, &at).await?;
    let connector = connect::connector(cx, row.platform, &at)?;
    if !connector.ingests() {
        return Err(UserError::invalid("posts of this network cannot be pulled", &at).into());
    }
    if row.state != "CONNECTED" {
        return Err(UserError::conflict("the account is not connected: connect it first", &at).into());
    }
    // The job before its cursor, as the worker that runs it locks them.
    enqueue_ingest(cx, &mut tx, row.brand_id, row.id).await?;
    let told = accounts::begin_ingest(&mut tx, row.brand_id, row.id, input.since).await?;
    if !told && input.since.is_some() {
        let message = "posts are being pulled right now: try again when that has ended";
        return Err(UserError::conflict(message, &path.field("since")).into());
    }
    tx.commit().await?;
    Ok(IngestNowPayload { account: changed(cx, &row).await?, user_errors: vec![] })
}

async fn enqueue_ingest(cx: &Cx, tx: &mut Tx, brand: Uuid, account: Uuid) -> Result<(), Stop> {
    let traceparent = cx.envelope.traceparent.clone();
    let job = NewJob { traceparent, ..NewJob::now(JobKind::Ingest, Lane::Now, account) };
    Ok(jobs::enqueue(tx, brand, &[job]).await?)
}
