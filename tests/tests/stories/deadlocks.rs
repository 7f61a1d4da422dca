//! People and jobs that change the same rows at the same time: whoever Postgres takes back for the sake of another
//! one is run again, and nobody hears of it.

use serde_json::{Value, json};
use tests::{Brand, World, brand::Account, brand::WORK_LIMIT, eventually, files};

/// How often an account is given back and connected again while its jobs run.
const ROUNDS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_disconnected_and_connected_while_its_jobs_run() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Busy").await;
    let account = brand.connect("INSTAGRAM", "busy").await;
    let asset = brand.ready(&files::conforming_clip(), "Busy").await;
    let (come_and_go, work) = (come_and_go(&brand, &account), work(&brand, &account, &asset));
    tokio::join!(come_and_go, work);
    brand.ingest(&account).await;
    assert_eq!(brand.account(&account.id).await["state"], "CONNECTED");
    world.finish().await;
}

async fn come_and_go(brand: &Brand<'_>, account: &Account) {
    for _ in 0..ROUNDS {
        brand.api.mutate("disconnectAccount", json!({ "accountId": account.id }), "account { id }").await;
        brand.connect_by_consent("INSTAGRAM", &account.handle, None).await;
    }
}

/// What may be refused while the account is away, and never for any other reason.
async fn work(brand: &Brand<'_>, account: &Account, asset: &str) {
    let since = json!({ "accountId": account.id, "since": "2020-01-01T00:00:00Z" });
    let publish = brand.job_input(&[asset], &[account]);
    for round in 0..ROUNDS {
        // Both jobs write the account.
        let due = "update jobs set run_at = now(), rung_at = null where kind = 'refresh' and state = 'ready'";
        brand.world.database.run(due).await;
        let paused = json!({ "accountId": account.id, "paused": round % 2 == 0 });
        for (mutation, input, select) in [
            ("ingestNow", &since, "account { id }"),
            ("createPublishJob", &publish, "job { id }"),
            ("updateAccount", &paused, "account { id }"),
        ] {
            let answer = brand.api.try_mutate(mutation, input.clone(), select).await;
            let fine = |code: &&str| matches!(*code, "CONFLICT" | "INVALID");
            assert!(answer.codes().iter().all(fine), "{mutation}: {:?}", answer.refusals);
        }
    }
    let on = json!({ "accountId": account.id, "paused": false });
    brand.api.mutate("updateAccount", on, "account { id }").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evidence_that_postgres_takes_back_is_written_all_the_same() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Evidence").await;
    let account = brand.connect("TELEGRAM", "evidence").await;
    let asset = brand.ready(&files::photo(40), "Once").await;
    // Nobody could look this post up: an answer that is lost here is asked of a person.
    let slow =
        json!({ "platform": "telegram", "step": "send", "fault": "slow_after_accept", "delayMs": 2000 });
    world.networks.fault(slow).await;
    let job = brand.publish(&[&asset], &[&account]).await;
    eventually("the call is on its way", WORK_LIMIT, async || {
        let open = "select count(*) from publish_attempts where outcome is null";
        (world.database.count(open).await == 1).then_some(())
    })
    .await;
    let mut rival = world.database.rival().await;
    rival.lock("publish_targets").await;
    world.database.until_somebody_waits().await;
    rival.lock("publish_attempts").await;
    rival.leave().await;
    let target = brand.published(&job).await.remove(0);
    assert_eq!(target["attempts"], 1, "{target}");
    assert!(target["externalId"].is_string(), "{target}");
    brand.assert_posts(&[&account], 1).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_postgres_takes_back_did_not_fail() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Ingest").await;
    let account = brand.connect("INSTAGRAM", "taken_back").await;
    brand.ingest(&account).await;
    let mut rival = world.database.rival().await;
    rival.lock("social_accounts").await;
    let before = ingest(&brand, &account).await;
    brand.api.mutate("ingestNow", json!({ "accountId": account.id }), "account { id }").await;
    world.database.until_somebody_waits().await;
    rival.lock("jobs").await;
    rival.leave().await;
    eventually("the posts are pulled", WORK_LIMIT, async || {
        let now = ingest(&brand, &account).await;
        (now["running"] == false && now["finishedAt"] != before["finishedAt"]).then_some(())
    })
    .await;
    let metrics = world.metrics_text().await;
    let failures = metrics.lines().filter(|line| line.contains("kind=\"ingest\",outcome=\"retried\""));
    let failures: Vec<&str> = failures.collect();
    assert!(!failures.is_empty() && failures.iter().all(|line| line.ends_with(" 0")), "{failures:?}");
    world.finish().await;
}

async fn ingest(brand: &Brand<'_>, account: &Account) -> Value {
    brand.account(&account.id).await["ingest"].take()
}
