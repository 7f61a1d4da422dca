//! Which jobs to ring for next: a small window ahead, fairly by brand.

use std::collections::HashMap;

use uuid::Uuid;

use super::Doorbell;
use crate::job_kind::{JobKind, Lane};
use crate::store::{Scope, Store, StoreError};

/// Brands that one pass visits. A brand whose jobs are all in the future costs one index probe.
const BRANDS_A_PASS: i32 = 500;

/// Where the walk over the brands of one queue stands, and how much it may ring.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    pub kind: JobKind,
    pub lane: Lane,
    /// Doorbells that the queue may hold unclaimed.
    pub window: i64,
    /// Live slots of the kind, over all workers.
    pub slots: i64,
    /// The last brand visited; nil to start from the first.
    pub cursor: Uuid,
}

/// What a pass marked as rung, and how to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    pub bells: Vec<(Doorbell, Option<String>)>,
    pub cursor: Uuid,
    /// Brands remain that this pass did not see: go on at once, without a pause.
    pub more: bool,
}

/// Marks the next due jobs of one queue as rung, up to its window, and commits. Ring for them
/// afterwards; those that could not be rung go to [`unring`].
///
/// # Errors
/// When the statement fails: nothing was marked.
pub async fn pick(store: &Store, pass: &Pass) -> Result<Pick, StoreError> {
    let per_brand = (pass.window / 8).max(4);
    // Of a long kind one brand holds at most half of the slots while others wait.
    let running_max = pass.kind.handling().long.then(|| (pass.slots / 2).max(1));
    let mut tx = store.begin(&Scope::Relay).await?;
    let rows = sqlx::query!(
        r#"
        with recursive
        room as (
          select greatest($3 - count(*), 0) as n
            from (select 1 from jobs
                   where kind = $1 and lane = $2 and state = 'ready' and rung_at is not null limit $3) rung),
        turn (brand_id, n) as (
          (select brand_id, 1 from jobs
            where kind = $1 and lane = $2 and state = 'ready' and rung_at is null and brand_id > $5
            order by brand_id limit 1)
          union all
          select (select j.brand_id from jobs j
                   where j.kind = $1 and j.lane = $2 and j.state = 'ready' and j.rung_at is null
                     and j.brand_id > turn.brand_id
                   order by j.brand_id limit 1), turn.n + 1
            from turn where turn.brand_id is not null and turn.n < $6),
        contended as (
          select $7::bigint is not null and count(*) > 1 as yes
            from (select 1 from turn
                   where $7::bigint is not null
                     and exists (select 1 from jobs j
                                  where j.kind = $1 and j.lane = $2 and j.state = 'ready' and j.rung_at is null
                                    and j.brand_id = turn.brand_id and j.run_at <= now())
                   limit 2) due),
        picked as (
          select j.id
            from turn cross join lateral (
              select id from jobs j
               where j.kind = $1 and j.lane = $2 and j.state = 'ready' and j.rung_at is null
                 and j.brand_id = turn.brand_id and j.run_at <= now()
               order by j.run_at, j.id
               limit greatest(0,
                 case when (select yes from contended)
                      then least($4, $7 - (select count(*) from jobs r
                                            where r.kind = $1 and r.brand_id = turn.brand_id and r.state = 'running'))
                      else $4 end
                 - (select count(*) from jobs r
                     where r.kind = $1 and r.lane = $2 and r.brand_id = turn.brand_id
                       and r.state = 'ready' and r.rung_at is not null))
               for update skip locked) j
           where turn.brand_id is not null
           limit (select n from room)),
        rung as (
          update jobs set rung_at = now() from picked where jobs.id = picked.id
          returning jobs.id, jobs.brand_id, jobs.traceparent)
        select last.brand_id as "visited_to!", last.n as "visited!", (select n from room) as "room!",
               rung.id as "id?", rung.brand_id as "brand_id?", rung.traceparent as "traceparent?"
          from (select brand_id, n from turn where brand_id is not null order by n desc limit 1) last
          left join rung on true
        "#,
        pass.kind.as_str(),
        pass.lane.number(),
        pass.window,
        per_brand,
        pass.cursor,
        BRANDS_A_PASS,
        running_max,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;

    let Some(first) = rows.first() else {
        return Ok(Pick { bells: Vec::new(), cursor: Uuid::nil(), more: !pass.cursor.is_nil() });
    };
    let (visited_to, visited, room) = (first.visited_to, first.visited, first.room);
    let bells: Vec<_> = rows
        .into_iter()
        .filter_map(|row| Some((Doorbell { job: row.id?, brand: row.brand_id? }, row.traceparent)))
        .collect();
    let walk = Walk { from: pass.cursor, to: visited_to, at_end: visited < BRANDS_A_PASS, room };
    Ok(walk.finish(bells))
}

/// How far one pass came.
struct Walk {
    from: Uuid,
    to: Uuid,
    /// No brand comes after `to`.
    at_end: bool,
    room: i64,
}

impl Walk {
    /// The next pass starts after the last brand that got its turn: when the window became full,
    /// that is the last one rung for, not the last one looked at.
    fn finish(self, bells: Vec<(Doorbell, Option<String>)>) -> Pick {
        let full = i64::try_from(bells.len()).is_ok_and(|rung| rung >= self.room);
        if full {
            // A window without any room moves nobody's turn.
            let last = bells.iter().map(|(bell, _)| bell.brand).max().unwrap_or(self.from);
            return Pick { bells, cursor: last, more: false };
        }
        let cursor = if self.at_end { Uuid::nil() } else { self.to };
        // A walk that began in the middle has not seen the brands before it.
        Pick { bells, cursor, more: !self.at_end || !self.from.is_nil() }
    }
}

/// The queues that have anything to ring for, now or later: one statement for all of them.
///
/// # Errors
/// When the statement fails.
pub async fn waiting_queues(store: &Store) -> Result<Vec<(JobKind, Lane)>, StoreError> {
    let all: Vec<(JobKind, Lane)> =
        JobKind::ALL.into_iter().flat_map(|kind| Lane::ALL.map(|lane| (kind, lane))).collect();
    let kinds: Vec<String> = all.iter().map(|(kind, _)| kind.as_str().to_owned()).collect();
    let lanes: Vec<i16> = all.iter().map(|(_, lane)| lane.number()).collect();
    let mut tx = store.begin(&Scope::Relay).await?;
    let waiting = sqlx::query_scalar!(
        r#"
        -- The first row of each in the order of their index: an `exists`, or a limit alone, may be answered by reading
        -- all that waits.
        select coalesce((select true from jobs where jobs.kind = queue.kind and jobs.lane = queue.lane
                            and state = 'ready' and rung_at is null order by brand_id limit 1), false) as "waits!"
          from unnest($1::text[], $2::smallint[]) with ordinality as queue (kind, lane, place) order by place
        "#,
        &kinds,
        &lanes,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(all.into_iter().zip(waiting).filter_map(|(queue, waits)| waits.then_some(queue)).collect())
}

/// Takes marks back: these jobs could not be rung for, so the next pass picks them again.
///
/// # Errors
/// When the statement fails; the sweeper clears the marks after 75 s.
pub async fn unring(store: &Store, jobs: &[Uuid]) -> Result<(), StoreError> {
    let mut tx = store.begin(&Scope::Relay).await?;
    sqlx::query!("update jobs set rung_at = null where id = any($1) and state = 'ready'", jobs)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

/// Live slots of each kind: of workers that were seen in the last 30 s.
///
/// # Errors
/// When the statement fails.
pub async fn slots_by_kind(store: &Store) -> Result<HashMap<JobKind, i64>, StoreError> {
    let mut tx = store.begin(&Scope::Relay).await?;
    let rows = sqlx::query!(
        r#"select kind, sum(slots) as "slots!" from workers where seen_at > now() - interval '30 s' group by kind"#
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    // A kind of another release is nobody's here.
    Ok(rows.into_iter().filter_map(|row| Some((row.kind.parse().ok()?, row.slots))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bells(brands: &[u128]) -> Vec<(Doorbell, Option<String>)> {
        brands
            .iter()
            .map(|brand| (Doorbell { job: Uuid::nil(), brand: Uuid::from_u128(*brand) }, None))
            .collect()
    }

    #[test]
    fn the_walk_goes_on_where_the_last_turn_was_taken() {
        let (first, middle, seen) = (Uuid::nil(), Uuid::from_u128(2), Uuid::from_u128(9));
        let walk = |from, at_end, room| Walk { from, to: seen, at_end, room };
        let cases = [
            (walk(first, true, 10), bells(&[3]), first, false),
            (walk(middle, true, 10), bells(&[3]), first, true),
            (walk(first, false, 10), bells(&[]), seen, true),
            (walk(first, false, 2), bells(&[5, 3]), Uuid::from_u128(5), false),
            (walk(middle, false, 0), bells(&[]), middle, false),
        ];
        for (walk, bells, cursor, more) in cases {
            let pick = walk.finish(bells);
            assert_eq!((pick.cursor, pick.more), (cursor, more));
        }
    }
}
