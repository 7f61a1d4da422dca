//! Writes the text of a target for its network. Whoever writes it, the validator has the last word.

use backplane::store::caption_work::{self, CaptionFacts, NewCaption};
use backplane::store::jobs::{self, Fence};
use backplane::store::{StoreError, Tx, targets};
use domain::author::{BrandVoice, Draft};
use domain::caption::{self, CaptionFacts as Counted};
use domain::id::Noun;
use domain::platform::Platform;
use domain::problem::{Problem, Remedy};
use domain::profile::text_rules;
use uuid::Uuid;

use super::{Done, Job, JobError};
use crate::author::{Assignment, Author, Rules};
use crate::context::Context;

pub(super) async fn run(context: &Context, job: &Job) -> Result<Done, JobError> {
    let (brand, target) = (job.claim.brand, job.claim.subject);
    let mut tx = context.begin(brand).await?;
    let facts = caption_work::caption_facts(&mut tx, brand, target).await?;
    tx.commit().await?;
    let waiting = |facts: &CaptionFacts| {
        facts.caption_id.is_none() && matches!(facts.state.as_str(), "DRAFT" | "PREPARING")
    };
    let written = match &facts {
        Some(facts) if waiting(facts) => Some(write(context, facts).await?),
        _ => None,
    };
    let (mut tx, fence) = context.fenced(&job.claim).await?;
    if let (Some(facts), Some(written)) = (&facts, written) {
        match written {
            Ok((draft, counted, author)) => {
                let caption = NewCaption {
                    id: Uuid::now_v7(),
                    platform: &facts.platform,
                    title: draft.title.as_deref(),
                    text: &draft.text,
                    length: i32::try_from(counted.length).unwrap_or(i32::MAX),
                    max_length: i32::try_from(counted.max_length).unwrap_or(i32::MAX),
                    author,
                };
                caption_work::give_caption(&mut tx, &fence, target, &caption).await?;
            }
            Err(problem) => caption_work::caption_failed(&mut tx, &fence, target, &problem).await?,
        }
    }
    jobs::settle(&mut tx, fence).await?;
    targets::advance_only(&mut tx, brand, &[target]).await?;
    tx.commit().await?;
    context.changed(brand, Noun::PublishTarget, target);
    Ok(Done::Settled)
}

/// Asks the configured author, then the rules, which need nobody. The inner error is for a person.
async fn write(
    context: &Context,
    facts: &CaptionFacts,
) -> Result<Result<(Draft, Counted, &'static str), Problem>, JobError> {
    let platform: Platform = facts.platform.parse().map_err(JobError::broken)?;
    let Some(rules) = text_rules(platform) else {
        return Ok(Err(Problem::new(
            "caption.no_rules",
            "Reelmill does not know this network's rules for text.",
            Remedy::None,
        )));
    };
    let voice = BrandVoice {
        system_prompt: facts.voice_prompt.clone(),
        default_hashtags: facts.voice_hashtags.clone(),
        forbidden_phrases: facts.voice_forbidden.clone(),
        language: facts.voice_language.clone(),
    };
    let assignment =
        Assignment { rules, voice: &voice, original: facts.source_caption.as_deref().unwrap_or_default() };
    let mut refused = None;
    for author in [context.author.as_ref(), &Rules as &dyn Author] {
        let draft = match author.adapt(&assignment).await {
            Ok(draft) => draft,
            Err(problem) => {
                refused = Some(problem);
                continue;
            }
        };
        match caption::check(&draft.text, rules, &voice.forbidden_phrases) {
            Ok(counted) => return Ok(Ok((draft, counted, author.name()))),
            Err(problem) => refused = Some(problem),
        }
    }
    // The loop runs at least once, so the last refusal is there.
    Ok(Err(refused.unwrap_or_else(unwritable)))
}

fn unwritable() -> Problem {
    Problem::new(
        "caption.unwritable",
        "No text could be written for this network. Write it by hand.",
        Remedy::EditCaption,
    )
}

/// No caption could be written for reasons of our own: a person may.
pub(super) async fn give_up(tx: &mut Tx, fence: &Fence, _problem: &Problem) -> Result<(), StoreError> {
    caption_work::caption_failed(tx, fence, fence.subject(), &unwritable()).await?;
    targets::advance_only(tx, fence.brand(), &[fence.subject()]).await?;
    Ok(())
}
