//! The ledger in a database of its own, as each role sees it.

use std::ops::Deref;

use backplane::job_kind::{JobKind, Lane};
use backplane::migrate::Role;
use backplane::store::jobs::{self, Claim, Doorbell, NewJob};
use backplane::store::{Scope, Store};
use test_database::TestDatabase;
use uuid::Uuid;

pub struct World {
    pub api: Store,
    pub worker: Store,
    pub publisher: Store,
    pub relay: Store,
    /// This process, to the ledger.
    pub holder: Uuid,
    database: TestDatabase,
}

impl Deref for World {
    type Target = TestDatabase;
    fn deref(&self) -> &TestDatabase {
        &self.database
    }
}

impl World {
    pub async fn new() -> Self {
        let database = TestDatabase::create().await;
        Self {
            api: database.store(Role::Api, 4),
            worker: database.store(Role::Worker, 12),
            publisher: database.store(Role::Publisher, 2),
            relay: database.store(Role::Relay, 2),
            holder: Uuid::now_v7(),
            database,
        }
    }

    /// A brand in an organisation of its own.
    pub async fn brand(&self) -> Uuid {
        let id = Uuid::now_v7();
        self.sql(&format!(
            "insert into organizations (id, name) values ('{id}', 'Agency');
             insert into brands (id, organization_id, name, timezone) values ('{id}', '{id}', 'Brand', 'Europe/Berlin')"
        ))
        .await;
        id
    }

    pub async fn account(&self, brand: Uuid) -> Uuid {
        let id = Uuid::now_v7();
        self.sql(&format!(
            "insert into social_accounts (id, brand_id, platform, external_id, handle, state)
             values ('{id}', '{brand}', 'telegram', '{id}', '@brand', 'CONNECTED')"
        ))
        .await;
        id
    }

    /// A target that is scheduled on `account`.
    pub async fn scheduled_target(&self, brand: Uuid, account: Uuid) -> Uuid {
        let id = Uuid::now_v7();
        self.sql(&format!(
            "insert into media_assets (id, brand_id, source, kind, state, listed_at)
             values ('{id}', '{brand}', 'UPLOAD', 'IMAGE', 'PROBING', now());
             insert into publish_jobs (id, brand_id, captions, submitted_at) values ('{id}', '{brand}', 'ORIGINAL', now());
             insert into publish_targets (id, brand_id, job_id, position, asset_id, account_id, platform, state, content_key)
             values ('{id}', '{brand}', '{id}', 0, '{id}', '{account}', 'telegram', 'SCHEDULED', uuid_send('{id}'))"
        ))
        .await;
        id
    }

    pub async fn enqueue(&self, brand: Uuid, jobs: &[NewJob]) {
        let mut tx = self.api.begin(&Scope::brand(brand)).await.unwrap();
        jobs::enqueue(&mut tx, brand, jobs).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A probe of a new subject, due at once.
    pub async fn job(&self, brand: Uuid) -> (Doorbell, Uuid) {
        let subject = Uuid::now_v7();
        self.enqueue(brand, &[NewJob::now(JobKind::Probe, Lane::Now, subject)]).await;
        (self.bell(subject).await, subject)
    }

    pub async fn bell(&self, subject: Uuid) -> Doorbell {
        let row: (Uuid, Uuid) = sqlx::query_as(
            "select id, brand_id from jobs where subject = $1 order by created_at desc limit 1",
        )
        .bind(subject)
        .fetch_one(&mut self.connect().await)
        .await
        .unwrap();
        Doorbell { job: row.0, brand: row.1 }
    }

    pub async fn claim(&self, bell: Doorbell) -> Option<Claim> {
        jobs::claim(&self.worker, JobKind::Probe, bell, self.holder).await.unwrap()
    }

    pub async fn state(&self, subject: Uuid) -> String {
        sqlx::query_scalar("select state from jobs where subject = $1 order by created_at desc limit 1")
            .bind(subject)
            .fetch_one(&mut self.connect().await)
            .await
            .unwrap()
    }

    /// Lets a lease run out now.
    pub async fn expire(&self, bell: Doorbell) {
        self.sql(&format!("update jobs set lease_until = now() - interval '1 s' where id = '{}'", bell.job))
            .await;
    }

    /// Lets what waits for a time be due now.
    pub async fn pass_time(&self) {
        self.sql("update jobs set run_at = now() where state = 'ready'").await;
    }
}
