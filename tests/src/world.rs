//! A world for one story, and the questions that every story ends with: is anything stuck, did a secret get out?

use std::{
    collections::BTreeSet, net::Ipv4Addr, os::unix::fs::PermissionsExt as _, path::PathBuf,
    sync::PoisonError, time::Duration,
};

use backplane::{broker::BrokerConfig, migrate::Role, vault::Vault};
use cli::local::{S3Server, free_port, s3::Settings, secret_file};
use secrecy::{ExposeSecret as _, SecretString};
use tempfile::TempDir;
use tokio::sync::Mutex;
use url::Url;
use uuid::Uuid;

use crate::{
    agency::Agency,
    api::{Api, Heard},
    brand::WORK_LIMIT,
    database::Database,
    firehose::Firehose,
    networks::{Networks, http},
    process::Process,
    secrets,
    services::services,
    wait::eventually,
};

/// How long a process may take until it is ready. Debug builds on a busy machine.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// How many lines of complaint are shown of a story that failed.
const COMPLAINTS: usize = 20;
/// The bucket of every story.
const BUCKET: &str = "stories";
/// All that could ever be said, so that the search for secrets has something to find them in.
const EVERYTHING: &str = "debug,hyper=info,h2=info,aws=info,lapin=info";
/// Where networks send people back to; nobody listens there.
pub const REDIRECT_URL: &str = "http://127.0.0.1:9/connect/callback";

/// What a story wants different.
pub struct WorldOptions {
    /// How many workers of every kind are there from the start.
    pub workers: usize,
    /// A broker of its own, in place of the one that the stories share.
    pub amqp_url: Option<SecretString>,
    /// The same, and one whose messages are searched for secrets at the end.
    pub firehose: Option<Firehose>,
    /// What the processes log, as `RUST_LOG` says it.
    pub log_filter: &'static str,
}

impl Default for WorldOptions {
    fn default() -> Self {
        Self { workers: 1, amqp_url: None, firehose: None, log_filter: EVERYTHING }
    }
}

/// A whole Reelmill with its own data.
pub struct World {
    pub networks: Networks,
    pub database: Database,
    pub heard: Heard,
    control_plane: Mutex<Process>,
    workers: Vec<Process>,
    /// The metrics page of every process that was ever started.
    metrics: std::sync::Mutex<Vec<Url>>,
    pub s3: S3Server,
    graphql: Url,
    pub firehose: Option<Firehose>,
    amqp_url: SecretString,
    amqp_prefix: String,
    log_filter: &'static str,
    master_keys: SecretString,
    folder: TempDir,
}

impl World {
    /// One control plane, one worker, everything empty.
    pub async fn start() -> Self {
        Self::with(WorldOptions::default()).await
    }

    /// Starts it as the story wants it.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn with(options: WorldOptions) -> Self {
        let services = services().await;
        let folder = tempfile::Builder::new().prefix("reelmill-story-").tempdir().unwrap();
        // The jailed engine's own user must be able to reach its scratch folder.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
        let master_keys = Vault::generate_master_key("stories").unwrap();
        secret_file::write(&folder.path().join("master.key"), master_keys.expose_secret().as_bytes())
            .unwrap();
        let settings = Settings { bucket: BUCKET.to_owned(), origins: Vec::new(), port: Some(0) };
        let port = free_port(None).unwrap();
        let graphql: Url = format!("http://{}:{port}/graphql", Ipv4Addr::LOCALHOST).parse().unwrap();
        let own_broker = options.amqp_url.or_else(|| options.firehose.as_ref().map(Firehose::url));
        let amqp_url = own_broker.unwrap_or_else(|| services.amqp_url.clone());
        let (sandbox_dir, s3_dir) = (folder.path().join("sandbox"), folder.path().join("s3"));
        let (networks, database, s3) = tokio::join!(
            Networks::start(&sandbox_dir),
            Database::create(services),
            S3Server::start(&s3_dir, settings),
        );
        let mut world = Self {
            control_plane: Mutex::new(Process::start(&["schema"], &[], &folder.path().join("schema.log"))),
            workers: Vec::new(),
            heard: Heard::default(),
            metrics: std::sync::Mutex::new(vec![graphql.join("/metrics").unwrap()]),
            amqp_prefix: format!("story-{}.", Uuid::now_v7().simple()),
            s3: s3.unwrap(),
            networks,
            database,
            graphql,
            firehose: options.firehose,
            amqp_url,
            log_filter: options.log_filter,
            master_keys,
            folder,
        };
        world.start_control_plane().await;
        for _ in 0..options.workers {
            let worker = world.worker(&[]).await;
            world.workers.push(worker);
        }
        world
    }

    /// Starts the control plane; the one before it, if it still runs, is killed.
    pub async fn start_control_plane(&self) {
        let origin = self.graphql.origin().ascii_serialization();
        let mut environment = self.environment();
        environment.extend([
            ("DATABASE_URL", self.database.url(Role::Api)),
            ("RELAY_DATABASE_URL", self.database.url(Role::Relay)),
            ("DATABASE_CONNECTIONS", "8".to_owned()),
            ("LISTEN", origin.trim_start_matches("http://").to_owned()),
            ("PUBLIC_URL", origin.clone()),
            ("OAUTH_REDIRECT_URLS", REDIRECT_URL.to_owned()),
            ("REELMILL_LOCAL", "true".to_owned()),
        ]);
        let mut process = Process::start(&["serve"], &environment, &self.log("control-plane"));
        wait_ready(&mut process, &self.graphql.join("/readyz").unwrap()).await;
        *self.control_plane.lock().await = process;
    }

    /// Starts another worker, of all kinds of jobs unless these settings say otherwise: `[("KINDS", "transcode")]`.
    /// It ends with what is returned.
    ///
    /// # Panics
    /// When it does not become ready.
    pub async fn worker(&self, settings: &[(&str, &str)]) -> Process {
        let port = free_port(None).unwrap();
        let metrics: Url = format!("http://127.0.0.1:{port}/metrics").parse().unwrap();
        let mut environment = self.environment();
        environment.extend([
            ("DATABASE_URL", self.database.url(Role::Publisher)),
            ("DATABASE_CONNECTIONS", "8".to_owned()),
            ("METRICS_LISTEN", format!("127.0.0.1:{port}")),
            ("SCRATCH_DIR", self.folder.path().join("scratch").display().to_string()),
            ("DRAIN_SECONDS", "2".to_owned()),
        ]);
        let mut environment: Vec<(&str, String)> = environment;
        environment.extend(settings.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let mut process = Process::start(&["work"], &environment, &self.log(&format!("worker-{port}")));
        wait_ready(&mut process, &metrics.join("/readyz").unwrap()).await;
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner).push(metrics);
        process
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let keys = self.s3.credentials();
        let app = || "reelmill-sandbox".to_owned();
        vec![
            ("AMQP_URL", self.amqp_url.expose_secret().to_owned()),
            ("AMQP_PREFIX", self.amqp_prefix.clone()),
            ("S3_ENDPOINT", self.s3.url()),
            ("S3_BUCKET", BUCKET.to_owned()),
            ("S3_ACCESS_KEY_ID", keys.access_key_id.clone()),
            ("S3_SECRET_ACCESS_KEY", keys.secret_access_key.expose_secret().to_owned()),
            ("MASTER_KEY_FILE", self.folder.path().join("master.key").display().to_string()),
            ("SANDBOX_URL", self.networks.url.to_string()),
            ("INSTAGRAM_CLIENT_ID", app()),
            ("INSTAGRAM_CLIENT_SECRET", "reelmill-sandbox-secret".to_owned()),
            ("TIKTOK_CLIENT_KEY", app()),
            ("TIKTOK_CLIENT_SECRET", "reelmill-sandbox-secret".to_owned()),
            ("RUST_LOG", self.log_filter.to_owned()),
        ]
    }

    /// Somebody who is not signed in.
    #[must_use]
    pub fn stranger(&self) -> Api {
        Api::anonymous(self.graphql.clone(), self.heard.clone())
    }

    /// A new organisation with an owner who is signed in.
    pub async fn agency(&self, name: &str) -> Agency<'_> {
        Agency::create(self, name).await
    }

    /// The environment for an operator's commands.
    #[must_use]
    pub fn operator(&self) -> Vec<(&'static str, String)> {
        vec![("DATABASE_URL", self.database.url(Role::Api))]
    }

    /// How to reach the queues of this world.
    ///
    /// # Panics
    /// Never: the processes read the same address.
    #[must_use]
    pub fn broker(&self) -> BrokerConfig {
        BrokerConfig::parse(&self.amqp_url, &self.amqp_prefix).unwrap()
    }

    /// Where files may be put that end with the story.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Everything that the processes logged.
    ///
    /// # Panics
    /// When a log cannot be read.
    #[must_use]
    pub fn logs(&self) -> String {
        let logs = std::fs::read_dir(self.folder.path()).unwrap();
        let logs = logs
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "log"));
        logs.map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()).collect()
    }

    /// The metrics of every process that still runs.
    pub async fn metrics_text(&self) -> String {
        let http = http();
        let mut all = String::new();
        let pages = self.metrics.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for url in pages {
            if let Ok(answer) = http.get(url).send().await {
                all.push_str(&answer.text().await.unwrap_or_default());
            }
        }
        all
    }

    /// Ends a story: no target may be left waiting for nothing, and no secret outside its place.
    ///
    /// # Panics
    /// When there is.
    pub async fn finish(mut self) {
        self.control_plane.lock().await.assert_alive();
        self.assert_nothing_waits().await;
        let metrics = self.metrics_text().await;
        for must_be_zero in ["reelmill_stuck_total", "reelmill_ledger_mismatch_total"] {
            for line in metrics.lines().filter(|line| line.starts_with(must_be_zero)) {
                assert!(line.ends_with(" 0"), "{line}");
            }
        }
        secrets::assert_kept(&self, &self.master_keys, &metrics).await;
        self.database.pool.close().await;
        if let Some(firehose) = self.firehose.take() {
            firehose.stop().await;
        }
    }

    /// Lets nothing happen by itself any more: what is due comes to its end, and what would be due within the
    /// next hour is put off.
    pub async fn rest(&self) {
        let later =
            "update jobs set run_at = run_at + interval '1 hour' where state = 'ready' and run_at > now()";
        let busy =
            "select count(*) from jobs where state = 'running' or (state = 'ready' and run_at <= now())";
        eventually("all work is done", WORK_LIMIT, async || {
            self.database.run(later).await;
            (self.database.count(busy).await == 0).then_some(())
        })
        .await;
    }

    /// Every row that a call could change, as text: two of these differ by what was written in between.
    pub async fn rows(&self) -> BTreeSet<(String, String)> {
        self.database.dump(&["sessions", "workers"]).await.into_iter().collect()
    }

    /// Fails when a row differs from what [`World::rows`] gave before.
    ///
    /// # Panics
    /// When one does.
    pub async fn assert_unchanged(&self, before: &BTreeSet<(String, String)>) {
        let now = self.rows().await;
        let changed: Vec<_> = now.symmetric_difference(before).collect();
        assert!(
            changed.is_empty(),
            "these rows were written, and are here as they were and as they are: {changed:#?}"
        );
    }

    /// Fails when a target is in preparation, or on its way, and no job would ever move it on.
    ///
    /// # Panics
    /// When one is.
    pub async fn assert_nothing_waits(&self) {
        let waiting = "select count(*) from publish_targets where state in ('PREPARING', 'PUBLISHING', 'UNCONFIRMED') \
             and not exists (select from jobs where subject = publish_targets.id and jobs.state in ('ready', 'running')) \
             and not exists (select from media_assets a join jobs j on j.subject = a.id and j.state in ('ready', 'running') \
                             where a.id = publish_targets.asset_id) \
             and not exists (select from media_assets a where a.id = publish_targets.asset_id and a.state = 'UPLOADING')";
        assert_eq!(self.database.count(waiting).await, 0, "targets wait for nothing");
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.log"))
    }
}

/// After a failure the logs are what one wants to read: they stay, and their complaints are shown.
impl Drop for World {
    #[expect(clippy::print_stderr, reason = "the test runner shows it below the failure")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            let logs = self.logs();
            let complaints: Vec<&str> =
                logs.lines().filter(|line| is_complaint(line)).take(COMPLAINTS).collect();
            let at = self.folder.path().display();
            eprintln!("the logs of this world are in {at}; they complain:\n{}", complaints.join("\n"));
        }
    }
}

fn is_complaint(line: &str) -> bool {
    ["\"ERROR\"", "\"WARN\"", "panicked"].iter().any(|sign| line.contains(sign))
}

async fn wait_ready(process: &mut Process, url: &Url) {
    let http = http();
    eventually("the process is ready", READY_LIMIT, async || {
        process.assert_alive();
        let answer = http.get(url.clone()).send().await.ok()?;
        answer.status().is_success().then_some(())
    })
    .await;
}
