//! A token that the network took away disconnects the account and loses nothing; one that only failed to be
//! refreshed disconnects nothing.

use serde_json::json;
use tests::{World, brand::WORK_LIMIT, eventually, files};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_token_holds_targets_until_the_account_is_connected_again() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Revoked").await;
    for (platform, seed) in [("INSTAGRAM", 1), ("TELEGRAM", 2), ("TIKTOK", 3)] {
        let account = brand.connect(platform, &format!("revoked{seed}")).await;
        let asset = brand.ready(&files::conforming_clip_of(seed), "Held").await;
        world.networks.control(&format!("accounts/{}/revoke", account.external_id), json!({})).await;
        let job = brand.publish(&[&asset], &[&account]).await;
        eventually("the account asks to be connected again", WORK_LIMIT, async || {
            let account = brand.account(&account.id).await;
            (account["state"] == "NEEDS_RECONNECT" && account["problem"]["remedy"] == "RECONNECT")
                .then_some(())
        })
        .await;
        let target = brand.targets(&job).await.remove(0);
        assert!(target["state"] == "SCHEDULED" || target["state"] == "PREPARING", "it waits: {target}");

        let again = match platform {
            "TELEGRAM" => {
                let external = world.networks.account(platform, &account.handle).await;
                brand.connect_bot(&external).await
            }
            _ => brand.connect_by_consent(platform, &account.handle, Some(&account.id)).await,
        };
        assert_eq!(again, account.id, "it is the same account");
        brand.published(&job).await;
        brand.assert_posts(&[&account], 1).await;
        assert_eq!(brand.account(&account.id).await["state"], "CONNECTED");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_that_times_out_disconnects_nothing() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Refresh").await;
    let account = brand.connect("TIKTOK", "refresh").await;
    let fault = json!({ "platform": "tiktok", "step": "refresh", "fault": "drop_before", "times": 1 });
    world.networks.fault(fault).await;
    // The refresh that is due hours from now is due now.
    world
        .database
        .run("update jobs set run_at = now(), rung_at = null where kind = 'refresh' and state = 'ready'")
        .await;
    let asset = brand.ready(&files::conforming_clip(), "Still connected").await;
    eventually("the refresh was tried and failed", WORK_LIMIT, async || {
        (world.networks.faults_left().await == 0).then_some(())
    })
    .await;
    assert_ne!(brand.account(&account.id).await["state"], "NEEDS_RECONNECT");
    let job = brand.publish(&[&asset], &[&account]).await;
    brand.published(&job).await;
    eventually("the refresh succeeds later", WORK_LIMIT, async || {
        let calls = world.networks.requests("tiktok").await;
        let refreshed = calls.iter().filter(|call| call.to_string().contains("oauth/token")).count();
        // The code's exchange, the call that failed, and the one that worked.
        (refreshed >= 3).then_some(())
    })
    .await;
    assert_eq!(brand.account(&account.id).await["state"], "CONNECTED");
    world.finish().await;
}
