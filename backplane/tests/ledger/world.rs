//! A database of its own for each test, copied from one that was migrated once.

use std::time::Duration;

use backplane::job_kind::{JobKind, Lane};
use backplane::migrate::{Role, migrate};
use backplane::store::jobs::{self, Claim, Doorbell, NewJob};
use backplane::store::{Scope, Store, StoreConfig};
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection};
use tokio::sync::OnceCell;
use uuid::Uuid;

static TEMPLATE: OnceCell<String> = OnceCell::const_new();

pub struct World {
    name: String,
    pub admin: PgConnectOptions,
    pub api: Store,
    pub worker: Store,
    pub publisher: Store,
    pub relay: Store,
    /// This process, to the ledger.
    pub holder: Uuid,
}

fn cluster() -> PgConnectOptions {
    let url = std::env::var("TEST_DATABASE_URL").unwrap();
    url.parse::<PgConnectOptions>().unwrap().disable_statement_logging()
}

/// A migrated database, made once for each set of migrations and then copied.
async fn template() -> String {
    TEMPLATE.get_or_init(make_template).await.clone()
}

async fn make_template() -> String {
    let name = format!("reelmill_template_{}", fingerprint());
    let mut connection = cluster().connect().await.unwrap();
    // Other test processes may want the same one now.
    connection.execute("select pg_advisory_lock(7265656)").await.unwrap();
    let there = "select exists (select from pg_database where datname = $1)";
    let there: bool = sqlx::query_scalar(there).bind(&name).fetch_one(&mut connection).await.unwrap();
    if !there {
        // Under another name until it is whole, for the case that this process is stopped.
        let draft = format!("reelmill_draft_{}", Uuid::now_v7().simple());
        connection.execute(format!("create database {draft}").as_str()).await.unwrap();
        let mut url = url::Url::parse(&std::env::var("TEST_DATABASE_URL").unwrap()).unwrap();
        url.set_path(&draft);
        migrate(&SecretString::from(url.to_string()), &[]).await.unwrap();
        let rename = format!("alter database {draft} rename to {name}");
        connection.execute(rename.as_str()).await.unwrap();
    }
    connection.close().await.unwrap();
    name
}

/// Of all migrations: others mean another template.
fn fingerprint() -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        hash.update(std::fs::read(file).unwrap());
    }
    hex::encode(&hash.finalize()[..8])
}

fn store(admin: &PgConnectOptions, role: Role, connections: u32) -> Store {
    // The tests' own login takes the role on at once: what it may do is the role's, not its own.
    let options = admin.clone().options([("role", role.name())]);
    Store::connect(StoreConfig {
        options,
        connections_max: connections,
        acquire_timeout: Duration::from_secs(20),
        statement_timeout: Duration::from_secs(20),
    })
}

impl World {
    pub async fn new() -> Self {
        let name = format!("reelmill_test_{}", Uuid::now_v7().simple());
        let template = template().await;
        let mut connection = cluster().connect().await.unwrap();
        let copy = format!("create database {name} template {template}");
        connection.execute(copy.as_str()).await.unwrap();
        connection.close().await.unwrap();
        let admin = cluster().database(&name);
        Self {
            api: store(&admin, Role::Api, 4),
            worker: store(&admin, Role::Worker, 12),
            publisher: store(&admin, Role::Publisher, 2),
            relay: store(&admin, Role::Relay, 2),
            admin,
            name,
            holder: Uuid::now_v7(),
        }
    }

    pub async fn admin(&self) -> PgConnection {
        self.admin.connect().await.unwrap()
    }

    /// Runs SQL as the owner, past all policies: what a test finds given, or looks at.
    pub async fn sql(&self, statements: &str) {
        self.admin().await.execute(statements).await.unwrap();
    }

    pub async fn count(&self, question: &str) -> i64 {
        sqlx::query_scalar(question).fetch_one(&mut self.admin().await).await.unwrap()
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
        .fetch_one(&mut self.admin().await)
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
            .fetch_one(&mut self.admin().await)
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

impl Drop for World {
    fn drop(&mut self) {
        let (name, cluster) = (self.name.clone(), cluster());
        // Dropping is not asynchronous; a thread of its own may wait.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut connection = cluster.connect().await.unwrap();
                let _ = connection.execute(format!("drop database {name} with (force)").as_str()).await;
            });
        });
        let _ = dropped.join();
    }
}
