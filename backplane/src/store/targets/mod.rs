//! The one function that moves targets out of PREPARING, and keeps drafts true.
//!
//! It is called last in every transaction that finishes or fails a probe, transcode, caption or
//! fetch. It locks the waiting targets of those assets in the order of their ids, then reads what
//! they need, then moves them and enqueues: of two transactions that settle at once, the second sees
//! what the first wrote. The number of statements does not depend on the number of targets.

mod read;
mod write;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::plan::{Effort, share};
use domain::preparing::{self, MediaState, Recipe, Source, SourceFile, Step};
use domain::problem::Problem;
use uuid::Uuid;

use super::publishing::{PlanFile, PlanSource, plan_sources};
use super::transcode_work::encodes_of_contents;
use super::{StoreError, Tx};
use read::Waiting;
use write::{Moved, StoredFile, TargetFiles};

/// Moves every waiting target of `assets` as far as it goes, and returns those that changed. For what
/// happened to an asset or its files; for one target's own change, [`advance_only`].
///
/// A transaction that writes to such targets before it calls this has to [`hold`] them first, and so
/// has one that settles transcodes: else two of them lock the same rows in different orders.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn advance_targets(tx: &mut Tx, brand: Uuid, assets: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let waiting = read::lock_waiting(tx, brand, assets, &[]).await?;
    advance(tx, brand, &waiting).await
}

/// The same for these targets alone: a caption was written, a person changed or sent them on, or
/// they are new.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn advance_only(tx: &mut Tx, brand: Uuid, targets: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let waiting = read::lock_waiting(tx, brand, &[], targets).await?;
    advance(tx, brand, &waiting).await
}

/// The same for what waits on an account, once its network allows it more or less than before: else a
/// draft would go on saying what is not true any more.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn advance_on_account(tx: &mut Tx, brand: Uuid, account: Uuid) -> Result<Vec<Uuid>, StoreError> {
    let waiting = read::waiting_on_account(tx, brand, account).await?;
    advance_only(tx, brand, &waiting).await
}

/// Locks the waiting targets of `assets` in the order of their ids, before anything else is written.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn hold(tx: &mut Tx, brand: Uuid, assets: &[Uuid]) -> Result<(), StoreError> {
    read::lock_waiting(tx, brand, assets, &[]).await.map(drop)
}

async fn advance(tx: &mut Tx, brand: Uuid, waiting: &[Waiting]) -> Result<Vec<Uuid>, StoreError> {
    if waiting.is_empty() {
        return Ok(Vec::new());
    }
    let assets: BTreeSet<Uuid> = waiting.iter().map(|target| target.asset).collect();
    let sources = plan_sources(tx, &assets.into_iter().collect::<Vec<_>>()).await?;
    let plans = plan(waiting, &sources);
    let taken = read::taken_contents(tx, &contents(&plans)).await?;
    let plans = without_duplicates(plans, &taken);
    let files = make_files(tx, brand, &plans).await?;
    let moved: Vec<Moved> = plans.iter().filter_map(|plan| decide(plan, &files)).collect();
    write::move_targets(tx, brand, &moved).await?;
    Ok(moved.into_iter().map(|moved| moved.target).collect())
}

/// A waiting target and what its source allows.
struct Planned<'a> {
    target: &'a Waiting,
    source: &'a PlanSource,
    recipe: Result<Option<Recipe>, Problem>,
}

impl Planned<'_> {
    fn submitted(&self) -> bool {
        self.target.state == "PREPARING"
    }
}

fn plan<'a>(waiting: &'a [Waiting], sources: &'a [PlanSource]) -> Vec<Planned<'a>> {
    let by_asset: HashMap<Uuid, &PlanSource> =
        sources.iter().map(|source| (source.asset_id, source)).collect();
    let planned = |target: &'a Waiting| {
        // The composite key to the asset guarantees that it was read.
        let source = *by_asset.get(&target.asset)?;
        let recipe = preparing::recipe(&as_source(source), &target.wish, &source.style);
        Some(Planned { target, source, recipe })
    };
    waiting.iter().filter_map(planned).collect()
}

/// The contents that become known now, for the guard against posting them twice.
fn contents(plans: &[Planned<'_>]) -> Vec<(Uuid, Uuid, Vec<u8>)> {
    plans
        .iter()
        .filter_map(|plan| match &plan.recipe {
            Ok(Some(recipe)) => Some((plan.target.id, plan.target.account, recipe.content_key.to_vec())),
            _ => None,
        })
        .collect()
}

/// Of targets with one content on one account the first stays; `taken` are those that others have.
fn without_duplicates<'a>(plans: Vec<Planned<'a>>, taken: &HashSet<Uuid>) -> Vec<Planned<'a>> {
    let mut seen: HashSet<(Uuid, [u8; 32])> = HashSet::new();
    let mut kept = Vec::with_capacity(plans.len());
    for mut plan in plans {
        if let Ok(Some(recipe)) = &plan.recipe
            && !plan.target.duplicate_allowed
        {
            let first = seen.insert((plan.target.account, recipe.content_key));
            if !first || taken.contains(&plan.target.id) {
                plan.recipe = Err(preparing::duplicate());
            }
        }
        kept.push(plan);
    }
    kept
}

/// Makes sure that every file of a submitted target exists as a row: found, or asked for.
async fn make_files(tx: &mut Tx, brand: Uuid, plans: &[Planned<'_>]) -> Result<TargetFiles, StoreError> {
    let mut wanted = Vec::new();
    for plan in plans.iter().filter(|plan| plan.submitted()) {
        let Ok(Some(recipe)) = &plan.recipe else { continue };
        for (file, (source, position)) in recipe.files.iter().zip(plan.source.files.iter().zip(0_i16..)) {
            wanted.push(write::WantedFile {
                target: plan.target.id,
                position,
                asset: source.asset_id,
                content_hash: source.content_hash.clone().unwrap_or_default(),
                operation: file.operation.clone(),
                profile: file.profile,
                soon: plan.target.soon,
            });
        }
    }
    let sources: HashMap<Uuid, &PlanFile> =
        plans.iter().flat_map(|plan| &plan.source.files).map(|file| (file.asset_id, file)).collect();
    share_files(tx, brand, &sources, &mut wanted).await?;
    write::want_files(tx, brand, &wanted).await
}

/// Lets every encode that is asked for be another one of the same content that does as well: of this transaction, or
/// made or begun before. A second call may decide otherwise, since more is there by then: what was approved asks again.
async fn share_files(
    tx: &mut Tx,
    brand: Uuid,
    sources: &HashMap<Uuid, &PlanFile>,
    wanted: &mut [write::WantedFile],
) -> Result<(), StoreError> {
    let mut by_content: BTreeMap<Vec<u8>, Vec<&mut write::WantedFile>> = BTreeMap::new();
    for file in wanted.iter_mut().filter(|file| Effort::of(&file.operation) == Effort::Transcode) {
        by_content.entry(file.content_hash.clone()).or_default().push(file);
    }
    if by_content.is_empty() {
        return Ok(());
    }
    let contents: Vec<Vec<u8>> = by_content.keys().cloned().collect();
    let existing = encodes_of_contents(tx, brand, &contents).await?;
    for (content, files) in by_content {
        let info = files.first().and_then(|file| sources.get(&file.asset)?.info.as_ref());
        let Some(info) = info else { continue };
        let own: Vec<_> = files.iter().map(|file| (file.profile, file.operation.clone())).collect();
        let shared = share(info, &own, existing.get(&content).map_or(&[], Vec::as_slice));
        files.into_iter().zip(shared).for_each(|(file, operation)| file.operation = operation);
    }
    Ok(())
}

/// Where a target goes; `None`: nothing about it changes.
fn decide(plan: &Planned<'_>, files: &TargetFiles) -> Option<Moved> {
    let target = plan.target;
    let mut moved = Moved::unchanged(target);
    match &plan.recipe {
        Ok(None) => return None,
        Err(problem) => {
            moved.problem = Some(problem.clone());
            if plan.submitted() {
                "FAILED".clone_into(&mut moved.state);
            }
        }
        Ok(Some(recipe)) => {
            moved.profile = Some(recipe.profile.name.clone());
            moved.content_key = Some(recipe.content_key.to_vec());
            moved.problem = target.problem_of_caption.clone();
            if plan.submitted() {
                let media = media_state(files.of.get(&target.id).map_or(&[][..], Vec::as_slice));
                // The brand's look may have changed since it was approved: nothing is posted that nobody saw.
                moved.unapproved = target.approved && files.replaced.contains(&target.id);
                let needs_approval = target.needs_approval || moved.unapproved;
                step(&mut moved, preparing::next(&media, target.has_caption, needs_approval));
            }
        }
    }
    (moved != Moved::unchanged(target)).then_some(moved)
}

fn step(moved: &mut Moved, step: Step) {
    let (state, problem) = match step {
        Step::Wait => return,
        Step::Fail(problem) => ("FAILED", Some(problem)),
        Step::AskApproval(problem) => ("AWAITING_APPROVAL", Some(problem)),
        Step::Schedule => ("SCHEDULED", None),
    };
    state.clone_into(&mut moved.state);
    moved.problem = problem;
}

fn media_state(files: &[StoredFile]) -> MediaState {
    if let Some(problem) = files.iter().find_map(|file| file.problem.clone()) {
        return MediaState::Failed(problem);
    }
    if !files.is_empty() && files.iter().all(|file| file.done) {
        MediaState::Done
    } else {
        MediaState::Underway
    }
}

/// The shape that the domain plans from.
fn as_source(source: &PlanSource) -> Source {
    match source.state.as_str() {
        "READY" => {
            let file = |file: &PlanFile| {
                let sha256 = file.content_hash.as_deref()?.try_into().ok()?;
                Some((file.info.clone()?, sha256))
            };
            // A READY asset was probed, and so were its items: the columns were written together.
            let files = source.files.iter().filter_map(file);
            let files = files.map(|(info, sha256)| SourceFile { info, sha256 }).collect();
            Source::Ready { kind: source.kind, files }
        }
        "REJECTED" => Source::Rejected(source.problem.clone().unwrap_or_else(preparing::rejected)),
        "DELETED" => Source::Gone,
        _ => Source::Underway,
    }
}
