//! What the caption job reads and writes.

use domain::problem::Problem;
use uuid::Uuid;

use super::jobs::Fence;
use super::{StoreError, Tx};

/// What a caption is written from.
#[derive(Clone, Debug)]
pub struct CaptionFacts {
    pub platform: String,
    pub state: String,
    pub caption_id: Option<Uuid>,
    pub source_caption: Option<String>,
    pub instruction: Option<String>,
    pub voice_prompt: String,
    pub voice_hashtags: Vec<String>,
    pub voice_forbidden: Vec<String>,
    pub voice_language: Option<String>,
    pub asset_id: Uuid,
    pub asset_kind: String,
}

/// Reads a target for its caption; `None` when it is gone.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn caption_facts(
    tx: &mut Tx,
    brand: Uuid,
    target: Uuid,
) -> Result<Option<CaptionFacts>, StoreError> {
    let facts = sqlx::query_as!(
        CaptionFacts,
        r#"
        select t.platform, t.state, t.caption_id, coalesce(t.source_caption, a.caption) as source_caption,
               t.caption_instruction as instruction, b.voice_prompt, b.voice_hashtags, b.voice_forbidden, b.voice_language,
               t.asset_id, a.kind as asset_kind
          from publish_targets t
          join brands b on b.id = t.brand_id
          join media_assets a on a.brand_id = t.brand_id and a.id = t.asset_id
         where t.brand_id = $1 and t.id = $2
        "#,
        brand,
        target,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(facts)
}

/// A written caption, ready to be stored.
#[derive(Clone, Debug)]
pub struct NewCaption<'a> {
    pub id: Uuid,
    pub platform: &'a str,
    pub title: Option<&'a str>,
    pub text: &'a str,
    pub length: i32,
    pub max_length: i32,
    /// `RULES` or `MODEL`.
    pub author: &'a str,
}

/// Stores a caption and gives it to the target that waits for one. A target that a person wrote
/// for meanwhile keeps the person's.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn give_caption(
    tx: &mut Tx,
    fence: &Fence,
    target: Uuid,
    caption: &NewCaption<'_>,
) -> Result<(), StoreError> {
    let brand = fence.brand();
    sqlx::query!(
        r#"
        with waiting as (
            select id from publish_targets
             where brand_id = $1 and id = $2 and caption_id is null
               and state in ('DRAFT', 'PREPARING') for update),
        written as (
            insert into adapted_captions (id, brand_id, platform, title, text, length, max_length, author)
            select $3, $1, $4, $5, $6, $7, $8, $9 from waiting returning id)
        update publish_targets t
           set caption_id = written.id, caption_instruction = null, revision = revision + 1,
               content_revision = content_revision + 1,
               problem_code = case when problem_remedy = 'edit_caption' then null else problem_code end,
               problem_message = case when problem_remedy = 'edit_caption' then null else problem_message end,
               problem_since = case when problem_remedy = 'edit_caption' then null else problem_since end,
               problem_remedy = case when problem_remedy = 'edit_caption' then null else problem_remedy end,
               updated_at = now()
          from written
         where t.brand_id = $1 and t.id = $2
        "#,
        brand,
        target,
        caption.id,
        caption.platform,
        caption.title,
        caption.text,
        caption.length,
        caption.max_length,
        caption.author,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// No author could write this caption: a person has to. A draft keeps the problem; a submitted
/// target fails with it, so that nothing waits behind a job that has ended.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn caption_failed(
    tx: &mut Tx,
    fence: &Fence,
    target: Uuid,
    problem: &Problem,
) -> Result<(), StoreError> {
    let brand = fence.brand();
    sqlx::query!(
        r#"
        update publish_targets
           set problem_code = $3, problem_message = $4, problem_remedy = $5, problem_since = now(), updated_at = now(),
               state = case when state = 'PREPARING' then 'FAILED' else state end
         where brand_id = $1 and id = $2 and state in ('DRAFT', 'PREPARING') and caption_id is null
        "#,
        brand,
        target,
        problem.code,
        problem.message,
        problem.remedy.as_str(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
