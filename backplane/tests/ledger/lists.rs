//! No list reads a table from end to end, whatever it is narrowed by: each runs as its role in its scope, with
//! 100,000 rows of every table, and its plan is looked at. A list that is not asked here fails the test.

use std::collections::BTreeSet;

use backplane::migrate::Role;
use backplane::store::accounts::{self, AccountWindow};
use backplane::store::assets::{self, AssetQuery};
use backplane::store::audit::{self, AuditOf, AuditQuery};
use backplane::store::changes::{self, Watched};
use backplane::store::publishing::{self, AttentionQuery, TargetQuery, Window};
use backplane::store::tenants::{self, BrandWindow};
use backplane::store::{
    Scope, Store, Tx, asset_work, attempts, housekeeping_work, ingest_work, jobs, part_work, people,
    publish_work, stuck, targets, transcode_work,
};
use chrono::{DateTime, Duration, Utc};
use domain::platform::Platform;
use domain::problem::Remedy;
use domain::target::TargetState;
use uuid::Uuid;

use crate::plans::{Explained, Planned, Run, recorded_lists};
use crate::world::World;

const ROWS: &str = include_str!("lists.sql");
/// A table of fewer rows may be read whole.
const BIG: f32 = 10_000.0;
/// Of a page, as the API asks for it at most.
const PAGE: i64 = 101;

/// The n-th row of any table.
const fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

/// The first row of this brand is row 1 of each table, and every 25th row after it.
const BRAND: Uuid = id(2);
/// The first brand's organisation has the same number.
const ORGANIZATION: Uuid = BRAND;

/// A page's worth of ids of one brand.
fn ids() -> Vec<Uuid> {
    (0..100).map(|n| id(1 + 25 * n)).collect()
}

/// From either end, and from the middle.
fn windows() -> Vec<Window> {
    let [earlier, later] = times();
    let middle = |descending| Window {
        from: (Some(earlier), id(1)),
        until: (Some(later), id(1)),
        ..Window::whole(PAGE, descending)
    };
    vec![Window::whole(PAGE, false), Window::whole(PAGE, true), middle(false), middle(true)]
}

fn times() -> [DateTime<Utc>; 2] {
    [Utc::now() - Duration::days(40), Utc::now() - Duration::days(20)]
}

#[tokio::test]
async fn no_list_reads_a_table_from_end_to_end() {
    let world = World::new().await;
    world.sql(ROWS).await;
    let big = big_tables(&world).await;
    let mut asked = BTreeSet::new();
    let mut complaints = BTreeSet::new();
    let mut slowest: Option<Run> = None;
    for planned in [Planned::Custom, Planned::Generic] {
        let api = Explained::new(&world, Role::Api, planned);
        ask_as_api(&api.store).await;
        let mut runs = api.runs();
        drop(api);
        let worker = Explained::new(&world, Role::Publisher, planned);
        ask_as_worker(&worker.store).await;
        runs.extend(worker.runs());
        drop(worker);
        let relay = Explained::new(&world, Role::Relay, planned);
        stuck::suspects(&relay.store).await.unwrap();
        jobs::waiting_queues(&relay.store).await.unwrap();
        runs.extend(relay.runs());
        for run in runs {
            for table in run.scanned().intersection(&big) {
                complaints.insert(format!(
                    "{planned:?} plan reads all of {table}: {}\n{}",
                    run.sql,
                    run.outline()
                ));
            }
            asked.insert(run.sql.clone());
            if slowest.as_ref().is_none_or(|slowest| slowest.took < run.took) {
                slowest = Some(run);
            }
        }
    }
    report(&slowest.unwrap());
    assert!(complaints.is_empty(), "{complaints:#?}");
    let forgotten: Vec<_> = recorded_lists().difference(&asked).cloned().collect();
    assert!(forgotten.is_empty(), "these lists are asked nowhere here: {forgotten:#?}");
}

#[expect(clippy::print_stderr, reason = "the test runner shows it on demand")]
fn report(slowest: &Run) {
    eprintln!("the slowest list took {:?}: {}", slowest.took, slowest.sql);
}

async fn big_tables(world: &World) -> BTreeSet<String> {
    let big = "select relname::text from pg_class
                where relkind = 'r' and relnamespace = 'public'::regnamespace and reltuples >= $1";
    let big: Vec<String> =
        sqlx::query_scalar(big).bind(BIG).fetch_all(&mut world.connect().await).await.unwrap();
    assert!(big.len() > 20, "{big:?}");
    big.into_iter().collect()
}

/// What the control plane reads over the brands of who asks.
async fn ask_as_api(store: &Store) {
    let brands = vec![BRAND, id(3), id(4)];
    let reading =
        Scope::Brands { brands: brands.clone(), colleagues: vec![ORGANIZATION], actor: Some(id(1)) };
    let mut tx = store.begin(&reading).await.unwrap();
    ask_assets(&mut tx).await;
    ask_targets(&mut tx).await;
    ask_attention(&mut tx, &brands).await;
    ask_log(&mut tx, AuditOf::Brand(BRAND)).await;
    ask_accounts(&mut tx).await;
    ask_brands(&mut tx, &brands).await;
    ask_by_id(&mut tx).await;
    for what in [Watched::PublishJobs, Watched::PublishTargets, Watched::MediaAssets, Watched::SocialAccounts]
    {
        changes::changed(&mut tx, what, &brands).await.unwrap();
    }
    drop(tx);
    let organization = Scope::Organization { organization: ORGANIZATION, actor: Some(id(1)) };
    let mut tx = store.begin(&organization).await.unwrap();
    ask_log(&mut tx, AuditOf::Organization(ORGANIZATION)).await;
    people::memberships_of(&mut tx, ORGANIZATION).await.unwrap();
    people::memberships_by_id(&mut tx, &ids()).await.unwrap();
    people::api_keys_of(&mut tx, ORGANIZATION).await.unwrap();
    people::count_api_keys(&mut tx, ORGANIZATION).await.unwrap();
    people::api_keys_by_id(&mut tx, &ids()).await.unwrap();
    drop(tx);
    let mut tx = store.begin(&Scope::Brand { brand: BRAND, actor: Some(id(1)) }).await.unwrap();
    tenants::waiting_targets(&mut tx, BRAND).await.unwrap();
    accounts::waiting_on_account(&mut tx, BRAND, id(1)).await.unwrap();
    accounts::disconnect(&mut tx, BRAND, id(1)).await.unwrap();
}

async fn ask_assets(tx: &mut Tx) {
    let none = AssetQuery::default();
    let some = |word: &str| Some(vec![word.to_owned()]);
    let [from, before] = times();
    let queries = [
        none.clone(),
        AssetQuery { sources: some("UPLOAD"), ..none.clone() },
        AssetQuery { kinds: some("VIDEO"), ..none.clone() },
        AssetQuery { states: some("READY"), ..none.clone() },
        AssetQuery { states: some("REJECTED"), ..none.clone() },
        AssetQuery { states: some("DELETED"), ..none.clone() },
        AssetQuery { account: Some(id(1)), ..none.clone() },
        AssetQuery { words: vec!["coffee".to_owned()], ..none.clone() },
        AssetQuery { words: vec!["nowhere".to_owned()], ..none.clone() },
        AssetQuery { from: Some(from), before: Some(before), ..none.clone() },
        AssetQuery { used: Some(true), ..none.clone() },
        AssetQuery { used: Some(false), ..none.clone() },
        AssetQuery { unused_on: Some(vec![id(1), id(26)]), ..none.clone() },
    ];
    for query in &queries {
        for window in windows() {
            assets::assets_of_brand(tx, BRAND, query, window).await.unwrap();
        }
        assets::count_assets(tx, BRAND, query).await.unwrap();
    }
}

fn target_queries() -> Vec<TargetQuery> {
    let none = TargetQuery::default();
    let [from, before] = times();
    vec![
        none.clone(),
        TargetQuery { states: Some(vec![TargetState::Published]), ..none.clone() },
        TargetQuery { states: Some(vec![TargetState::Failed, TargetState::NeedsAttention]), ..none.clone() },
        TargetQuery { platforms: Some(vec![Platform::Telegram]), ..none.clone() },
        TargetQuery { accounts: Some(vec![id(1), id(26)]), ..none.clone() },
        TargetQuery { during: Some((Some(from), Some(before))), ..none.clone() },
        TargetQuery { during: Some((Some(from), None)), ..none.clone() },
        TargetQuery { has_problem: Some(true), ..none.clone() },
        TargetQuery { has_problem: Some(false), ..none },
    ]
}

async fn ask_targets(tx: &mut Tx) {
    for query in &target_queries() {
        for window in windows() {
            publishing::targets_of_brand(tx, BRAND, query, window).await.unwrap();
        }
        publishing::count_targets(tx, BRAND, query).await.unwrap();
        for (between, backward) in [((-1, i32::MAX), false), ((-1, i32::MAX), true), ((3, 20), false)] {
            publishing::targets_of_job(tx, id(1), query, between, (PAGE, backward)).await.unwrap();
        }
        publishing::count_targets_of_job(tx, id(1), query).await.unwrap();
    }
    for window in windows() {
        publishing::targets_of_assets(tx, &ids(), window).await.unwrap();
        publishing::jobs_of_brand(tx, BRAND, window).await.unwrap();
    }
    publishing::count_targets_of_assets(tx, &ids()).await.unwrap();
    publishing::count_jobs(tx, BRAND).await.unwrap();
    publishing::counts_of_jobs(tx, &ids()).await.unwrap();
    let keys: Vec<Vec<u8>> = ids().iter().map(|id| id.as_bytes().to_vec()).collect();
    publishing::earlier_targets(tx, &ids(), &keys).await.unwrap();
    publishing::ingested_there(tx, BRAND, &ids(), &keys).await.unwrap();
}

async fn ask_attention(tx: &mut Tx, brands: &[Uuid]) {
    for remedies in [None, Some(vec![Remedy::Reconnect]), Some(vec![Remedy::Retry, Remedy::Wait])] {
        let query = AttentionQuery { brands: brands.to_vec(), remedies };
        for window in windows() {
            publishing::attention(tx, &query, window).await.unwrap();
        }
        publishing::count_attention(tx, &query).await.unwrap();
    }
}

async fn ask_log(tx: &mut Tx, of: AuditOf) {
    let none = AuditQuery::default();
    let [from, before] = times();
    let queries = [
        none.clone(),
        AuditQuery { from: Some(from), before: Some(before), ..none.clone() },
        AuditQuery { actors: Some(vec![id(1), id(2)]), ..none.clone() },
        AuditQuery { subjects: Some(vec!["PublishTarget_1".to_owned()]), ..none.clone() },
        AuditQuery { actions: Some(vec!["brand.updated".to_owned()]), ..none },
    ];
    for query in &queries {
        for window in windows() {
            audit::audit_page(tx, of, query, window).await.unwrap();
        }
        audit::count_audit(tx, of, query).await.unwrap();
    }
    audit::audit_by_id(tx, &ids()).await.unwrap();
}

async fn ask_accounts(tx: &mut Tx) {
    let key = |n: u128| Some((format!("@brand{n}"), id(n)));
    for platform in [None, Some(Platform::Telegram)] {
        for backward in [false, true] {
            for (after, before) in [(None, None), (key(1), key(9001))] {
                let window = AccountWindow { platform, after, before, limit: PAGE, backward };
                accounts::accounts_of_brand(tx, BRAND, &window).await.unwrap();
            }
        }
        accounts::count_accounts(tx, BRAND, platform).await.unwrap();
    }
    accounts::accounts_by_id(tx, &ids()).await.unwrap();
    accounts::ingest_of_accounts(tx, &ids()).await.unwrap();
    let external = ["account1".to_owned(), "account26".to_owned()];
    accounts::known_accounts(tx, Platform::Telegram, &external).await.unwrap();
}

async fn ask_brands(tx: &mut Tx, brands: &[Uuid]) {
    let key = |n: u128| Some((format!("Brand {n}"), id(n)));
    for backward in [false, true] {
        for (after, before) in [(None, None), (key(1), key(4))] {
            let window = BrandWindow { among: brands.to_vec(), after, before, limit: PAGE, backward };
            tenants::brands_by_name(tx, &window).await.unwrap();
        }
    }
    tenants::brands_by_id(tx, brands).await.unwrap();
    tenants::organizations_by_id(tx, &[ORGANIZATION]).await.unwrap();
    tenants::users_by_id(tx, &ids()).await.unwrap();
}

/// What the loaders read for a page of another list.
async fn ask_by_id(tx: &mut Tx) {
    assets::assets_by_id(tx, &ids()).await.unwrap();
    assets::brand_of_assets(tx, &ids()).await.unwrap();
    assets::items_of_carousels(tx, &ids()).await.unwrap();
    assets::uploads_by_id(tx, &ids()).await.unwrap();
    assets::uploads_of_assets(tx, &ids()).await.unwrap();
    publishing::targets_by_id(tx, &ids()).await.unwrap();
    publishing::jobs_by_id(tx, &ids()).await.unwrap();
    publishing::captions_by_id(tx, &ids()).await.unwrap();
    publishing::transcoded_by_id(tx, &ids()).await.unwrap();
    publishing::transcoded_of_assets(tx, &ids()).await.unwrap();
    publishing::media_of_targets(tx, &ids()).await.unwrap();
    publishing::latest_reviews(tx, &ids()).await.unwrap();
    publishing::last_attempt(tx, id(1)).await.unwrap();
    publishing::plan_sources(tx, &ids()).await.unwrap();
    publishing::destinations(tx, &ids()).await.unwrap();
}

/// What workers read for a job of one brand.
async fn ask_as_worker(store: &Store) {
    let mut tx = store.begin(&Scope::brand(BRAND)).await.unwrap();
    let names: Vec<String> = (0..100).map(|n| format!("post{}", 1 + 25 * n)).collect();
    ingest_work::undecided(&mut tx, BRAND, id(1)).await.unwrap();
    ingest_work::closed_as_absent(&mut tx, BRAND, id(1)).await.unwrap();
    ingest_work::own_posts(&mut tx, BRAND, id(1), &names).await.unwrap();
    transcode_work::transcode_facts(&mut tx, BRAND, id(1)).await.unwrap();
    transcode_work::awaited(&mut tx, BRAND, &ids()).await.unwrap();
    transcode_work::watched(&mut tx, BRAND, &ids()).await.unwrap();
    let contents = [vec![1; 32], vec![2; 32]];
    transcode_work::files_of_contents(&mut tx, BRAND, &contents).await.unwrap();
    transcode_work::encodes_of_contents(&mut tx, BRAND, &contents).await.unwrap();
    sqlx::query("update transcoded_media set state = 'RUNNING' where id = $1")
        .bind(id(1))
        .execute(&mut *tx)
        .await
        .unwrap();
    part_work::part_facts(&mut tx, BRAND, id(1)).await.unwrap();
    part_work::parts_of(&mut tx, BRAND, &ids()).await.unwrap();
    part_work::complete_files(&mut tx, BRAND, &ids()).await.unwrap();
    asset_work::fetch_facts(&mut tx, BRAND, id(1)).await.unwrap();
    publish_work::media(&mut tx, BRAND, id(1)).await.unwrap();
    transcode_work::assets_waiting_for(&mut tx, BRAND, &ids()).await.unwrap();
    // None of these is a carousel.
    let photos: Vec<Uuid> = (0..100).map(|n| id(20_001 + 25 * n)).collect();
    let moved = targets::advance_targets(&mut tx, BRAND, &photos).await.unwrap();
    assert!(!moved.is_empty(), "some of their targets waited");
    attempts::attempts_of(&mut tx, &ids()).await.unwrap();
    housekeeping_work::abandoned_uploads(&mut tx, BRAND).await.unwrap();
    housekeeping_work::unnamed_keys(&mut tx, BRAND, &names).await.unwrap();
}
