//! Accounts as jobs use them: opened with their secrets, and told of when the network refuses them.

use backplane::job_kind::{JobKind, Lane};
use backplane::store::accounts_work::{self, AccountFacts};
use backplane::store::jobs::{self, NewJob};
use chrono::Duration;
use connectors::{AccountProfile, Connector, ErrorKind, Session, SettingSpec};
use domain::id::Noun;
use domain::platform::Platform;
use domain::problem::{Problem, Remedy};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::context::Context;
use crate::kinds::{Done, Job, JobError};

/// A refresh has usually ended by then.
const REFRESH_TIME: Duration = Duration::seconds(10);

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
    let opened = open_whatever_its_state(context, brand, account).await?;
    Ok(opened.filter(|opened| opened.facts.state == "CONNECTED"))
}

/// Opens an account that has tokens, even a disconnected one.
pub(crate) async fn open_whatever_its_state(
    context: &Context,
    brand: Uuid,
    account: Uuid,
) -> Result<Option<Opened<'_>>, JobError> {
    let mut tx = context.begin(brand).await?;
    let Some(facts) = accounts_work::account_facts(&mut tx, brand, account).await? else { return Ok(None) };
    let platform: Platform = facts.platform.parse().map_err(JobError::broken)?;
    let credentials = context.secrets.open(&mut tx, brand, account, platform).await?;
    tx.commit().await?;
    let (Some(connector), Some(credentials)) = (context.connectors.get(platform), credentials) else {
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

/// Settings there are to choose, as stored with the account.
pub(crate) fn specs_as_json(specs: &[SettingSpec]) -> Value {
    let specs = specs.iter().map(|spec| {
        json!({"key": spec.key, "label": spec.label, "required": spec.required, "choices": spec.choices})
    });
    Value::Array(specs.collect())
}

/// The job goes on when the account is connected again.
pub(crate) fn wait_for_reconnect(job: &Job) -> Result<Done, JobError> {
    tracing::debug!(subject = %job.claim.subject, "waits for its account");
    Ok(Done::SnoozeFor { wait: RECONNECT_RECHECK, note: "the account has to be connected again".to_owned() })
}

/// The access token ran out: its refresh runs now, and the job after it.
pub(crate) async fn refresh_first(context: &Context, job: &Job, account: Uuid) -> Result<Done, JobError> {
    let (mut tx, _fence) = context.fenced(&job.claim).await?;
    let refresh = NewJob::now(JobKind::Refresh, Lane::Now, account);
    jobs::enqueue(&mut tx, job.claim.brand, &[refresh]).await?;
    tx.commit().await?;
    Ok(Done::SnoozeFor { wait: REFRESH_TIME, note: "the access token is being refreshed".to_owned() })
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
            context.changed(job.claim.brand, Noun::SocialAccount, account);
            wait_for_reconnect(job)
        }
        ErrorKind::TokenExpired => refresh_first(context, job, account).await,
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
