//! Renews an account's tokens. Stored before they are used; the old ones stay until the new ones
//! have worked. Only an answer of the invalid-grant class disconnects anybody.

use backplane::job_kind::{JobKind, Lane};
use backplane::store::accounts_work::Learnt;
use backplane::store::jobs::{self, Fence, NewJob};
use backplane::store::{StoreError, Tx, accounts_work, clock, secrets};
use connectors::{Credentials, Session};
use domain::id::Noun;
use domain::problem::Problem;

use super::{Done, Job, JobError};
use crate::accounts::{self, Opened};
use crate::context::Context;
use crate::failpoint::failpoint;

pub(super) async fn run(context: &Context, job: &Job) -> Result<Done, JobError> {
    let (brand, account) = (job.claim.brand, job.claim.subject);
    let Some(opened) = accounts::open(context, brand, account).await? else {
        // Nothing to renew: connecting again asks for the next refresh.
        let (mut tx, fence) = context.fenced(&job.claim).await?;
        jobs::settle(&mut tx, fence).await?;
        tx.commit().await?;
        return Ok(Done::Settled);
    };
    let fresh = match opened.connector.refresh(&opened.session).await {
        Ok(fresh) => fresh,
        Err(error) => return accounts::call_failed(context, job, account, error.kind).await,
    };
    failpoint("token.refreshed_before_store");
    let stored = context.secrets.rotate(&context.store, brand, account, opened.platform, &fresh);
    job.unfenced(stored).await?;
    confirm(context, job, opened, fresh).await
}

/// Proves that the new token works, forgets the old one, and asks for the next refresh.
async fn confirm(
    context: &Context,
    job: &Job,
    opened: Opened<'_>,
    fresh: Credentials,
) -> Result<Done, JobError> {
    let (brand, account) = (job.claim.brand, job.claim.subject);
    let next = opened.connector.refresh_at(&fresh, opened.facts.now);
    let expires_at = fresh.expires_at;
    let session = Session { credentials: fresh, ..opened.session };
    let learnt = match opened.connector.check(&session).await {
        Ok(checked) => Some(Learnt {
            setting_specs: accounts::specs_as_json(&checked.settings),
            overrides: checked.overrides,
        }),
        Err(error) => {
            tracing::warn!(account_id = %account, %error, "a fresh token was not confirmed yet");
            None
        }
    };
    let (mut tx, fence) = context.fenced(&job.claim).await?;
    let judged = accounts_work::token_accepted(&mut tx, &fence, account, expires_at, learnt.as_ref()).await?;
    if learnt.is_some() {
        secrets::confirm_secrets(&mut tx, account).await?;
    }
    jobs::settle(&mut tx, fence).await?;
    if let Some(next) = next {
        let job = NewJob::now(JobKind::Refresh, Lane::Now, account).at(next);
        jobs::enqueue(&mut tx, brand, &[job]).await?;
    }
    tx.commit().await?;
    context.changed(brand, Noun::SocialAccount, account);
    context.changed_all(brand, Noun::PublishTarget, &judged);
    Ok(Done::Settled)
}

/// The network could not be reached for long: the account says so and stays connected, and the
/// next refresh is tried in an hour.
pub(super) async fn give_up(tx: &mut Tx, fence: &Fence, problem: &Problem) -> Result<(), StoreError> {
    accounts_work::refresh_late(tx, fence, fence.subject(), problem).await?;
    let again = NewJob::now(JobKind::Refresh, Lane::Now, fence.subject())
        .at(clock::now(tx).await? + chrono::Duration::hours(1));
    jobs::enqueue(tx, fence.brand(), &[again]).await
}
