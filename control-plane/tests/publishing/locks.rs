//! People and jobs that change the same rows at once: one order of locks, and no deadlock as an answer.

use std::time::Duration;

use domain::id::Noun;
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, PgConnection};
use test_database::TestDatabase;
use tokio::time::timeout;
use uuid::Uuid;

use crate::world::{World, id};

/// What a person asks, and the rows that a job locks at the same time: the job itself, then what it writes.
struct Meeting {
    mutation: &'static str,
    input: Value,
    job: String,
    written: String,
}

/// An account with a scheduled target, and a running job for each of the two.
async fn meetings(world: &World) -> Vec<Meeting> {
    let account = world.account("telegram").await;
    let asset = world.photos(1).await[0];
    let job = world.create(&[asset], &[account], json!({})).await["job"]["id"].clone();
    let target = world.targets(&job).await[0]["id"].clone();
    let brand = world.brand;
    world
        .database
        .sql(&format!(
            "update publish_targets set state = 'SCHEDULED', due_at = now(); update brands set paused = true; delete from jobs;
             insert into jobs (id, brand_id, kind, subject, state, holder, lease_until)
             select gen_random_uuid(), '{brand}', 'publish', id, 'running', gen_random_uuid(), now() + interval '1 hour'
               from publish_targets;
             insert into jobs (id, brand_id, kind, subject, state, holder, lease_until)
             select gen_random_uuid(), '{brand}', 'refresh', '{account}', 'running', gen_random_uuid(), now() + interval '1 hour'",
        ))
        .await;
    let lock = |table: &str| format!("select from {table} for update");
    let job_of = |kind: &str| format!("select from jobs where kind = '{kind}' for update");
    let of_account = json!({ "accountId": id(Noun::SocialAccount, account) });
    vec![
        Meeting {
            mutation: "updateAccount",
            input: of_account.clone(),
            job: job_of("publish"),
            written: lock("social_accounts"),
        },
        Meeting {
            mutation: "updateBrand",
            input: json!({ "brandId": id(Noun::Brand, brand), "paused": false }),
            job: job_of("publish"),
            // A job writes what belongs to the brand, never the brand.
            written: "select from brands for key share".to_owned(),
        },
        Meeting {
            mutation: "cancelPublishTargets",
            input: json!({ "targetIds": [target] }),
            job: job_of("publish"),
            written: lock("publish_targets"),
        },
        Meeting {
            mutation: "disconnectAccount",
            input: of_account,
            job: job_of("refresh"),
            written: lock("social_accounts"),
        },
    ]
}

impl Meeting {
    async fn ask(&self, world: &World) -> Value {
        let mut name = self.mutation.chars();
        let kind: String = name.next().into_iter().flat_map(char::to_uppercase).chain(name).collect();
        let query = format!(
            "mutation($in: {kind}Input!) {{ {}(input: $in) {{ userErrors {{ message }} }} }}",
            self.mutation
        );
        world.ask(&query, json!({ "in": self.input })).await[self.mutation]["userErrors"].take()
    }
}

/// Whoever holds rows against the person who asks. `finds_deadlocks_after`: who looks first gives way.
async fn other(database: &TestDatabase, finds_deadlocks_after: &str) -> PgConnection {
    let mut other = database.connect().await;
    let patience = format!("set deadlock_timeout = '{finds_deadlocks_after}'");
    other.execute(patience.as_str()).await.unwrap();
    other
}

/// Waits until somebody waits for a row.
async fn until_somebody_waits(database: &TestDatabase) {
    let mut watcher = database.connect().await;
    let waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    let waits = async {
        while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut watcher).await.unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(20), waits).await.expect("the mutation meets the other transaction");
}

#[tokio::test]
async fn a_person_and_a_job_lock_the_same_rows_in_the_same_order() {
    let world = World::new().await;
    for meeting in meetings(&world).await {
        // It looks for deadlocks long before the mutation does: were there one, it would be told.
        let mut job = other(&world.database, "10ms").await;
        let mut job = job.begin().await.unwrap();
        job.execute(meeting.job.as_str()).await.unwrap();
        let working = async {
            until_somebody_waits(&world.database).await;
            let written = job.execute(meeting.written.as_str()).await;
            written.unwrap_or_else(|error| panic!("{}: {error}", meeting.mutation));
            job.commit().await.unwrap();
        };
        let (refused, ()) = tokio::join!(meeting.ask(&world), working);
        assert_eq!(refused, json!([]), "{}", meeting.mutation);
    }
}

#[tokio::test]
async fn a_mutation_that_postgres_takes_back_is_run_again() {
    let world = World::new().await;
    for meeting in meetings(&world).await {
        // Against the order, and it never gives way: the mutation has to.
        let mut other = other(&world.database, "1h").await;
        let mut other = other.begin().await.unwrap();
        let (first, second) = match meeting.mutation {
            // This one locks its brand first.
            "updateBrand" => (&meeting.job, "select from brands for update".to_owned()),
            _ => (&meeting.written, meeting.job.clone()),
        };
        other.execute(first.as_str()).await.unwrap();
        let working = async {
            until_somebody_waits(&world.database).await;
            other.execute(second.as_str()).await.unwrap();
            other.commit().await.unwrap();
        };
        let (refused, ()) = tokio::join!(meeting.ask(&world), working);
        assert_eq!(refused, json!([]), "{}", meeting.mutation);
    }
}

#[tokio::test]
async fn an_idempotency_key_outlives_a_transaction_that_was_taken_back() {
    let world = World::new().await;
    let mut photos = world.photos(2).await;
    photos.sort();
    let lock = |photo: Uuid| format!("select from media_assets where id = '{photo}' for update");
    let mut other = other(&world.database, "1h").await;
    let mut other = other.begin().await.unwrap();
    other.execute(lock(photos[1]).as_str()).await.unwrap();
    let working = async {
        until_somebody_waits(&world.database).await;
        other.execute(lock(photos[0]).as_str()).await.unwrap();
        other.commit().await.unwrap();
    };
    let create = async || {
        let query = "mutation($in: CreateCarouselInput!) {
            createCarousel(input: $in) { asset { id } userErrors { message } } }";
        let items: Vec<String> = photos.iter().map(|photo| id(Noun::MediaAsset, *photo)).collect();
        let brand = id(Noun::Brand, world.brand);
        let input = json!({ "brandId": brand, "assetIds": items, "idempotencyKey": "once" });
        world.ask(query, json!({ "in": input })).await["createCarousel"]["asset"]["id"].take()
    };
    let (made, ()) = tokio::join!(create(), working);
    assert!(made.is_string(), "{made}");
    assert_eq!(create().await, made, "a repeat is answered with the same");
    assert_eq!(world.database.count("select count(*) from carousel_items").await, 2);
}
