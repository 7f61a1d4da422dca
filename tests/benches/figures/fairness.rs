//! What a brand with 50,000 due targets costs a brand with a single one.
//!
//! The 50,000 are copies by SQL of a target that was made through the API. While two workers publish them, the other
//! brand creates one post after the other; its start delay is from due to the commit of the attempt's row, right
//! before the call. The depth is of both publish queues together, as the ledger knows it: rung and not yet claimed.

use std::{cell::Cell, convert::Infallible, time::Duration};

use backplane::job_kind::Lane;
use serde_json::{Value, json};
use tests::{Brand, World, brand::Account, eventually, files};
use tokio::time::sleep;

use crate::{
    seed,
    summary::{millis, percentile, rounded},
};

const BACKLOG: i64 = 50_000;
const SINGLES: usize = 20;
const LIMIT: Duration = Duration::from_secs(300);
/// How often the queues are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// The flood runs for so long before the first single one.
const FLOOD_FIRST: Duration = Duration::from_secs(5);

pub async fn measure() -> Value {
    let world = seed::world().await;
    world.networks.lift_limits("telegram").await;
    let _workers = [seed::free_worker(&world).await, seed::free_worker(&world).await];
    let agency = world.agency("Figures").await;
    let (large, small) = (agency.brand("Large").await, agency.brand("Small").await);
    let (crowd, single) =
        (large.connect("TELEGRAM", "large").await, small.connect("TELEGRAM", "small").await);
    let photo = large.ready(&files::photo(1), "One of many").await;
    let own = small.ready(&files::photo(2), "The only one").await;
    // Their files are made by first posts, which are not measured.
    large.published(&large.create_job(post(&large, &crowd, &photo)).await).await;
    small.published(&small.create_job(post(&small, &single, &own)).await).await;
    flood(&world, &crowd).await;
    sleep(FLOOD_FIRST).await;

    let deepest = Cell::new(0);
    let seen = tokio::select! {
        seen = singles(&small, &single, &own) => seen,
        never = watch(&world, &deepest) => match never {},
    };
    let left = "select count(*) from publish_targets where state = 'SCHEDULED'";
    let left = world.database.count(left).await;
    assert!(left > 0, "the flood was over before the single ones were");
    json!({
        "backlog": BACKLOG, "backlog_left": left, "singles": SINGLES, "workers": 2, "slots_each": 4,
        "start_delay_p50_s": percentile(&seen.delays, 0.5), "start_delay_max_s": percentile(&seen.delays, 1.0),
        "request_to_published_p50_ms": percentile(&seen.whole_ms, 0.5),
        "queue_depth_max": deepest.get(),
    })
}

/// What the brand with few posts saw of each: its start delay in seconds, and the whole from request to PUBLISHED.
struct Seen {
    delays: Vec<f64>,
    whole_ms: Vec<f64>,
}

async fn singles(brand: &Brand<'_>, account: &Account, asset: &str) -> Seen {
    let mut seen = Seen { delays: Vec::new(), whole_ms: Vec::new() };
    for _ in 0..SINGLES {
        let begun = std::time::Instant::now();
        let job = brand.create_job(post(brand, account, asset)).await;
        let target = seed::uuid(brand.published(&job).await[0]["id"].as_str().unwrap());
        seen.whole_ms.push(millis(begun.elapsed()));
        let delay = "select extract(epoch from a.started_at - t.due_at)::float8 \
            from publish_attempts a join publish_targets t on t.id = a.target_id where t.id = $1";
        let delay = sqlx::query_scalar::<_, f64>(delay).bind(target);
        seen.delays.push(rounded(delay.fetch_one(&brand.world.database.pool).await.unwrap()));
    }
    seen
}

fn post(brand: &Brand<'_>, account: &Account, asset: &str) -> Value {
    let mut input = brand.job_input(&[asset], &[account]);
    input["captions"] = json!("ORIGINAL");
    input["duplicates"] = json!("ALLOW");
    input
}

/// Looks again and again how many doorbells wait.
async fn watch(world: &World, deepest: &Cell<i64>) -> Infallible {
    let rung = "select count(*) from jobs where kind = 'publish' and state = 'ready' and rung_at is not null";
    loop {
        deepest.set(deepest.get().max(world.database.count(rung).await));
        sleep(LOOK_EVERY).await;
    }
}

/// Makes the backlog: all of it is due now.
async fn flood(world: &World, crowd: &Account) {
    let flood = "with template as (select * from publish_targets where account_id = $1), \
        made as ( \
            insert into publish_targets (id, brand_id, job_id, position, asset_id, account_id, platform, placement, \
                profile, framing, source_caption, caption_id, state, scheduled_at, due_at, content_key, duplicate_allowed) \
            select gen_random_uuid(), brand_id, job_id, position + n, asset_id, account_id, platform, placement, \
                profile, framing, source_caption, caption_id, 'SCHEDULED', now(), now(), content_key, true \
              from template, generate_series(1, $2) n \
            returning id, brand_id), \
        files as ( \
            insert into target_media (brand_id, target_id, position, transcoded_id) \
            select made.brand_id, made.id, file.position, file.transcoded_id \
              from made, template join target_media file on file.target_id = template.id) \
        insert into jobs (id, brand_id, kind, lane, subject) \
        select gen_random_uuid(), made.brand_id, 'publish', $3, made.id from made";
    let flood = sqlx::query(flood).bind(seed::uuid(&crowd.id)).bind(BACKLOG).bind(Lane::Now.number());
    flood.execute(&world.database.pool).await.unwrap();
    // As autovacuum does within a minute.
    world.database.run("analyze jobs; analyze publish_targets; analyze target_media").await;
    eventually("the flood is under way", LIMIT, async || {
        let published = "select count(*) from publish_targets where state = 'PUBLISHED'";
        (world.database.count(published).await > 10).then_some(())
    })
    .await;
}
