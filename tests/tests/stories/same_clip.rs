//! The same clip lies in a brand twice and is wanted from all sides at once: its file is made once.

use futures_util::future::join_all;
use tests::{World, files};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wanted_four_times_at_once_is_encoded_once() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Same").await;
    let mut accounts = Vec::new();
    for handle in ["first", "second", "third", "fourth"] {
        accounts.push(brand.connect("TELEGRAM", handle).await);
    }
    let clips =
        [brand.ready(&files::heavy_clip(), "Once").await, brand.ready(&files::heavy_clip(), "Again").await];
    assert_ne!(clips[0], clips[1]);

    let wanted = clips.iter().cycle().zip(&accounts);
    let calls = wanted.map(async |(clip, account)| brand.publish(&[clip], &[account]).await);
    let jobs = join_all(calls).await;
    for job in &jobs {
        brand.published(job).await;
    }
    let count = async |what: &str| world.database.count(&format!("select count({what}")).await;
    assert_eq!(count("*) from target_media").await, 4);
    assert_eq!(count("distinct transcoded_id) from target_media").await, 1);
    assert_eq!(count("*) from transcoded_media").await, 1);
    assert_eq!(count("*) from jobs where kind = 'transcode'").await, 1);
    brand.assert_posts(&accounts.iter().collect::<Vec<_>>(), 1).await;
    world.finish().await;
}
