//! Answers kept for repeated calls, and the record of who did what.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::publishing::{Edge, Window};
use super::{StoreError, Tx};

/// What claiming an idempotency key found.
#[derive(Clone, Debug, PartialEq)]
pub enum Claimed {
    /// Nobody used it within seven days: do the work, then [`keep_answer`] in this transaction.
    Fresh,
    /// It was used with the same input, and this was the answer.
    Answered(Value),
    /// It was used with another input.
    Mismatch,
}

/// Claims a key of the scope's actor. While another transaction holds it, this waits for its end.
///
/// # Errors
/// When a statement fails.
pub async fn claim_key(
    tx: &mut Tx,
    actor: Uuid,
    key: &str,
    request_hash: &[u8],
) -> Result<Claimed, StoreError> {
    let fresh = sqlx::query_scalar!(
        "insert into idempotency_keys (actor_id, key, request_hash) values ($1, $2, $3)
         on conflict (actor_id, key) do update
            set request_hash = excluded.request_hash, answer = null, created_at = now()
          where idempotency_keys.created_at < now() - interval '7 days'
         returning 1",
        actor,
        key,
        request_hash,
    )
    .fetch_optional(&mut **tx)
    .await?;
    if fresh.is_some() {
        return Ok(Claimed::Fresh);
    }
    let used = sqlx::query!(
        "select request_hash, answer from idempotency_keys where actor_id = $1 and key = $2",
        actor,
        key,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(match used.answer {
        _ if used.request_hash != request_hash => Claimed::Mismatch,
        Some(answer) => Claimed::Answered(answer),
        // A claim is committed together with its answer, so this is a row of nobody.
        None => Claimed::Fresh,
    })
}

/// Keeps the answer of a claimed key for those who ask again.
///
/// # Errors
/// When the statement fails.
pub async fn keep_answer(tx: &mut Tx, actor: Uuid, key: &str, answer: &Value) -> Result<(), StoreError> {
    sqlx::query!(
        "update idempotency_keys set answer = $3 where actor_id = $1 and key = $2",
        actor,
        key,
        answer
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// One line of the audit log.
#[derive(Clone, Debug)]
pub struct AuditRow {
    pub id: Uuid,
    pub organization_id: Uuid,
    pub brand_id: Option<Uuid>,
    pub at: DateTime<Utc>,
    /// USER, API_KEY or SYSTEM
    pub actor_kind: String,
    pub actor_id: Option<Uuid>,
    pub actor_name: String,
    pub action: String,
    /// A global id.
    pub subject_id: String,
    /// `[{"field", "before", "after"}]`
    pub changes: Value,
}

/// Writes lines, in the transaction of what they tell. Their `at` is the transaction's time.
///
/// # Errors
/// When the statement fails.
pub async fn insert_audit(tx: &mut Tx, rows: &[AuditRow]) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let organizations: Vec<Uuid> = rows.iter().map(|row| row.organization_id).collect();
    let brands: Vec<Option<Uuid>> = rows.iter().map(|row| row.brand_id).collect();
    let kinds: Vec<String> = rows.iter().map(|row| row.actor_kind.clone()).collect();
    let actors: Vec<Option<Uuid>> = rows.iter().map(|row| row.actor_id).collect();
    let names: Vec<String> = rows.iter().map(|row| row.actor_name.clone()).collect();
    let actions: Vec<String> = rows.iter().map(|row| row.action.clone()).collect();
    let subjects: Vec<String> = rows.iter().map(|row| row.subject_id.clone()).collect();
    let changes: Vec<Value> = rows.iter().map(|row| row.changes.clone()).collect();
    sqlx::query!(
        "insert into audit_log
                (id, organization_id, brand_id, actor_kind, actor_id, actor_name, action, subject_id, changes)
         select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::text[], $7::text[],
                              $8::text[], $9::jsonb[])",
        &ids,
        &organizations,
        &brands as &[Option<Uuid>],
        &kinds,
        &actors as &[Option<Uuid>],
        &names,
        &actions,
        &subjects,
        &changes,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Which lines; `None` leaves a condition out.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Half open.
    pub from: Option<DateTime<Utc>>,
    pub before: Option<DateTime<Utc>>,
    pub actors: Option<Vec<Uuid>>,
    pub subjects: Option<Vec<String>>,
    pub actions: Option<Vec<String>>,
}

/// Whose log is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditOf {
    Brand(Uuid),
    /// Of the organisation and of all its brands.
    Organization(Uuid),
}

/// The lines of a log, newest first.
///
/// # Errors
/// When the statement fails.
pub async fn audit_page(
    tx: &mut Tx,
    of: AuditOf,
    query: &AuditQuery,
    window: Window,
) -> Result<Vec<Edge>, StoreError> {
    match of {
        AuditOf::Brand(brand) => audit_of_brand(tx, brand, query, window).await,
        AuditOf::Organization(organization) => audit_of_organization(tx, organization, query, window).await,
    }
}

async fn audit_of_brand(
    tx: &mut Tx,
    brand: Uuid,
    query: &AuditQuery,
    window: Window,
) -> Result<Vec<Edge>, StoreError> {
    let rows = sqlx::query_as!(
        Edge,
        r#"
        (select at, id as "id!" from audit_log
          where not $11 and brand_id = $1
            and (at, id) > ($2, $3::uuid) and (at, id) < (coalesce($4::timestamptz, 'infinity'), $5::uuid)
            and ($6::timestamptz is null or at >= $6) and ($7::timestamptz is null or at < $7)
            and ($8::uuid[] is null or actor_id = any($8)) and ($9::text[] is null or subject_id = any($9))
            and ($10::text[] is null or action = any($10))
          order by at, id limit $12)
        union all
        (select at, id from audit_log
          where $11 and brand_id = $1
            and (at, id) > ($2, $3::uuid) and (at, id) < (coalesce($4::timestamptz, 'infinity'), $5::uuid)
            and ($6::timestamptz is null or at >= $6) and ($7::timestamptz is null or at < $7)
            and ($8::uuid[] is null or actor_id = any($8)) and ($9::text[] is null or subject_id = any($9))
            and ($10::text[] is null or action = any($10))
          order by at desc, id desc limit $12)
        "#,
        brand,
        window.from.0,
        window.from.1,
        window.until.0,
        window.until.1,
        query.from,
        query.before,
        query.actors.as_deref() as Option<&[Uuid]>,
        query.subjects.as_deref() as Option<&[String]>,
        query.actions.as_deref() as Option<&[String]>,
        window.descending,
        window.limit,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

async fn audit_of_organization(
    tx: &mut Tx,
    organization: Uuid,
    query: &AuditQuery,
    window: Window,
) -> Result<Vec<Edge>, StoreError> {
    let rows = sqlx::query_as!(
        Edge,
        r#"
        (select at, id as "id!" from audit_log
          where not $11 and organization_id = $1
            and (at, id) > ($2, $3::uuid) and (at, id) < (coalesce($4::timestamptz, 'infinity'), $5::uuid)
            and ($6::timestamptz is null or at >= $6) and ($7::timestamptz is null or at < $7)
            and ($8::uuid[] is null or actor_id = any($8)) and ($9::text[] is null or subject_id = any($9))
            and ($10::text[] is null or action = any($10))
          order by at, id limit $12)
        union all
        (select at, id from audit_log
          where $11 and organization_id = $1
            and (at, id) > ($2, $3::uuid) and (at, id) < (coalesce($4::timestamptz, 'infinity'), $5::uuid)
            and ($6::timestamptz is null or at >= $6) and ($7::timestamptz is null or at < $7)
            and ($8::uuid[] is null or actor_id = any($8)) and ($9::text[] is null or subject_id = any($9))
            and ($10::text[] is null or action = any($10))
          order by at desc, id desc limit $12)
        "#,
        organization,
        window.from.0,
        window.from.1,
        window.until.0,
        window.until.1,
        query.from,
        query.before,
        query.actors.as_deref() as Option<&[Uuid]>,
        query.subjects.as_deref() as Option<&[String]>,
        query.actions.as_deref() as Option<&[String]>,
        window.descending,
        window.limit,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Reads lines by id, in no order.
///
/// # Errors
/// When the statement fails.
pub async fn audit_by_id(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<AuditRow>, StoreError> {
    let rows = sqlx::query_as!(
        AuditRow,
        "select id, organization_id, brand_id, at, actor_kind, actor_id, actor_name, action, subject_id, changes
           from audit_log where id = any($1)",
        ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// How many lines a log has.
///
/// # Errors
/// When the statement fails.
pub async fn count_audit(tx: &mut Tx, of: AuditOf, query: &AuditQuery) -> Result<i64, StoreError> {
    match of {
        AuditOf::Brand(brand) => count_of_brand(tx, brand, query).await,
        AuditOf::Organization(organization) => count_of_organization(tx, organization, query).await,
    }
}

async fn count_of_brand(tx: &mut Tx, brand: Uuid, query: &AuditQuery) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from audit_log
            where brand_id = $1 and ($2::timestamptz is null or at >= $2) and ($3::timestamptz is null or at < $3)
              and ($4::uuid[] is null or actor_id = any($4)) and ($5::text[] is null or subject_id = any($5))
              and ($6::text[] is null or action = any($6))"#,
        brand,
        query.from,
        query.before,
        query.actors.as_deref() as Option<&[Uuid]>,
        query.subjects.as_deref() as Option<&[String]>,
        query.actions.as_deref() as Option<&[String]>,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(count)
}

async fn count_of_organization(
    tx: &mut Tx,
    organization: Uuid,
    query: &AuditQuery,
) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from audit_log
            where organization_id = $1 and ($2::timestamptz is null or at >= $2) and ($3::timestamptz is null or at < $3)
              and ($4::uuid[] is null or actor_id = any($4)) and ($5::text[] is null or subject_id = any($5))
              and ($6::text[] is null or action = any($6))"#,
        organization,
        query.from,
        query.before,
        query.actors.as_deref() as Option<&[Uuid]>,
        query.subjects.as_deref() as Option<&[String]>,
        query.actions.as_deref() as Option<&[String]>,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(count)
}
