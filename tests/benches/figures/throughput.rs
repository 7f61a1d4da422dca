//! How fast posts leave: 2,000 Telegram photo targets, 40 photos for 50 chats, all due at the same moment.
//!
//! The jobs are made through the API for a later time; when the media is ready and every target is SCHEDULED, their
//! time is moved up by SQL, so that the whole backlog becomes due at once. A start delay is from that moment to the
//! commit of the attempt's row, right before the call, on the database's clock. Networks' budgets are lifted.

use std::time::Duration;

use backplane::{broker::LiveFeed, migrate::Role};
use chrono::Utc;
use serde_json::{Value, json};
use tests::{World, eventually, files};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::{
    seed,
    statements::Statements,
    summary::{each, metric, percentile, rounded},
};

const PHOTOS: i32 = 40;
const CHATS: usize = 50;
const TARGETS: i64 = 2_000;
const PREPARE_LIMIT: Duration = Duration::from_secs(600);
const PUBLISH_LIMIT: Duration = Duration::from_secs(600);

pub async fn measure() -> Value {
    let world = seed::world().await;
    let _workers = [seed::free_worker(&world).await, seed::free_worker(&world).await];
    world.networks.lift_limits("telegram").await;
    prepare(&world).await;

    let statements = Statements::of(&world).await;
    let stop = CancellationToken::new();
    let feed = LiveFeed::start(world.broker(), stop.clone());
    feed.ready().await;
    let told = tokio::spawn(count(feed.subscribe()));
    let rung_before = metric(&world.metrics_text().await, "reelmill_doorbells_rung_total", "");
    statements.reset().await;
    make_due(&world).await;
    eventually("every target is published", PUBLISH_LIMIT, async || {
        let open = "select count(*) from publish_targets where state <> 'PUBLISHED'";
        (world.database.count(open).await == 0).then_some(())
    })
    .await;
    let (by_workers, by_relay) =
        (statements.of_role(Role::Publisher).await, statements.of_role(Role::Relay).await);
    let rung = metric(&world.metrics_text().await, "reelmill_doorbells_rung_total", "") - rung_before;
    stop.cancel();
    drop(feed);
    let told = told.await.unwrap();

    let posts = world.networks.ledger().await.len();
    assert_eq!(i64::try_from(posts).unwrap(), TARGETS, "each target is one post");
    let delays = delays(&world).await;
    let took = took(&world).await;
    #[expect(clippy::cast_possible_truncation, reason = "a count")]
    let bells = rung as i64;
    json!({
        "targets": TARGETS, "workers": 2, "slots_each": 4, "seconds": rounded(took),
        "targets_per_second": rounded(f64::from(i32::try_from(TARGETS).unwrap()) / took),
        "start_delay_p50_s": percentile(&delays, 0.5), "start_delay_p99_s": percentile(&delays, 0.99),
        "statements_per_target": each(by_workers + by_relay, TARGETS),
        "statements_per_target_by_workers": each(by_workers, TARGETS),
        "doorbells_per_target": each(bells, TARGETS), "live_messages_per_target": each(told, TARGETS),
    })
}

async fn prepare(world: &World) {
    let agency = world.agency("Figures").await;
    let brand = agency.brand("Figures").await;
    let mut accounts = Vec::new();
    for number in 0..CHATS {
        accounts.push(brand.connect("TELEGRAM", &format!("chat{number}")).await);
    }
    let accounts: Vec<_> = accounts.iter().collect();
    let photo = brand.ready(&files::photo(1), "A photo of the harbour").await;
    let photos = seed::copies(&brand, &photo, PHOTOS).await;
    let photos: Vec<&str> = photos.iter().map(String::as_str).collect();
    for half in photos.chunks(photos.len() / 2) {
        let mut input = brand.job_input(half, &accounts);
        input["captions"] = json!("ORIGINAL");
        input["schedule"] = json!({ "at": Utc::now() + chrono::Duration::days(30) });
        brand.create_job(input).await;
    }
    eventually("every target is scheduled", PREPARE_LIMIT, async || {
        let ready = "select count(*) from publish_targets where state = 'SCHEDULED'";
        (world.database.count(ready).await == TARGETS).then_some(())
    })
    .await;
}

/// In a second and a half from now, so that the statement itself is over by then.
async fn make_due(world: &World) {
    world
        .database
        .run(
            "begin; \
             update publish_targets set scheduled_at = now() + interval '1.5 s', due_at = now() + interval '1.5 s'; \
             update jobs set run_at = now() + interval '1.5 s' where kind = 'publish' and state = 'ready'; \
             commit",
        )
        .await;
}

async fn delays(world: &World) -> Vec<f64> {
    let delays = "select extract(epoch from a.started_at - t.due_at)::float8 \
        from publish_attempts a join publish_targets t on t.id = a.target_id";
    sqlx::query_scalar(delays).fetch_all(&world.database.pool).await.unwrap()
}

async fn took(world: &World) -> f64 {
    let took = "select extract(epoch from max(published_at) - min(due_at))::float8 from publish_targets";
    sqlx::query_scalar(took).fetch_one(&world.database.pool).await.unwrap()
}

/// How many changes were told until the feed ends.
async fn count(mut changes: tokio::sync::broadcast::Receiver<backplane::broker::Change>) -> i64 {
    let mut told = 0;
    loop {
        match changes.recv().await {
            Ok(_) => told += 1,
            Err(RecvError::Lagged(missed)) => told += i64::try_from(missed).unwrap(),
            Err(RecvError::Closed) => return told,
        }
    }
}
