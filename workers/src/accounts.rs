//! Accounts as jobs use them: opened with their secrets, and told of when the network refuses them.

use backplane::store::accounts_work::{self, AccountFacts};
use backplane::store::secrets;
use chrono::Duration;
use connectors::{AccountProfile, Connector, ErrorKind, Session};
use domain::id::Noun;
use domain::platform::Platform;
use domain::problem::{Problem, Remedy};
use uuid::Uuid;

use crate::context::Context;
use crate::kinds::{Done, Job, JobError};

/// A job behind an account that needs a person looks again after this; reconnecting wakes it.
const RECONNECT_RECHECK: Duration = Duration::minutes(30);

/// An account that calls may be made for.
#[derive(Debug)]
pub(crate) struct Opened<'a> {
    pub(crate) facts: AccountFacts,
    pub(crate) platform: Platform,
    pub(crate) connector: &'a dyn Connector,
    pub(crate) session: Session,
}

/// Opens an account; `None` when it needs a person first, or is gone.
pub(crate) async fn open(
    context: &Context,
    brand: Uuid,
    account: Uuid,
) -> Result<Option<Opened<'_>>, JobError> {
    let mut tx = context.begin(brand).await?;
    let facts = accounts_work::account_facts(&mut tx, brand, account).await?;
    let sealed = secrets::sealed(&mut tx, brand, account).await?;
    tx.commit().await?;
    let Some(facts) = facts.filter(|facts| facts.state == "CONNECTED") else { return Ok(None) };
    let platform: Platform = facts.platform.parse().map_err(JobError::broken)?;
    let Some(connector) = context.connectors.get(platform) else { return Ok(None) };
    let Some(credentials) = context.open_credentials(brand, account, platform, &sealed).await? else {
        return Ok(None);
    };
    let session = Session {
        account_id: account,
        profile: AccountProfile {
            external_id: facts.external_id.clone(),
            handle: facts.handle.clone(),
            avatar_url: None,
        },
        credentials,
        settings: serde_json::from_value(facts.settings.clone()).unwrap_or_default(),
    };
    Ok(Some(Opened { facts, platform, connector, session }))
}

/// The job goes on when the account is connected again.
pub(crate) async fn wait_for_reconnect(job: &Job) -> Result<Done, JobError> {
    tracing::debug!(subject = %job.claim.subject, "waits for its account");
    let until = job.claimed_at + RECONNECT_RECHECK;
    Ok(Done::Snooze { until, note: "the account has to be connected again".to_owned() })
}

/// A call for `account` failed outside of sending: what becomes of the job, and of the account.
pub(crate) async fn call_failed(
    context: &Context,
    job: &Job,
    account: Uuid,
    error: ErrorKind,
) -> Result<Done, JobError> {
    match error {
        ErrorKind::Reauthorize(problem) => {
            let (mut tx, fence) = context.fenced(&job.claim).await?;
            accounts_work::needs_reconnect(&mut tx, &fence, account, &problem).await?;
            tx.commit().await?;
            context.changed(job.claim.brand, Noun::SocialAccount, account).await;
            wait_for_reconnect(job).await
        }
        ErrorKind::Throttled(until) => {
            Ok(Done::Snooze { until, note: "the network wants fewer calls".to_owned() })
        }
        ErrorKind::Permanent(problem) => Err(JobError::GiveUp(problem)),
        ErrorKind::StepExpired => Err(JobError::GiveUp(Problem::new(
            "network.gone",
            "The network does not know this any more.",
            Remedy::None,
        ))),
        ErrorKind::Transient(note) => Err(JobError::Retry(note)),
    }
}
