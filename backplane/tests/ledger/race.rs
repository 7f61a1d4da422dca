//! Files and captions of many targets that are done at the same instant: nobody waits for ever.

use backplane::job_kind::{JobKind, Lane};
use backplane::store::jobs::{self, NewJob, begin_fenced};
use backplane::store::{Scope, Store, StoreErrorKind, targets};
use uuid::Uuid;

use crate::world::World;

/// Targets of one asset, each on an account of its own.
const TARGETS: usize = 200;
const SEEDS: usize = 50;

/// A ready photo that has to be made anew for Telegram.
const INFO: &str = r#"{"kind":"image","container":"tiff","bytes":200000,"width":1080,"height":1080,"duration_ms":null,
"video":null,"audio":null,"image":{"orientation":1,"has_alpha":false,"animated":false,"srgb":true,"color_model":"rgb",
"bits_per_channel":8,"trailing_data":false},"edit_list":false,"edit_list_trims":false,"moov_first":false,
"fragmented":false,"other_streams":0,"has_metadata":false}"#;

async fn asset(world: &World, brand: Uuid, state: &str) -> Uuid {
    let id = Uuid::now_v7();
    world
        .sql(&format!(
            "insert into media_assets (id, brand_id, source, kind, state, object_key, content_type, bytes, content_hash, info, listed_at)
             values ('{id}', '{brand}', 'UPLOAD', 'IMAGE', '{state}', 'k', 'image/jpeg', 200000, sha256('{id}'), '{INFO}', now());
             insert into publish_jobs (id, brand_id, captions, submitted_at) values ('{id}', '{brand}', 'ADAPT', now());
             insert into adapted_captions (id, brand_id, platform, text, length, max_length, author)
             values ('{id}', '{brand}', 'telegram', 'Hello', 5, 1024, 'RULES')"
        ))
        .await;
    id
}

/// Targets of `asset` in PREPARING, each on an account of its own.
async fn preparing(world: &World, brand: Uuid, asset: Uuid) -> Vec<Uuid> {
    world
        .sql(&format!(
            "with new as (select gen_random_uuid() as id, n from generate_series(1, {TARGETS}) n),
                  account as (insert into social_accounts (id, brand_id, platform, external_id, handle, state)
                              select id, '{brand}', 'telegram', id, '@brand', 'CONNECTED' from new)
             insert into publish_targets (id, brand_id, job_id, position, asset_id, account_id, platform, state, content_key)
             select id, '{brand}', '{asset}', n, '{asset}', id, 'telegram', 'PREPARING', uuid_send(id) from new"
        ))
        .await;
    sqlx::query_scalar("select id from publish_targets where asset_id = $1")
        .bind(asset)
        .fetch_all(&mut world.connect().await)
        .await
        .unwrap()
}

/// What a worker does: again when the database says that it was in another's way.
async fn settling<F>(store: &Store, brand: Uuid, work: F)
where
    F: AsyncFn(&mut backplane::store::Tx) -> Result<(), backplane::store::StoreError>,
{
    for _ in 0..3 {
        let mut tx = store.begin(&Scope::brand(brand)).await.unwrap();
        let done = match work(&mut tx).await {
            Ok(()) => tx.commit().await,
            Err(error) => Err(error),
        };
        match done {
            Ok(()) => return,
            Err(error) => assert_eq!(error.kind, StoreErrorKind::RolledBack, "{error}"),
        }
    }
    panic!("it never came through");
}

/// Settles the caption of one target.
async fn captioned(world: &World, brand: Uuid, target: Uuid, caption: Uuid) {
    settling(&world.worker, brand, async |tx| {
        sqlx::query("update publish_targets set caption_id = $2 where id = $1")
            .bind(target)
            .bind(caption)
            .execute(&mut **tx)
            .await?;
        targets::advance_only(tx, brand, &[target]).await.map(drop)
    })
    .await;
}

#[tokio::test]
async fn files_and_captions_that_are_done_at_once_leave_no_target_behind() {
    let world = World::new().await;
    let brand = world.brand().await;
    for seed in 0..SEEDS {
        let asset = asset(&world, brand, "READY").await;
        let waiting = preparing(&world, brand, asset).await;
        let mut tx = world.api.begin(&Scope::brand(brand)).await.unwrap();
        targets::advance_targets(&mut tx, brand, &[asset]).await.unwrap();
        tx.commit().await.unwrap();
        let file: Uuid =
            sqlx::query_scalar("select distinct transcoded_id from target_media where target_id = any($1)")
                .bind(&waiting)
                .fetch_one(&mut world.connect().await)
                .await
                .unwrap();
        let transcode = async {
            let bell = world.bell(file).await;
            let claim =
                jobs::claim(&world.worker, JobKind::Transcode, bell, world.holder).await.unwrap().unwrap();
            let (mut tx, fence) = begin_fenced(&world.worker, &claim).await.unwrap().unwrap();
            targets::hold(&mut tx, brand, &[asset]).await.unwrap();
            sqlx::query("update transcoded_media set state = 'DONE', object_key = 'k' where id = $1")
                .bind(file)
                .execute(&mut *tx)
                .await
                .unwrap();
            jobs::settle(&mut tx, fence).await.unwrap();
            targets::advance_targets(&mut tx, brand, &[asset]).await.unwrap();
            tx.commit().await.unwrap();
        };
        let captions = waiting.iter().map(|target| captioned(&world, brand, *target, asset));
        tokio::join!(transcode, futures_util::future::join_all(captions));
        let left = format!(
            "select count(*) from publish_targets where asset_id = '{asset}' and state <> 'SCHEDULED'"
        );
        assert_eq!(world.count(&left).await, 0, "seed {seed}");
    }
    let missing = "select count(*) from publish_targets t where not exists
                   (select from jobs j where j.kind = 'publish' and j.subject = t.id and j.state = 'ready')";
    assert_eq!(world.count(missing).await, 0, "each has its publish job");
}

#[tokio::test]
async fn a_probe_that_settles_while_targets_are_made_is_seen_by_one_of_both() {
    let world = World::new().await;
    let brand = world.brand().await;
    for seed in 0..SEEDS {
        let asset = asset(&world, brand, "PROBING").await;
        world.enqueue(brand, &[NewJob::now(JobKind::Probe, Lane::Now, asset)]).await;
        let claim = world.claim(world.bell(asset).await).await.unwrap();
        let (target, account) = (Uuid::now_v7(), world.account(brand).await);
        let creation = settling(&world.api, brand, async |tx| {
            sqlx::query("select id from media_assets where id = $1 for share")
                .bind(asset)
                .execute(&mut **tx)
                .await?;
            sqlx::query(
                "insert into publish_targets (id, brand_id, job_id, position, asset_id, account_id, platform, state, content_key)
                 values ($1, $2, $3, 0, $3, $4, 'telegram', 'PREPARING', uuid_send($1)) on conflict do nothing",
            )
            .bind(target)
            .bind(brand)
            .bind(asset)
            .bind(account)
            .execute(&mut **tx)
            .await?;
            targets::advance_only(tx, brand, &[target]).await.map(drop)
        });
        let probe = async {
            let (mut tx, fence) = begin_fenced(&world.worker, &claim).await.unwrap().unwrap();
            sqlx::query("update media_assets set state = 'READY' where id = $1")
                .bind(asset)
                .execute(&mut *tx)
                .await
                .unwrap();
            jobs::settle(&mut tx, fence).await.unwrap();
            targets::advance_targets(&mut tx, brand, &[asset]).await.unwrap();
            tx.commit().await.unwrap();
        };
        tokio::join!(creation, probe);
        let tied = format!("select count(*) from target_media where target_id = '{target}'");
        assert_eq!(world.count(&tied).await, 1, "seed {seed}: its file was asked for");
    }
}
