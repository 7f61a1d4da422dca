//! How often a person who looks on hears of an encode, and how soon it stops when nobody wants it any more.
//!
//! Gaps are between the messages of one subscription while its progress moves. It has stopped when the engine's
//! process is gone.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{Brand, brand::Account, eventually, files, socket::Subscription};

use crate::{
    seed,
    summary::{millis, percentile},
};

const CANCELS: usize = 5;
const LIMIT: Duration = Duration::from_secs(120);
const WATCH: &str = "subscription Watch($brands: [ID!]) {
    publishTargetChanged(brandIds: $brands) { media { state progress } }
}";

pub async fn measure() -> Value {
    let world = seed::world().await;
    let _worker = world.worker(&[]).await;
    let agency = world.agency("Figures").await;
    let brand = agency.brand("Figures").await;
    let account = brand.connect("TELEGRAM", "figures").await;
    let asset = brand.ready(&files::heavy_clip(), "A clip").await;
    let mut stops = Vec::new();
    for _ in 0..CANCELS {
        stops.push(millis(stopped(&brand, &asset, &account).await));
    }
    let gaps = watched(&brand, &asset, &account).await;
    json!({
        "messages": gaps.len() + 1, "gap_p50_ms": percentile(&gaps, 0.5), "gap_max_ms": percentile(&gaps, 1.0),
        "cancels": CANCELS, "stops_p50_ms": percentile(&stops, 0.5), "stops_max_ms": percentile(&stops, 1.0),
        "aim": "a message twice a second; stopped within 1,000 ms",
    })
}

/// From the call that cancels to the end of the engine.
async fn stopped(brand: &Brand<'_>, asset: &str, account: &Account) -> Duration {
    let job = brand.publish(&[asset], &[account]).await;
    let database = &brand.world.database;
    let moving = "select count(*) from transcoded_media where state = 'RUNNING' and progress > 0";
    eventually("frames move", LIMIT, async || (database.count(moving).await == 1).then_some(())).await;
    let target = brand.targets(&job).await[0]["id"].clone();
    let asked = Instant::now();
    brand.api.mutate("cancelPublishTargets", json!({ "targetIds": [target] }), "targets { state }").await;
    while engine_runs() {
        assert!(asked.elapsed() < LIMIT, "it does not stop");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let took = asked.elapsed();
    let put_back = "select count(*) from transcoded_media where state = 'QUEUED'";
    eventually("it is put back", LIMIT, async || (database.count(put_back).await == 1).then_some(())).await;
    took
}

/// Milliseconds between one message of an encode that moves and the next, until it is done.
async fn watched(brand: &Brand<'_>, asset: &str, account: &Account) -> Vec<f64> {
    let mut watch = Subscription::open(&brand.api, WATCH, "Watch", json!({ "brands": [brand.id] })).await;
    brand.publish(&[asset], &[account]).await;
    let (mut gaps, mut last) = (Vec::new(), None::<Instant>);
    let mut reached = 0.0;
    loop {
        let message = watch.next().await;
        let file = &message["publishTargetChanged"]["media"][0];
        let progress = file["progress"].as_f64().unwrap_or_default();
        if progress > reached {
            gaps.extend(last.map(|last| millis(last.elapsed())));
            (reached, last) = (progress, Some(Instant::now()));
        }
        if file["state"] == "DONE" {
            return gaps;
        }
    }
}

fn engine_runs() -> bool {
    let processes = std::fs::read_dir("/proc").unwrap();
    let mut names =
        processes.filter_map(|entry| std::fs::read_to_string(entry.ok()?.path().join("comm")).ok());
    names.any(|name| name.trim() == "reelmill-media")
}
