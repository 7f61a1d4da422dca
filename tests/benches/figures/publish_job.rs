//! How long the API takes to accept a publish job of 1,000 targets, and with how many SQL statements.
//!
//! 500 photos for two accounts, captions to be adapted, scheduled for later; every run has photos of its own, so that
//! nothing is found done. No worker runs meanwhile.

use std::time::Instant;

use backplane::migrate::Role;
use chrono::{Duration, Utc};
use serde_json::{Value, json};
use tests::{Brand, brand::Account, files};

use crate::{
    seed,
    statements::Statements,
    summary::{millis, percentile},
};

const RUNS: usize = 12;
/// Photos of the large job and of the small one, each for two accounts.
const LARGE: i32 = 500;
const SMALL: i32 = 50;

/// One job's time, ms, and its statements.
struct Run {
    ms: f64,
    statements: i64,
}

pub async fn measure() -> Value {
    let world = seed::world().await;
    let mut worker = world.worker(&[]).await;
    let agency = world.agency("Figures").await;
    let brand = agency.brand("Figures").await;
    let accounts = [brand.connect("INSTAGRAM", "figures").await, brand.connect("TELEGRAM", "figures").await];
    let photo = brand.ready(&files::photo(1), "A photo of the harbour https://example.com #harbour").await;
    worker.terminate().await;

    let statements = Statements::of(&world).await;
    // The first one plans its statements and opens its connections.
    create(&brand, &accounts, &photo, LARGE, &statements).await;
    let mut large = Vec::new();
    for _ in 0..RUNS {
        large.push(create(&brand, &accounts, &photo, LARGE, &statements).await);
    }
    let small = create(&brand, &accounts, &photo, SMALL, &statements).await;

    let times: Vec<f64> = large.iter().map(|run| run.ms).collect();
    let most = large.iter().map(|run| run.statements).max().unwrap();
    json!({
        "targets": 2 * LARGE, "runs": RUNS, "p50_ms": percentile(&times, 0.5), "max_ms": percentile(&times, 1.0),
        "statements": most, "statements_of_100_targets": small.statements, "ms_of_100_targets": small.ms,
        "aim": "p50 <= 300 ms, constant statements",
    })
}

async fn create(
    brand: &Brand<'_>,
    accounts: &[Account; 2],
    photo: &str,
    photos: i32,
    statements: &Statements,
) -> Run {
    let ids = seed::copies(brand, photo, photos).await;
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut input = brand.job_input(&ids, &[&accounts[0], &accounts[1]]);
    input["schedule"] = json!({ "at": Utc::now() + Duration::days(30) });
    statements.reset().await;
    let begun = Instant::now();
    brand.create_job(input).await;
    let ms = millis(begun.elapsed());
    Run { ms, statements: statements.of_role(Role::Api).await }
}
