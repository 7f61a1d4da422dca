//! The files that targets need, as rows that exist once, and the targets' own moves.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::engine::ENGINE_VERSION;
use domain::operation::Operation;
use domain::plan::Effort;
use domain::problem::Problem;
use domain::profile::Profile;
use serde_json::Value;
use uuid::Uuid;

use super::read::Waiting;
use crate::job_kind::{JobKind, Lane};
use crate::store::jobs::{NewJob, enqueue, ensure};
use crate::store::publishing::stored::ProblemColumns;
use crate::store::{StoreError, Tx};

/// One file that a target needs.
#[derive(Clone, Debug)]
pub(super) struct WantedFile {
    pub(super) target: Uuid,
    pub(super) position: i16,
    pub(super) asset: Uuid,
    pub(super) content_hash: Vec<u8>,
    pub(super) operation: Operation,
    pub(super) profile: &'static Profile,
    pub(super) soon: bool,
}

/// How far a file is.
#[derive(Clone, Debug)]
pub(super) struct StoredFile {
    pub(super) done: bool,
    pub(super) problem: Option<Problem>,
}

/// The files of targets.
#[derive(Clone, Debug, Default)]
pub(super) struct TargetFiles {
    pub(super) of: HashMap<Uuid, Vec<StoredFile>>,
    /// Targets that had another file before.
    pub(super) replaced: HashSet<Uuid>,
}

/// A file by what makes it identical to another.
type Identity = (Vec<u8>, String);

/// Finds or asks for every file, ties it to its target, and returns each target's files.
///
/// A file that is newly tied, or waited for, is locked: a transcode of it that settles or is put back at the same time
/// either sees the tie, or is seen here. One that is done is only read.
pub(super) async fn want_files(
    tx: &mut Tx,
    brand: Uuid,
    wanted: &[WantedFile],
) -> Result<TargetFiles, StoreError> {
    if wanted.is_empty() {
        return Ok(TargetFiles::default());
    }
    let wanted: Vec<(Identity, &WantedFile)> = wanted.iter().map(|file| (identity(file), file)).collect();
    let tied = tied(tx, brand, &wanted).await?;
    let place = |file: &WantedFile| (file.target, file.position);
    let is_tied = |(identity, file): &&(Identity, &WantedFile)| {
        tied.get(&place(file)).is_some_and(|(tied_to, row)| tied_to == identity && !row.waits)
    };
    let fresh: Vec<(Identity, &WantedFile)> = wanted.iter().filter(|one| !is_tied(one)).cloned().collect();
    let found = find_or_insert(tx, brand, &fresh).await?;
    tie(tx, brand, &fresh, &found).await?;

    let mut jobs = Vec::new();
    let mut files = TargetFiles::default();
    for one in &wanted {
        let (identity, file) = one;
        if tied.get(&place(file)).is_some_and(|(tied_to, _)| tied_to != identity) {
            files.replaced.insert(file.target);
        }
        let row =
            if is_tied(&one) { tied.get(&place(file)).map(|(_, row)| row) } else { found.get(identity) };
        let Some(row) = row else { continue };
        if row.waits {
            let lane = if file.soon { Lane::Now } else { Lane::Bulk };
            jobs.push(NewJob::now(JobKind::Transcode, lane, row.id));
        }
        files.of.entry(file.target).or_default().push(row.file.clone());
    }
    ensure(tx, brand, &jobs).await?;
    Ok(files)
}

/// A file as its row says.
#[derive(Clone, Debug)]
struct FoundRow {
    id: Uuid,
    waits: bool,
    file: StoredFile,
}

impl FoundRow {
    fn read(id: Uuid, state: &str, columns: ProblemColumns) -> Result<Self, StoreError> {
        let problem = columns.read()?.map(|row| row.problem).filter(|_| state == "FAILED");
        let waits = matches!(state, "QUEUED" | "RUNNING");
        Ok(Self { id, waits, file: StoredFile { done: state == "DONE", problem } })
    }
}

fn identity(file: &WantedFile) -> Identity {
    (file.content_hash.clone(), file.operation.key())
}

/// What the targets of `wanted` are tied to already, by target and position.
async fn tied(
    tx: &mut Tx,
    brand: Uuid,
    wanted: &[(Identity, &WantedFile)],
) -> Result<HashMap<(Uuid, i16), (Identity, FoundRow)>, StoreError> {
    let targets: BTreeSet<Uuid> = wanted.iter().map(|(_, file)| file.target).collect();
    let targets: Vec<Uuid> = targets.into_iter().collect();
    let rows = sqlx::query!(
        r#"
        select tie.target_id, tie.position, m.id, m.content_hash, m.operation_key, m.state, m.problem_code,
               m.problem_message, m.problem_remedy, m.problem_since, m.problem_retry_at
          from unnest($2::uuid[]) as wanted (id)
         cross join lateral (select * from target_media t where t.brand_id = $1 and t.target_id = wanted.id offset 0) tie
         cross join lateral (select * from transcoded_media f where f.brand_id = $1 and f.id = tie.transcoded_id limit 1) m
         where m.engine_version = $3
        "#,
        brand,
        &targets,
        ENGINE_VERSION,
    )
    .fetch_all(&mut **tx)
    .await?;
    let read = rows.into_iter().map(|row| {
        let columns = ProblemColumns {
            code: row.problem_code,
            message: row.problem_message,
            remedy: row.problem_remedy,
            since: row.problem_since,
            retry_at: row.problem_retry_at,
        };
        let found = FoundRow::read(row.id, &row.state, columns)?;
        Ok(((row.target_id, row.position), ((row.content_hash, row.operation_key), found)))
    });
    read.collect()
}

/// Finds rows by identity or makes them, and locks each until the transaction ends.
async fn find_or_insert(
    tx: &mut Tx,
    brand: Uuid,
    wanted: &[(Identity, &WantedFile)],
) -> Result<HashMap<Identity, FoundRow>, StoreError> {
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    // One order for all who insert, so that two of them never wait for each other.
    let distinct: BTreeMap<&Identity, &WantedFile> =
        wanted.iter().map(|(identity, file)| (identity, *file)).collect();
    let ids: Vec<Uuid> = distinct.iter().map(|_| Uuid::now_v7()).collect();
    let assets: Vec<Uuid> = distinct.values().map(|file| file.asset).collect();
    let hashes: Vec<Vec<u8>> = distinct.keys().map(|(hash, _)| hash.clone()).collect();
    let keys: Vec<String> = distinct.keys().map(|(_, key)| key.clone()).collect();
    let operations: Vec<Value> =
        distinct.values().map(|file| serde_json::to_value(&file.operation).unwrap_or_default()).collect();
    let kinds: Vec<String> =
        distinct.values().map(|file| Effort::of(&file.operation).as_str().to_uppercase()).collect();
    let rows = sqlx::query!(
        r#"
        insert into transcoded_media as m
               (id, brand_id, asset_id, content_hash, operation, operation_key, engine_version, kind,
                state, progress, object_key, content_type, info, sha256)
        select n.id, $1, n.asset_id, n.content_hash, n.operation, n.operation_key, $2, n.kind,
               case when source.id is null then 'QUEUED' else 'DONE' end, case when source.id is null then 0 else 1 end,
               source.object_key, source.content_type, source.info, source.content_hash
          from unnest($3::uuid[], $4::uuid[], $5::bytea[], $6::jsonb[], $7::text[], $8::text[])
               as n (id, asset_id, content_hash, operation, operation_key, kind)
          -- What goes out as it is was verified by its probe: it is there, and no job has to say so.
          left join lateral (select * from media_assets a
                              where n.kind = 'PASSTHROUGH' and a.brand_id = $1 and a.id = n.asset_id
                                and a.object_key is not null limit 1) source on true
         order by n.content_hash, n.operation_key
        on conflict (brand_id, content_hash, operation_key, engine_version) do update
           -- In most cases nothing changes: it locks the row and returns it as it is then. One whose file went
           -- with its asset is made again from the asset that came since.
           set state = case when m.state = 'DONE' and m.object_key is null then excluded.state else m.state end,
               progress = case when m.state = 'DONE' and m.object_key is null then excluded.progress else m.progress end,
               asset_id = case when m.state = 'DONE' and m.object_key is null then excluded.asset_id else m.asset_id end,
               object_key = coalesce(m.object_key, excluded.object_key)
        returning m.id, m.content_hash, m.operation_key, m.state, m.problem_code, m.problem_message,
                  m.problem_remedy, m.problem_since, m.problem_retry_at
        "#,
        brand,
        ENGINE_VERSION,
        &ids,
        &assets,
        &hashes,
        &operations,
        &keys,
        &kinds,
    )
    .fetch_all(&mut **tx)
    .await?;
    let read = rows.into_iter().map(|row| {
        let columns = ProblemColumns {
            code: row.problem_code,
            message: row.problem_message,
            remedy: row.problem_remedy,
            since: row.problem_since,
            retry_at: row.problem_retry_at,
        };
        Ok(((row.content_hash, row.operation_key), FoundRow::read(row.id, &row.state, columns)?))
    });
    read.collect()
}

async fn tie(
    tx: &mut Tx,
    brand: Uuid,
    wanted: &[(Identity, &WantedFile)],
    rows: &HashMap<Identity, FoundRow>,
) -> Result<(), StoreError> {
    if wanted.is_empty() {
        return Ok(());
    }
    let tied: Vec<(&WantedFile, Uuid)> =
        wanted.iter().filter_map(|(identity, file)| Some((*file, rows.get(identity)?.id))).collect();
    let targets: Vec<Uuid> = tied.iter().map(|(file, _)| file.target).collect();
    let positions: Vec<i16> = tied.iter().map(|(file, _)| file.position).collect();
    let ids: Vec<Uuid> = tied.iter().map(|(_, id)| *id).collect();
    let profiles: Vec<String> = tied.iter().map(|(file, _)| file.profile.name.clone()).collect();
    sqlx::query!(
        r#"
        insert into target_media (brand_id, target_id, position, transcoded_id)
        select $1, n.target_id, n.position, n.transcoded_id
          from unnest($2::uuid[], $3::smallint[], $4::uuid[]) as n (target_id, position, transcoded_id)
        on conflict (target_id, position) do update set transcoded_id = excluded.transcoded_id
        "#,
        brand,
        &targets,
        &positions,
        &ids,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        r#"
        insert into transcode_profiles (brand_id, transcoded_id, profile)
        select distinct $1::uuid, n.transcoded_id, n.profile from unnest($2::uuid[], $3::text[]) as n (transcoded_id, profile)
         order by n.transcoded_id, n.profile
        on conflict do nothing
        "#,
        brand,
        &ids,
        &profiles,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A target as it becomes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Moved {
    pub(super) target: Uuid,
    pub(super) state: String,
    pub(super) profile: Option<String>,
    pub(super) content_key: Option<Vec<u8>>,
    pub(super) problem: Option<Problem>,
    /// What is to be posted is not what a reviewer approved.
    pub(super) unapproved: bool,
    lead_s: i64,
}

impl Moved {
    /// The target as it is.
    pub(super) fn unchanged(target: &Waiting) -> Self {
        Self {
            target: target.id,
            state: target.state.clone(),
            profile: target.profile.clone(),
            content_key: Some(target.content_key.clone()),
            problem: target.problem.clone(),
            unapproved: false,
            lead_s: domain::publishing::lead(target.wish.platform).num_seconds(),
        }
    }
}

/// Moves targets with one statement and enqueues what is scheduled with another.
pub(super) async fn move_targets(tx: &mut Tx, brand: Uuid, moved: &[Moved]) -> Result<(), StoreError> {
    if moved.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = moved.iter().map(|moved| moved.target).collect();
    let states: Vec<String> = moved.iter().map(|moved| moved.state.clone()).collect();
    let profiles: Vec<Option<String>> = moved.iter().map(|moved| moved.profile.clone()).collect();
    let keys: Vec<Option<Vec<u8>>> = moved.iter().map(|moved| moved.content_key.clone()).collect();
    let unapproved: Vec<bool> = moved.iter().map(|moved| moved.unapproved).collect();
    let problem = |read: fn(&Problem) -> String| -> Vec<Option<String>> {
        moved.iter().map(|moved| moved.problem.as_ref().map(read)).collect()
    };
    let due = sqlx::query!(
        r#"
        update publish_targets t
           set state = n.state, profile = n.profile, content_key = coalesce(n.content_key, t.content_key),
               problem_code = n.code, problem_message = n.message, problem_remedy = n.remedy, problem_retry_at = null,
               problem_since = case when n.code is null then null
                                    when t.problem_code is not distinct from n.code then t.problem_since else now() end,
               revision = t.revision + n.unapproved::int, content_revision = t.content_revision + n.unapproved::int,
               -- A person who approves or tries again after the time has set `due_at`: it goes out at once.
               due_at = case when n.state = 'SCHEDULED' then coalesce(greatest(t.scheduled_at, t.due_at), now())
                             else t.due_at end,
               updated_at = now()
          from unnest($2::uuid[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::text[], $8::text[],
                      $9::bool[])
               as n (id, state, profile, content_key, code, message, remedy, unapproved)
         where t.brand_id = $1 and t.id = n.id
        returning t.id, t.state, coalesce(t.due_at, now()) as "due_at!"
        "#,
        brand,
        &ids,
        &states,
        &profiles as &[Option<String>],
        &keys as &[Option<Vec<u8>>],
        &problem(|problem| problem.code.clone()) as &[Option<String>],
        &problem(|problem| problem.message.clone()) as &[Option<String>],
        &problem(|problem| problem.remedy.as_str().to_owned()) as &[Option<String>],
        &unapproved,
    )
    .fetch_all(&mut **tx)
    .await?;
    let leads: HashMap<Uuid, i64> = moved.iter().map(|moved| (moved.target, moved.lead_s)).collect();
    let jobs: Vec<NewJob> = due
        .into_iter()
        .filter(|row| row.state == "SCHEDULED")
        .map(|row| {
            let lead = chrono::Duration::seconds(leads.get(&row.id).copied().unwrap_or(0));
            NewJob::now(JobKind::Publish, Lane::Now, row.id).at(row.due_at - lead)
        })
        .collect();
    enqueue(tx, brand, &jobs).await
}
