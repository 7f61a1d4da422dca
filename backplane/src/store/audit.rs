//! The record of who did what.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::publishing::{Edge, Window};
use super::{StoreError, Tx};

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

/// The lines of a log that are in a column: a statement for each column, since each has an index of its own.
macro_rules! page_of {
    ($column:tt, $id:ident, $tx:ident, $query:ident, $window:ident) => {
        sqlx::query_as!(
            Edge,
            r#"(select at, id as "id!" from audit_log
                 where not $11 and "# + $column + r#" = $1
                   and (at, id) > ($2, $3::uuid) and (at, id) < (coalesce($4::timestamptz, 'infinity'), $5::uuid)
                   and ($6::timestamptz is null or at >= $6) and ($7::timestamptz is null or at < $7)
                   and ($8::uuid[] is null or actor_id = any($8)) and ($9::text[] is null or subject_id = any($9))
                   and ($10::text[] is null or action = any($10))
                 order by at, id limit $12)
               union all
               (select at, id from audit_log
                 where $11 and "# + $column + r#" = $1
                   and (at, id) > ($2, $3::uuid) and (at, id) < (coalesce($4::timestamptz, 'infinity'), $5::uuid)
                   and ($6::timestamptz is null or at >= $6) and ($7::timestamptz is null or at < $7)
                   and ($8::uuid[] is null or actor_id = any($8)) and ($9::text[] is null or subject_id = any($9))
                   and ($10::text[] is null or action = any($10))
                 order by at desc, id desc limit $12)"#,
            $id,
            $window.from.0,
            $window.from.1,
            $window.until.0,
            $window.until.1,
            $query.from,
            $query.before,
            $query.actors.as_deref() as Option<&[Uuid]>,
            $query.subjects.as_deref() as Option<&[String]>,
            $query.actions.as_deref() as Option<&[String]>,
            $window.descending,
            $window.limit,
        )
        .fetch_all(&mut **$tx)
        .await?
    };
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
    Ok(match of {
        AuditOf::Brand(brand) => page_of!("brand_id", brand, tx, query, window),
        AuditOf::Organization(organization) => {
            page_of!("organization_id", organization, tx, query, window)
        }
    })
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

/// How many lines a log has that are in a column; one that also asked for the other column would read the whole table.
macro_rules! count_of {
    ($column:tt, $id:ident, $tx:ident, $query:ident) => {
        sqlx::query_scalar!(
            r#"select count(*) as "count!" from audit_log
                where "# + $column + r#" = $1
                  and ($2::timestamptz is null or at >= $2) and ($3::timestamptz is null or at < $3)
                  and ($4::uuid[] is null or actor_id = any($4)) and ($5::text[] is null or subject_id = any($5))
                  and ($6::text[] is null or action = any($6))"#,
            $id,
            $query.from,
            $query.before,
            $query.actors.as_deref() as Option<&[Uuid]>,
            $query.subjects.as_deref() as Option<&[String]>,
            $query.actions.as_deref() as Option<&[String]>,
        )
        .fetch_one(&mut **$tx)
        .await?
    };
}

/// How many lines a log has.
///
/// # Errors
/// When the statement fails.
pub async fn count_audit(tx: &mut Tx, of: AuditOf, query: &AuditQuery) -> Result<i64, StoreError> {
    Ok(match of {
        AuditOf::Brand(brand) => count_of!("brand_id", brand, tx, query),
        AuditOf::Organization(organization) => count_of!("organization_id", organization, tx, query),
    })
}
