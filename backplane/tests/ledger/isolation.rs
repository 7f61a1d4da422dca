//! What each role sees, and the proof that the server asks for before it serves.

use backplane::migrate::Role;
use backplane::store::catalogue::{CatalogueError, prove};
use backplane::store::{Scope, Store, StoreConfig};
use std::time::Duration;

use crate::world::World;

#[tokio::test]
async fn every_role_passes_the_proof_and_an_owner_does_not() {
    let world = World::new().await;
    for store in [&world.api, &world.worker, &world.publisher, &world.relay] {
        prove(store).await.unwrap();
    }
    let owner = Store::connect(StoreConfig {
        options: world.options().clone(),
        connections_max: 1,
        acquire_timeout: Duration::from_secs(10),
        statement_timeout: Duration::from_secs(10),
    });
    let Err(CatalogueError::NotIsolated(wrong)) = prove(&owner).await else {
        panic!("an owner sees everything")
    };
    assert!(wrong.iter().any(|line| line.contains("bypasses")), "{wrong:?}");
    assert!(wrong.iter().any(|line| line.contains("the login owns table jobs")), "{wrong:?}");
}

#[tokio::test]
async fn each_hole_in_the_wall_is_named() {
    let holes = [
        ("alter table media_assets no force row level security", "table media_assets has no forced"),
        ("alter table jobs disable row level security", "table jobs has no forced"),
        ("create table notes (brand_id uuid)", "table notes has no policy"),
        ("alter table workers add column brand_id uuid", "table workers has a brand_id"),
        ("create view all_jobs as select * from jobs", "view all_jobs runs as its owner"),
        (
            "create type mood as enum ('ok'); alter table uploads add column mood mood",
            "uploads.mood is an enum",
        ),
        ("alter table reviews owner to reelmill_api", "the login owns table reviews"),
    ];
    for (hole, named) in holes {
        let world = World::new().await;
        world.sql(hole).await;
        let Err(CatalogueError::NotIsolated(wrong)) = prove(&world.api).await else {
            panic!("{hole} was not seen")
        };
        assert!(wrong.iter().any(|line| line.contains(named)), "{hole}: {wrong:?}");
    }
}

#[tokio::test]
async fn a_brand_sees_its_own_rows_and_no_scope_sees_none() {
    let world = World::new().await;
    let (mine, theirs) = (world.brand().await, world.brand().await);
    world.job(mine).await;
    world.job(theirs).await;
    world.account(theirs).await;
    let cases = [
        (&world.worker, Scope::brand(mine), 1),
        (&world.api, Scope::brand(mine), 1),
        (&world.api, Scope::Brands { brands: vec![mine, theirs], colleagues: vec![], actor: None }, 2),
        (&world.api, Scope::Shared, 0),
        (&world.worker, Scope::Relay, 0),
        (&world.worker, Scope::Holder { holder: world.holder }, 0),
        (&world.relay, Scope::Relay, 2),
    ];
    for (store, scope, expected) in cases {
        let mut tx = store.begin(&scope).await.unwrap();
        let seen: i64 = sqlx::query_scalar("select count(*) from jobs").fetch_one(&mut *tx).await.unwrap();
        assert_eq!(seen, expected, "{scope:?}");
    }
    let mut tx = world.api.begin(&Scope::brand(mine)).await.unwrap();
    let seen: i64 =
        sqlx::query_scalar("select count(*) from social_accounts").fetch_one(&mut *tx).await.unwrap();
    assert_eq!(seen, 0);
    let smuggled = format!(
        "insert into jobs (id, brand_id, kind, subject) values (gen_random_uuid(), '{theirs}', 'probe', gen_random_uuid())"
    );
    assert!(sqlx::query(&smuggled).execute(&mut *tx).await.is_err(), "nor can it write there");
}

#[tokio::test]
async fn a_transaction_that_is_given_up_while_it_begins_leaves_no_scope_behind() {
    let world = World::new().await;
    let store = Store::connect(StoreConfig {
        options: world.options().clone().options([("role", Role::Api.name())]),
        connections_max: 1,
        acquire_timeout: Duration::from_secs(10),
        statement_timeout: Duration::from_secs(10),
    });
    // Given up after each number of steps, and so at every point of its way.
    for steps in 0..300 {
        let mut begin = Box::pin(store.begin(&Scope::SignIn));
        for _ in 0..steps {
            if futures_util::poll!(&mut begin).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(begin);
        let mut tx = store.begin(&Scope::brand(world.holder)).await.unwrap();
        let left: Option<String> =
            sqlx::query_scalar("select nullif(current_setting('app.sign_in', true), '')")
                .fetch_one(&mut *tx)
                .await
                .unwrap();
        assert_eq!(left, None, "given up after {steps} steps, it leaves its scope behind");
    }
}

#[tokio::test]
async fn only_a_publisher_reads_what_is_sealed() {
    let world = World::new().await;
    let brand = world.brand().await;
    let account = world.account(brand).await;
    world
        .sql(&format!(
            "insert into account_secrets (brand_id, account_id, name, sealed) values ('{brand}', '{account}', 'access', 'x')"
        ))
        .await;
    for (store, role) in [(&world.api, Role::Api), (&world.worker, Role::Worker), (&world.relay, Role::Relay)]
    {
        let mut tx = store.begin(&Scope::brand(brand)).await.unwrap();
        let read = sqlx::query("select sealed from account_secrets").fetch_all(&mut *tx).await;
        assert!(read.is_err(), "{role:?} must not read");
    }
    let mut tx = world.publisher.begin(&Scope::brand(brand)).await.unwrap();
    let read = sqlx::query("select sealed from account_secrets").fetch_all(&mut *tx).await.unwrap();
    assert_eq!(read.len(), 1);
}
