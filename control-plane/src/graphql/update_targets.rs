//! Changing what targets post, and when; having their captions written anew.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use backplane::store::Tx;
use backplane::store::publishing::{NewCaption, TargetRow, insert_captions, job_brand};
use chrono::{DateTime, Utc};
use domain::caption;
use domain::profile;
use domain::schedule::post_times;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::audit::Entry;
use super::change_targets::{self, Change, Changed, Locked, Plural, refuse};
use super::failure::Answer;
use super::idempotency::IdempotencyKey;
use super::platform::Framing;
use super::publish_target::{PublishTarget, TargetKey};
use super::scope::{Cx, cx};
use super::user_error::{Path, Stop, UserError, payloads, settle};
use crate::auth::Right;
use crate::publishing::change::{self, Edit, Follow};

/// Longest instruction, in characters.
const INSTRUCTION_MAX: usize = 2_000;

/// What becomes of which targets, 1 to 250.
#[derive(InputObject)]
pub struct UpdatePublishTargetsInput {
    /// One for each target.
    changes: Vec<TargetChangeInput>,
}

/// What is left out stays as it is, and null clears.
#[derive(InputObject)]
pub struct TargetChangeInput {
    /// Which one.
    target_id: ID,
    /// CONFLICT if it is not this any more.
    revision: Option<i32>,
    /// The text, as it is to be sent.
    caption: MaybeUndefined<CaptionInput>,
    /// Null: as the network prefers.
    framing: MaybeUndefined<Framing>,
    /// true: if it is longer than the network takes, its beginning is posted. Null: false.
    trim: MaybeUndefined<bool>,
    /// Null: as soon as it is ready.
    scheduled_at: MaybeUndefined<DateTime<Utc>>,
}

/// A text written by a person.
#[derive(Clone, Debug, Default, InputObject)]
pub struct CaptionInput {
    /// Where the network has one.
    title: Option<String>,
    /// Exactly as it is to be sent.
    text: String,
}

/// The changed targets, and an error for each that could not be.
#[derive(SimpleObject, Default)]
pub struct UpdatePublishTargetsPayload {
    /// As they are now.
    pub targets: Vec<PublishTarget>,
    /// Why some were not changed.
    pub user_errors: Vec<UserError>,
}

/// Whose captions, 1 to 250.
#[derive(InputObject)]
pub struct AdaptCaptionsInput {
    /// Which ones.
    target_ids: Vec<ID>,
    /// What to do differently this time.
    instruction: Option<String>,
    /// Up to 200 characters; a repeat with it writes nothing again.
    idempotency_key: Option<String>,
}

/// The targets whose captions are being written.
#[derive(SimpleObject, Default)]
pub struct AdaptCaptionsPayload {
    /// As they are now.
    pub targets: Vec<PublishTarget>,
    /// Why some were not changed.
    pub user_errors: Vec<UserError>,
}

payloads!(UpdatePublishTargetsPayload, AdaptCaptionsPayload);

/// Changing targets.
#[derive(Default)]
pub struct UpdateTargetsMutation;

#[Object]
impl UpdateTargetsMutation {
    /// Until they are PUBLISHING, and once FAILED.
    async fn update_publish_targets(
        &self,
        ctx: &Context<'_>,
        input: UpdatePublishTargetsInput,
    ) -> Answer<UpdatePublishTargetsPayload> {
        let plural = Plural {
            list: "changes",
            id_field: Some("targetId"),
            right: Right::Edit,
            action: "publish_target.changed",
        };
        let changed = change_targets::each(cx(ctx), plural, &input.changes, &Updating).await;
        settle(
            changed
                .map(|Changed { targets, user_errors }| UpdatePublishTargetsPayload { targets, user_errors }),
        )
    }

    /// Has their captions written anew.
    async fn adapt_captions(
        &self,
        ctx: &Context<'_>,
        input: AdaptCaptionsInput,
    ) -> Answer<AdaptCaptionsPayload> {
        let changed = adapt(cx(ctx), input).await;
        settle(changed.map(|Changed { targets, user_errors }| AdaptCaptionsPayload { targets, user_errors }))
    }
}

struct Updating;

impl Change for Updating {
    type Item = TargetChangeInput;

    fn target<'i>(&self, item: &'i TargetChangeInput) -> &'i ID {
        &item.target_id
    }

    async fn change(&self, item: &TargetChangeInput, locked: Locked<'_>) -> Result<Follow, Stop> {
        let Locked { tx, target, now, path } = locked;
        change::may_change(target, item.revision).map_err(|refusal| refuse(refusal, path))?;
        let mut edit = Edit {
            framing: asked(&item.framing).map(|framing| framing.map(Into::into)),
            trim: asked(&item.trim).map(Option::unwrap_or_default),
            scheduled_at: asked(&item.scheduled_at),
            ..Edit::default()
        };
        if let Some(Some(at)) = edit.scheduled_at {
            let checked = post_times(None, &[Some(at)], chrono_tz::UTC, now);
            checked.map_err(|bad| UserError::invalid(bad.to_string(), &path.field("scheduledAt")))?;
        }
        if let Some(caption) = asked(&item.caption) {
            edit.caption = Some(write_caption(tx, target, caption.unwrap_or_default(), path).await?);
        }
        change::edit(target, item.revision, &edit).map_err(|refusal| refuse(refusal, path))
    }

    fn entry(&self, entry: Entry, before: &TargetRow, after: &TargetRow) -> Entry {
        let time = |row: &TargetRow| row.scheduled_at.map(|at| at.to_rfc3339());
        let caption = |row: &TargetRow| row.caption_id.map(|id| id.simple().to_string());
        let framing = |row: &TargetRow| row.framing.map(|framing| format!("{framing:?}").to_uppercase());
        entry
            .change("scheduledAt", time(before), time(after))
            .change("caption", caption(before), caption(after))
            .change("framing", framing(before), framing(after))
            .change("trim", Some(before.trim.to_string()), Some(after.trim.to_string()))
    }
}

/// What was given for a field: `None` when it was left out.
fn asked<T: Clone>(value: &MaybeUndefined<T>) -> Option<Option<T>> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value.clone())),
    }
}

/// Stores a person's text once its network's validator has passed it.
async fn write_caption(
    tx: &mut Tx,
    target: &TargetRow,
    input: CaptionInput,
    path: &Path,
) -> Result<Uuid, Stop> {
    let path = path.field("caption");
    let invalid = |message: String, field: &str| UserError::invalid(message, &path.field(field));
    let text = caption::accept(&input.text).map_err(|problem| invalid(problem.message, "text"))?;
    let title = input.title.as_deref().map(caption::accept).transpose();
    let title = title.map_err(|problem| invalid(problem.message, "title"))?.filter(|title| !title.is_empty());
    let platform = target.platform;
    let Some(rules) = profile::text_rules(platform) else {
        let message = format!("{} takes no texts in this release.", platform.display_name());
        return Err(invalid(message, "text").into());
    };
    if let Some(title) = &title {
        let Some(max) = rules.title_max else {
            let message = format!("{} has no titles. Leave it out.", platform.display_name());
            return Err(invalid(message, "title").into());
        };
        if rules.unit.count(title) > max {
            return Err(
                invalid(format!("A title has at most {max} characters here. Shorten it."), "title").into()
            );
        }
    }
    let brand = job_brand(tx, target.brand_id).await?;
    let phrases = brand.map(|brand| brand.forbidden_phrases).unwrap_or_default();
    let facts = caption::check(&text, rules, &phrases).map_err(|problem| invalid(problem.message, "text"))?;
    let row = NewCaption {
        id: Uuid::now_v7(),
        platform,
        title,
        text,
        length: i32::try_from(facts.length).unwrap_or(i32::MAX),
        max_length: i32::try_from(facts.max_length).unwrap_or(i32::MAX),
        author: "PERSON",
    };
    insert_captions(tx, target.brand_id, std::slice::from_ref(&row)).await?;
    Ok(row.id)
}

struct Adapting {
    instruction: Option<String>,
}

impl Change for Adapting {
    type Item = ID;

    fn target<'i>(&self, item: &'i ID) -> &'i ID {
        item
    }

    async fn change(&self, _: &ID, locked: Locked<'_>) -> Result<Follow, Stop> {
        let Locked { target, path, .. } = locked;
        change::adapt(target, self.instruction.as_deref()).map_err(|refusal| refuse(refusal, path))
    }
}

/// What a repeat is answered with.
#[derive(Serialize, Deserialize)]
struct Kept {
    targets: Vec<Uuid>,
    user_errors: Vec<UserError>,
}

async fn adapt(cx: &Cx, input: AdaptCaptionsInput) -> Result<Changed, Stop> {
    let instruction = input.instruction.as_deref().map(str::trim).filter(|text| !text.is_empty());
    if instruction.is_some_and(|text| text.chars().count() > INSTRUCTION_MAX || text.contains('\0')) {
        let message = format!("an instruction has at most {INSTRUCTION_MAX} characters");
        return Err(UserError::invalid(message, &Path::input().field("instruction")).into());
    }
    let plural = Plural {
        list: "targetIds",
        id_field: None,
        right: Right::Edit,
        action: "publish_target.caption_asked",
    };
    let asker = cx.asker()?;
    let ids: Vec<&str> = input.target_ids.iter().map(|id| id.as_str()).collect();
    let key = input.idempotency_key.as_deref();
    let key = IdempotencyKey::read(asker.actor.id(), key, "adaptCaptions", &(ids, instruction))?;
    let change = Adapting { instruction: instruction.map(str::to_owned) };
    let Some(key) = key else { return change_targets::each(cx, plural, &input.target_ids, &change).await };
    // The key is held in a transaction of its own while each item is changed in its brand's. Few may
    // hold one connection and ask for another, else all of them could wait for each other.
    let _turn = cx.system.two_connections.acquire().await?;
    let organization = asker.organizations.keys().next().copied().unwrap_or_default();
    let mut tx = cx.organization(organization).await?;
    if let Some(kept) = key.claim::<Kept>(&mut tx).await? {
        drop(tx);
        let mut found = cx.loaders.load_many(kept.targets.iter().copied().map(TargetKey)).await?;
        let targets = kept.targets.iter().filter_map(|id| found.remove(&TargetKey(*id))).collect();
        return Ok(Changed { targets, user_errors: kept.user_errors });
    }
    let changed = change_targets::each(cx, plural, &input.target_ids, &change).await?;
    let targets = changed.targets.iter().map(|target| target.0.id).collect();
    key.keep(&mut tx, &Kept { targets, user_errors: changed.user_errors.clone() }).await?;
    tx.commit().await?;
    Ok(changed)
}
