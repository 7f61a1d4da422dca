//! What goes through the broker are the ids of what to look at, and nothing of what is in it.

use serde_json::json;
use tests::{Firehose, World, WorldOptions, files};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_name_ids_and_nothing_else() {
    let firehose = Firehose::start(None).await;
    let world = World::with(WorldOptions { firehose: Some(firehose), ..WorldOptions::default() }).await;
    let brand = world.agency("Northwind").await.brand("Messages").await;
    // Tokens are exchanged, refreshed, and used; media come in, are looked into, and go out.
    let accounts = brand.connect_all("messages").await;
    let refresh = "update jobs set run_at = now(), rung_at = null where kind = 'refresh' and state = 'ready'";
    world.database.run(refresh).await;
    let at = "2026-10-01T10:00:00Z";
    let photo = files::photo(70);
    world.networks.post_by_hand(&accounts[0].external_id, "photo", "Old", at, &[&photo]).await;
    brand.ingest(&accounts[0]).await;
    let asset = brand.ready(&files::conforming_clip(), "New").await;
    let job = brand.publish(&[&asset], &accounts.iter().collect::<Vec<_>>()).await;
    brand.published(&job).await;
    brand.api.mutate("disconnectAccount", json!({ "accountId": accounts[2].id }), "account { id }").await;
    world.rest().await;

    let messages = world.firehose.as_ref().unwrap().messages().await;
    for kind in ["probe", "caption", "publish", "ingest", "fetch", "refresh", "revoke"] {
        let queue = format!(".{kind}.");
        assert!(messages.iter().any(|message| message.routing_key.contains(&queue)), "{kind} was rung");
    }
    assert!(messages.iter().any(|message| message.exchange.ends_with(".live")), "changes were told");
    // That each names ids alone, and that none holds a secret, is asked at the end of every such world.
    world.finish().await;
}
