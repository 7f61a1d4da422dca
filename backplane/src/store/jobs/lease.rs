//! Keeping what is held: one statement of a process renews all its leases.

use uuid::Uuid;

use crate::job_kind::JobKind;
use crate::store::{Scope, Store, StoreError};

/// A held job, by the epoch it is held under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Leased {
    pub job: Uuid,
    pub epoch: i64,
}

/// Extends the leases of `mine` by 30 s from now and returns those still held. One that does not
/// come back is fenced: stop its work and kill its child.
///
/// # Errors
/// When the statement fails: nothing is renewed, and leases run out unless it is repeated in time.
pub async fn renew(store: &Store, holder: Uuid, mine: &[Leased]) -> Result<Vec<Uuid>, StoreError> {
    if mine.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = mine.iter().map(|leased| leased.job).collect();
    let epochs: Vec<i64> = mine.iter().map(|leased| leased.epoch).collect();
    let mut tx = store.begin(&Scope::Holder { holder }).await?;
    let held = sqlx::query_scalar!(
        r#"
        with held as (
            select jobs.id from jobs join unnest($1::uuid[], $2::bigint[]) as mine (id, epoch) on mine.id = jobs.id
             where jobs.epoch = mine.epoch and jobs.state = 'running' order by jobs.kind, jobs.subject for update of jobs)
        update jobs set lease_until = now() + interval '30 s' from held where jobs.id = held.id
        returning jobs.id
        "#,
        &ids,
        &epochs,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(held)
}

/// Says which kinds this process takes, with how many slots: the relay's window follows from it.
///
/// # Errors
/// When the statement fails.
pub async fn report_slots(store: &Store, holder: Uuid, slots: &[(JobKind, u32)]) -> Result<(), StoreError> {
    let kinds: Vec<String> = slots.iter().map(|(kind, _)| kind.as_str().to_owned()).collect();
    let counts: Vec<i32> = slots.iter().map(|(_, slots)| i32::try_from(*slots).unwrap_or(i32::MAX)).collect();
    let mut tx = store.begin(&Scope::Holder { holder }).await?;
    sqlx::query!(
        r#"
        insert into workers (id, kind, slots)
        select $1, kind, slots from unnest($2::text[], $3::int[]) as mine (kind, slots)
        on conflict (id, kind) do update set slots = excluded.slots, seen_at = now()
        "#,
        holder,
        &kinds,
        &counts,
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

/// Takes this process out of the count when it drains.
///
/// # Errors
/// When the statement fails; the count then forgets it after 30 s.
pub async fn forget_worker(store: &Store, holder: Uuid) -> Result<(), StoreError> {
    let mut tx = store.begin(&Scope::Holder { holder }).await?;
    sqlx::query!("delete from workers where id = $1", holder).execute(&mut *tx).await?;
    tx.commit().await
}
