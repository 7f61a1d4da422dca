//! Everything known of a target, gathered in one short transaction, in the shapes that the decision
//! and the connector take.

use std::collections::BTreeMap;
use std::time::Duration as StdDuration;

use backplane::blobs::Audience;
use backplane::store::attempts::{AttemptRow, attempts_of};
use backplane::store::publish_work::{self, MediaFile, PublishFacts};
use backplane::store::steps::{StoredStep, steps_of};
use chrono::{DateTime, Duration, Utc};
use connectors::{AccountProfile, Connector, Credentials, Post, PostMedia, Session};
use domain::media_info::MediaInfo;
use domain::platform::{MediaKind, Placement, Platform};
use domain::problem::{Problem, Remedy};
use domain::publishing::{Attempt, AttemptOutcome, Publication, Step, StepPlan};
use uuid::Uuid;

use crate::context::Context;
use crate::kinds::JobError;

/// How long the addresses are good that a network fetches a file from.
const MEDIA_ADDRESS_FOR: StdDuration = StdDuration::from_secs(24 * 60 * 60);

/// A post without a time of its own is not held back longer than this.
const UNSCHEDULED_WAITS: Duration = Duration::days(7);

/// The name of the step that a part is when it is live.
const SENT: &str = "sent";

/// A target, ready to be decided upon.
#[derive(Debug)]
pub(super) struct Work<'a> {
    pub(super) brand: Uuid,
    pub(super) facts: PublishFacts,
    pub(super) connector: &'a dyn Connector,
    pub(super) platform: Platform,
    pub(super) session: Session,
    pub(super) post: Post,
    pub(super) plan: Vec<StepPlan>,
    pub(super) done: Vec<Step>,
    pub(super) begun: Vec<Step>,
    pub(super) attempts: Vec<Attempt>,
    blocked: Option<Problem>,
}

/// Reads a target; `None` when there is nothing to publish (any more).
pub(super) async fn gather<'a>(
    context: &'a Context,
    brand: Uuid,
    target: Uuid,
) -> Result<Option<Work<'a>>, JobError> {
    let mut tx = context.begin(brand).await?;
    let Some(facts) = publish_work::facts(&mut tx, brand, target).await? else { return Ok(None) };
    let media = publish_work::media(&mut tx, brand, target).await?;
    let steps = steps_of(&mut tx, target).await?;
    let attempts = attempts_of(&mut tx, &[target]).await?;
    let platform: Platform = facts.platform.parse().map_err(JobError::broken)?;
    let credentials = context.secrets.open(&mut tx, brand, facts.account_id, platform).await?;
    tx.commit().await?;

    let connector = context.connectors.get(platform).ok_or_else(|| {
        JobError::GiveUp(Problem::new(
            "platform.not_configured",
            "This server has no app of that network.",
            Remedy::None,
        ))
    })?;
    let blocked = blocked(&facts, credentials.is_some());
    let session = session(&facts, credentials);
    let post = post(context, &facts, media).await?;
    let plan = connector.steps(&post, &session);
    let (mut done, begun) = split(steps);
    done.extend(attempts.iter().filter_map(sent));
    let attempts = attempts.into_iter().map(|row| row.attempt).collect();
    Ok(Some(Work { brand, facts, connector, platform, session, post, plan, done, begun, attempts, blocked }))
}

impl Work<'_> {
    /// The view that the decision takes.
    pub(super) fn publication(&self) -> Publication<'_> {
        let facts = &self.facts;
        Publication {
            rules: self.connector.sending_rules(&self.post),
            due: facts.due_at.or(facts.scheduled_at).unwrap_or(facts.now),
            scheduled: true,
            max_lateness: if facts.scheduled_at.is_some() {
                Duration::minutes(facts.max_lateness_minutes.into())
            } else {
                UNSCHEDULED_WAITS
            },
            cancelled: facts.cancelled_at.is_some() || facts.state == "CANCELLED",
            sending: matches!(facts.state.as_str(), "PUBLISHING" | "UNCONFIRMED" | "NEEDS_ATTENTION"),
            blocked: self.blocked.clone(),
            parts: self.connector.parts(&self.post),
            plan: &self.plan,
            steps: &self.done,
            attempts: &self.attempts,
        }
    }

    /// The network made this part.
    pub(super) fn is_created(&self, part: u16) -> bool {
        self.attempts.iter().any(|a| a.part == part && a.outcome == Some(AttemptOutcome::Created))
    }

    /// The post's id, as the network answered when it made it.
    pub(super) fn sent_id(&self) -> Option<&str> {
        let sent = self.done.iter().find(|step| step.part == 0 && step.name == SENT);
        sent.map(|step| step.remote_id.as_str())
    }

    /// How late the post is, zero before its time.
    pub(super) fn lateness(&self) -> Duration {
        let due: DateTime<Utc> = self.facts.due_at.or(self.facts.scheduled_at).unwrap_or(self.facts.now);
        (self.facts.now - due).max(Duration::zero())
    }
}

/// A part that is live, as a step: replies name the id of the post that they reply to.
fn sent(row: &AttemptRow) -> Option<Step> {
    let created = row.attempt.outcome == Some(AttemptOutcome::Created);
    Some(Step {
        part: row.attempt.part,
        name: SENT.to_owned(),
        input_hash: String::new(),
        remote_id: row.remote_id.clone().filter(|_| created)?,
        expires_at: None,
        data: serde_json::Value::Null,
    })
}

fn split(steps: Vec<StoredStep>) -> (Vec<Step>, Vec<Step>) {
    let (done, begun): (Vec<_>, Vec<_>) = steps.into_iter().partition(|stored| stored.done);
    let steps = |stored: Vec<StoredStep>| stored.into_iter().map(|stored| stored.step).collect();
    (steps(done), steps(begun))
}

/// Why nothing may be sent now, if so. A person paused it, or has to do something first.
fn blocked(facts: &PublishFacts, has_credentials: bool) -> Option<Problem> {
    let missing_setting = facts.account_setting_specs.as_array().into_iter().flatten().find(|spec| {
        let chosen = spec["key"].as_str().and_then(|key| facts.account_settings[key].as_str());
        spec["required"].as_bool().unwrap_or(false) && chosen.is_none_or(str::is_empty)
    });
    let problem = |code: &str, message: &str, remedy| Some(Problem::new(code, message, remedy));
    if facts.held {
        problem("installation.held", "Sending is on hold for the whole installation.", Remedy::Wait)
    } else if facts.brand_paused {
        problem("brand.paused", "The brand is paused: nothing is sent until it is resumed.", Remedy::Wait)
    } else if facts.account_state != "CONNECTED" || !has_credentials {
        problem("account.needs_reconnect", "The account has to be connected again.", Remedy::Reconnect)
    } else if facts.account_paused {
        problem("account.paused", "The account is paused: nothing is sent until it is resumed.", Remedy::Wait)
    } else if let Some(spec) = missing_setting {
        let label = spec["label"].as_str().unwrap_or("a setting");
        Some(Problem::new(
            "account.setting_required",
            format!("Choose “{label}” in the account's settings first."),
            Remedy::Reconnect,
        ))
    } else {
        None
    }
}

fn session(facts: &PublishFacts, credentials: Option<Credentials>) -> Session {
    let settings: BTreeMap<String, String> =
        serde_json::from_value(facts.account_settings.clone()).unwrap_or_default();
    Session {
        account_id: facts.account_id,
        profile: AccountProfile {
            external_id: facts.account_external_id.clone(),
            handle: facts.account_handle.clone(),
            avatar_url: None,
        },
        // An account without credentials is blocked, so no call is made with these.
        credentials: credentials.unwrap_or_else(|| Credentials {
            access: String::new().into(),
            refresh: None,
            expires_at: None,
            refresh_expires_at: None,
        }),
        settings,
    }
}

async fn post(context: &Context, facts: &PublishFacts, files: Vec<MediaFile>) -> Result<Post, JobError> {
    let placement: Placement = match &facts.placement {
        Some(name) => name.to_lowercase().parse().map_err(JobError::broken)?,
        None => Placement::Feed,
    };
    let mut media = Vec::with_capacity(files.len());
    for file in files {
        media.push(post_media(context, file).await?);
    }
    Ok(Post {
        target_id: facts.target_id,
        placement,
        kind: facts.asset_kind.to_lowercase().parse::<MediaKind>().map_err(JobError::broken)?,
        title: facts.title.clone(),
        text: facts.text.clone().unwrap_or_default(),
        media,
    })
}

async fn post_media(context: &Context, file: MediaFile) -> Result<PostMedia, JobError> {
    let (Some(key), Some(content_type), Some(info), Some(sha256)) =
        (file.object_key, file.content_type, file.info, file.sha256)
    else {
        return Err(JobError::broken("a target was scheduled before its media was made"));
    };
    let info: MediaInfo = serde_json::from_value(info).map_err(JobError::broken)?;
    let address = |audience| context.blobs.read_address(audience, &key, &content_type, MEDIA_ADDRESS_FOR);
    Ok(PostMedia {
        kind: info.kind,
        public_url: address(Audience::Network).await.map_err(JobError::retry)?,
        read_url: address(Audience::Internal).await.map_err(JobError::retry)?,
        content_type: content_type.clone(),
        bytes: info.bytes,
        width: info.width,
        height: info.height,
        duration_ms: info.duration_ms,
        sha256: hex::encode(sha256),
    })
}
