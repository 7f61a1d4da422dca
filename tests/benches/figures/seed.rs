//! Worlds that log as in production, and rows in numbers that no story needs: copies, put in by SQL, of what was made
//! through the API.

use domain::id::{GlobalId, Noun};
use sqlx::Row as _;
use tests::{Brand, World, WorldOptions, process::Process};
use uuid::Uuid;

/// A world without a worker.
pub async fn world() -> World {
    World::with(WorldOptions { workers: 0, log_filter: "warn", ..WorldOptions::default() }).await
}

/// A worker that does not keep to the networks' rates.
pub async fn free_worker(world: &World) -> Process {
    world.worker(&[("REELMILL_BUDGETS_LIFTED", "true")]).await
}

/// `count` further assets of a brand, READY, each of a content of its own as far as the rows say, all with the bytes
/// of `asset`; returns their public ids.
///
/// # Panics
/// When Postgres refuses.
pub async fn copies(brand: &Brand<'_>, asset: &str, count: i32) -> Vec<String> {
    let copied = sqlx::query(
        "insert into media_assets (id, brand_id, source, kind, state, filename, caption, object_key, content_type, bytes, \
             content_hash, info, thumbnail_key, listed_at) \
         select gen_random_uuid(), brand_id, source, kind, state, filename, caption, object_key, content_type, bytes, \
             sha256(gen_random_uuid()::text::bytea), info, thumbnail_key, now() \
           from media_assets, generate_series(1, $2) where id = $1 returning id",
    );
    let copied = copied.bind(uuid(asset)).bind(count).fetch_all(&brand.world.database.pool).await.unwrap();
    copied.iter().map(|row| GlobalId::new(Noun::MediaAsset, row.get(0)).to_string()).collect()
}

/// The UUID in a public id.
///
/// # Panics
/// When it is none.
pub fn uuid(id: &str) -> Uuid {
    GlobalId::parse(id).unwrap().uuid
}
