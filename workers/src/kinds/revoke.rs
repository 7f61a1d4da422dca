//! Takes an account's tokens back at its network and forgets them here, in this order.

use backplane::store::jobs::{self, Fence};
use backplane::store::{StoreError, Tx, accounts_work, secrets};
use chrono::Duration;
use connectors::ErrorKind;
use domain::problem::Problem;

use super::{Done, Job, JobError};
use crate::accounts;
use crate::context::Context;

/// While a post of the account is undecided its token is still needed to look it up.
const UNDECIDED_RECHECK: Duration = Duration::minutes(10);

pub(super) async fn run(context: &Context, job: &Job) -> Result<Done, JobError> {
    let (brand, account) = (job.claim.brand, job.claim.subject);
    let mut tx = context.begin(brand).await?;
    let facts = accounts_work::revoke_facts(&mut tx, brand, account).await?;
    tx.commit().await?;
    // Connected again meanwhile: the tokens are in use.
    let Some(facts) = facts.filter(|facts| facts.state == "DISCONNECTED") else {
        let (mut tx, fence) = context.fenced(&job.claim).await?;
        jobs::settle(&mut tx, fence).await?;
        tx.commit().await?;
        return Ok(Done::Settled);
    };
    if facts.undecided > 0 {
        let note = format!("{} posts of the account are undecided", facts.undecided);
        return Ok(Done::SnoozeFor { wait: UNDECIDED_RECHECK, note });
    }
    if let Some(opened) = accounts::open_whatever_its_state(context, brand, account).await? {
        match opened.connector.disconnect(&opened.session).await.map_err(|error| error.kind) {
            // A token that is dead already is as good as revoked.
            Ok(())
            | Err(
                ErrorKind::Reauthorize(_)
                | ErrorKind::TokenExpired
                | ErrorKind::Permanent(_)
                | ErrorKind::StepExpired,
            ) => {}
            Err(ErrorKind::Throttled(until)) => {
                return Ok(Done::Snooze { until, note: "the network wants fewer calls".to_owned() });
            }
            Err(ErrorKind::Transient(note)) => return Err(JobError::Retry(note)),
        }
    }
    let (mut tx, fence) = context.fenced(&job.claim).await?;
    secrets::forget_secrets(&mut tx, account).await?;
    jobs::settle(&mut tx, fence).await?;
    tx.commit().await?;
    Ok(Done::Settled)
}

/// The network cannot be told. The tokens are forgotten here all the same: that was asked for.
pub(super) async fn give_up(tx: &mut Tx, fence: &Fence, _problem: &Problem) -> Result<(), StoreError> {
    secrets::forget_secrets(tx, fence.subject()).await
}
