//! What waits for a person, over brands: targets, accounts and assets with a problem, newest first.

use domain::problem::{Problem, Remedy};
use uuid::Uuid;

use super::page::Window;
use super::stored::{ProblemRow, parse};
use crate::store::{StoreError, Tx};

/// What an item is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttentionKind {
    Target,
    Account,
    Asset,
}

/// One item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttentionRow {
    pub kind: AttentionKind,
    /// Of the target, account or asset.
    pub id: Uuid,
    pub brand_id: Uuid,
    pub problem: ProblemRow,
}

/// Which items: of these brands, with one of these remedies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttentionQuery {
    pub brands: Vec<Uuid>,
    /// `None`: every one but [`Remedy::Wait`].
    pub remedies: Option<Vec<Remedy>>,
}

impl AttentionQuery {
    fn remedies(&self) -> Vec<String> {
        let waiting = |remedy: &Remedy| *remedy != Remedy::Wait;
        let remedies = match &self.remedies {
            Some(remedies) => remedies.clone(),
            None => Remedy::ALL.into_iter().filter(waiting).collect(),
        };
        remedies.into_iter().map(|remedy| remedy.as_str().to_owned()).collect()
    }
}

/// One page. Each brand gives at most a page from its indexes; the newest of all are kept.
///
/// # Errors
/// When the statement fails.
pub async fn attention(
    tx: &mut Tx,
    query: &AttentionQuery,
    window: Window,
) -> Result<Vec<AttentionRow>, StoreError> {
    let rows = sqlx::query!(
        r#"
        select kind as "kind!", id as "id!", brand_id as "brand_id!", problem_since as "since!", problem_code as "code!",
               problem_message, problem_remedy as "remedy!", problem_retry_at
          from (
            select found.* from unnest($1::uuid[]) as brand (id) cross join lateral (
              (select item.* from attention_items item
                where $7 and item.brand_id = brand.id and item.problem_remedy = any($2)
                  and (problem_since, item.id) > (coalesce($3::timestamptz, 'infinity'), $4::uuid)
                  and (problem_since, item.id) < (coalesce($5::timestamptz, 'infinity'), $6::uuid)
                  and not (item.problem_remedy = 'reconnect' and exists (
                        select from social_accounts account
                         where account.id = item.account_id and account.problem_code is not null))
                order by problem_since desc, item.id desc limit $8)
              union all
              (select item.* from attention_items item
                where not $7 and item.brand_id = brand.id and item.problem_remedy = any($2)
                  and (problem_since, item.id) > (coalesce($3::timestamptz, 'infinity'), $4::uuid)
                  and (problem_since, item.id) < (coalesce($5::timestamptz, 'infinity'), $6::uuid)
                  and not (item.problem_remedy = 'reconnect' and exists (
                        select from social_accounts account
                         where account.id = item.account_id and account.problem_code is not null))
                order by problem_since, item.id limit $8)) found) everywhere
         order by case when $7 then problem_since end desc, case when $7 then id end desc, problem_since, id
         limit $8
        "#,
        &query.brands,
        &query.remedies(),
        window.from.0,
        window.from.1,
        window.until.0,
        window.until.1,
        window.descending,
        window.limit,
    )
    .fetch_all(&mut **tx)
    .await?;
    let read = rows.into_iter().map(|row| {
        let problem = Problem {
            code: row.code,
            message: row.problem_message.unwrap_or_default(),
            remedy: parse(&row.remedy)?,
        };
        let kind = match row.kind.as_str() {
            "ACCOUNT" => AttentionKind::Account,
            "ASSET" => AttentionKind::Asset,
            _ => AttentionKind::Target,
        };
        let problem = ProblemRow { problem, since: row.since, retry_at: row.problem_retry_at };
        Ok(AttentionRow { kind, id: row.id, brand_id: row.brand_id, problem })
    });
    read.collect()
}

/// How many items there are.
///
/// # Errors
/// When the statement fails.
pub async fn count_attention(tx: &mut Tx, query: &AttentionQuery) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar!(
        r#"
        select count(*) as "count!" from attention_items item
         where item.brand_id = any($1) and item.problem_remedy = any($2)
           and not (item.problem_remedy = 'reconnect' and exists (
                 select from social_accounts account
                  where account.id = item.account_id and account.problem_code is not null))
        "#,
        &query.brands,
        &query.remedies(),
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(count)
}
