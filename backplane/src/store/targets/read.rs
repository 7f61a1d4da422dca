//! What decides about waiting targets, read after they are locked.

use std::collections::HashSet;

use domain::platform::Placement;
use domain::preparing::Wish;
use domain::problem::{Problem, Remedy};
use uuid::Uuid;

use crate::store::publishing::stored::{ProblemColumns, framing, overrides, parse, parse_upper};
use crate::store::{StoreError, Tx};

/// A target in DRAFT or PREPARING.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) id: Uuid,
    pub(super) asset: Uuid,
    pub(super) account: Uuid,
    pub(super) wish: Wish,
    /// `DRAFT` or `PREPARING`
    pub(super) state: String,
    pub(super) profile: Option<String>,
    pub(super) content_key: Vec<u8>,
    pub(super) problem: Option<Problem>,
    /// A problem that a caption has, which media do not mend.
    pub(super) problem_of_caption: Option<Problem>,
    pub(super) has_caption: bool,
    pub(super) needs_approval: bool,
    /// As it is, a reviewer has approved it.
    pub(super) approved: bool,
    pub(super) duplicate_allowed: bool,
    /// Due within the hour: its files are made before those of back catalogues.
    pub(super) soon: bool,
}

/// Locks those of `targets` and of the targets of `assets` that wait, in the order of their ids,
/// which is every caller's order, and one by one along the primary key, however many the brand has.
pub(super) async fn lock_waiting(
    tx: &mut Tx,
    brand: Uuid,
    assets: &[Uuid],
    targets: &[Uuid],
) -> Result<Vec<Waiting>, StoreError> {
    let rows = sqlx::query!(
        r#"
        with wanted as (
            select unnest($3::uuid[]) as id
            union
            select waiting.id
              from unnest($2::uuid[]) as source (id)
             cross join lateral (select t.id from publish_targets t
                                  where t.asset_id = source.id and t.state in ('DRAFT', 'PREPARING') offset 0) waiting)
        select t.id, t.asset_id, t.account_id, t.platform, t.placement, t.framing, t.trim, t.state, t.profile, t.content_key,
               t.problem_code, t.problem_message, t.problem_remedy, t.problem_since, t.problem_retry_at, a.max_duration_ms,
               a.tier,
               t.caption_id is not null as "has_caption!", t.duplicate_allowed,
               t.approval_required and t.approved_content_revision is distinct from t.content_revision as "needs_approval!",
               t.approval_required and t.approved_content_revision = t.content_revision as "approved?",
               coalesce(t.scheduled_at < now() + interval '1 hour', true) as "soon!"
          from (select id from wanted order by id) wanted
         cross join lateral (select * from publish_targets t
                              where t.brand_id = $1 and t.id = wanted.id and t.state in ('DRAFT', 'PREPARING')
                              limit 1 for update) t
         cross join lateral (select a.max_duration_ms, a.tier from social_accounts a
                              where a.brand_id = $1 and a.id = t.account_id limit 1) a
         order by wanted.id
        "#,
        brand,
        assets,
        targets,
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|row| {
            let columns = ProblemColumns {
                code: row.problem_code,
                message: row.problem_message,
                remedy: row.problem_remedy,
                since: row.problem_since,
                retry_at: row.problem_retry_at,
            };
            let problem = columns.read()?.map(|row| row.problem);
            Ok(Waiting {
                id: row.id,
                asset: row.asset_id,
                account: row.account_id,
                wish: Wish {
                    platform: parse(&row.platform)?,
                    placement: row.placement.as_deref().map(parse_upper::<Placement>).transpose()?,
                    framing: row.framing.as_deref().map(framing),
                    overrides: overrides(row.max_duration_ms, row.tier.as_deref()),
                    trim: row.trim,
                },
                state: row.state,
                profile: row.profile,
                content_key: row.content_key,
                problem_of_caption: problem.clone().filter(|problem| problem.remedy == Remedy::EditCaption),
                problem,
                has_caption: row.has_caption,
                needs_approval: row.needs_approval,
                approved: row.approved.unwrap_or(false),
                duplicate_allowed: row.duplicate_allowed,
                soon: row.soon,
            })
        })
        .collect()
}

/// Targets in DRAFT or PREPARING on an account.
pub(super) async fn waiting_on_account(
    tx: &mut Tx,
    brand: Uuid,
    account: Uuid,
) -> Result<Vec<Uuid>, StoreError> {
    let ids = sqlx::query_scalar!(
        "select id from publish_targets where brand_id = $1 and account_id = $2 and state in ('DRAFT', 'PREPARING')",
        brand,
        account,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(ids)
}

/// Which of these targets (target, account, content key) would repeat what another target has
/// published, is publishing, or may have published on that account.
pub(super) async fn taken_contents(
    tx: &mut Tx,
    contents: &[(Uuid, Uuid, Vec<u8>)],
) -> Result<HashSet<Uuid>, StoreError> {
    let targets: Vec<Uuid> = contents.iter().map(|(target, _, _)| *target).collect();
    let accounts: Vec<Uuid> = contents.iter().map(|(_, account, _)| *account).collect();
    let keys: Vec<Vec<u8>> = contents.iter().map(|(_, _, key)| key.clone()).collect();
    let taken = sqlx::query_scalar!(
        r#"
        select mine.target_id as "target_id!"
          from unnest($1::uuid[], $2::uuid[], $3::bytea[]) as mine (target_id, account_id, content_key)
         where exists (select from publish_targets other
                        where other.account_id = mine.account_id and other.content_key = mine.content_key
                          and other.id <> mine.target_id and not other.duplicate_allowed
                          and other.state not in ('FAILED', 'CANCELLED'))
        "#,
        &targets,
        &accounts,
        &keys,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(taken.into_iter().collect())
}
