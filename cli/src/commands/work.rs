//! `reelmill work`: a worker process.

use std::{net::SocketAddr, process::ExitCode, time::Duration};

use anyhow::Context as _;
use backplane::{
    blobs::Blobs,
    job_kind::JobKind,
    store::Store,
    telemetry::{self, Health, Metrics},
    vault::Vault,
};
use clap::Args;
use connectors::Connectors;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use workers::{Worker, WorkerConfig};

use crate::{
    config::{
        BrokerArguments, DatabaseArguments, EngineArguments, KeyArguments, LogArguments, NetworkArguments,
        Problems, StorageArguments, checked,
    },
    up::stop_signal,
};

/// Takes jobs until Ctrl-C or SIGTERM, then finishes what it does. Add and kill workers at any time.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The kinds of jobs to take, separated by commas: probe, transcode (and with it part, the pieces of long videos),
    /// caption, publish, ingest, fetch, refresh, revoke, housekeeping [default: all; without a master key, those that
    /// open no tokens].
    #[arg(long, env = "KINDS", value_delimiter = ',')]
    kinds: Vec<String>,
    /// How many jobs to work on at once.
    #[arg(long, env = "SLOTS", default_value = "4")]
    slots: String,
    /// How long running jobs may go on after SIGTERM, seconds; what is not finished is taken up by others.
    #[arg(long, env = "DRAIN_SECONDS", default_value = "20")]
    drain_seconds: String,
    /// Where /metrics, /livez and /readyz are served.
    #[arg(long, env = "METRICS_LISTEN", default_value = "127.0.0.1:4201")]
    metrics_listen: String,
    /// For tests: die at this point of a job's life.
    #[arg(long, env = "REELMILL_CRASH_AT", hide = true)]
    crash_at: Option<String>,
    /// For tests: stop (as by SIGSTOP) at this point of a job's life.
    #[arg(long, env = "REELMILL_STOP_AT", hide = true)]
    stop_at: Option<String>,
    /// For benches: do not keep the networks' rates.
    #[arg(long, env = "REELMILL_BUDGETS_LIFTED", hide = true)]
    budgets_lifted: bool,
    #[command(flatten)]
    database: DatabaseArguments,
    #[command(flatten)]
    broker: BrokerArguments,
    #[command(flatten)]
    storage: StorageArguments,
    #[command(flatten)]
    keys: KeyArguments,
    #[command(flatten)]
    networks: NetworkArguments,
    #[command(flatten)]
    engine: EngineArguments,
    #[command(flatten)]
    log: LogArguments,
}

impl Arguments {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        self.log.init();
        let metrics = Metrics::install()?;
        let (listen, config, store, blobs) = self.read()?;
        let listener = TcpListener::bind(listen).await.with_context(|| format!("listen on {listen}"))?;
        let stop = CancellationToken::new();
        let worker = Worker::start(config, stop.clone()).await?;
        let health = health(store, blobs, &worker);
        let page = telemetry::router(metrics, health);
        let served = tokio::spawn(async move { axum::serve(listener, page).await });
        tokio::spawn(async move {
            if let Err(error) = stop_signal().await {
                tracing::error!(error = format!("{error:#}"), "signals cannot be received");
            }
            stop.cancel();
        });
        worker.run().await;
        served.abort();
        Ok(ExitCode::SUCCESS)
    }

    fn read(self) -> anyhow::Result<(SocketAddr, WorkerConfig, Store, Blobs)> {
        let mut problems = Problems::default();
        self.log.check(&mut problems);
        let slots = problems.number("SLOTS", &self.slots, 1..=256);
        let drain_seconds = problems.number("DRAIN_SECONDS", &self.drain_seconds, 0..=3600);
        let listen = problems.listen("METRICS_LISTEN", &self.metrics_listen);
        let kinds = self.read_kinds(&mut problems);
        let database = self.database.read(&mut problems);
        let broker = self.broker.read(&mut problems);
        let storage = self.storage.read(&mut problems);
        let connectors = self.networks.read(&mut problems);
        let engine = self.engine.read(&mut problems);
        let vault = self.keys.given().then(|| self.keys.read(&mut problems)).flatten();
        let vault = vault.and_then(|keys| problems.take("MASTER_KEY_FILE", Vault::parse(&keys)));
        problems.check()?;
        let store = Store::connect(checked(database)?);
        let blobs = Blobs::new(&checked(storage)?);
        let config = WorkerConfig {
            kinds,
            slots: checked(slots)?,
            store: store.clone(),
            broker: checked(broker)?,
            blobs: blobs.clone(),
            connectors: Connectors::new(checked(connectors)?),
            vault,
            engine: checked(engine)?,
            drain: Duration::from_secs(checked(drain_seconds)?),
            crash_at: self.crash_at,
            stop_at: self.stop_at,
            budgets_lifted: self.budgets_lifted,
        };
        Ok((checked(listen)?, config, store, blobs))
    }

    fn read_kinds(&self, problems: &mut Problems) -> Vec<JobKind> {
        if self.kinds.is_empty() {
            let with_secrets = self.keys.given();
            return JobKind::ALL
                .into_iter()
                .filter(|kind| with_secrets || !kind.handling().needs_secrets)
                .collect();
        }
        let kinds = self.kinds.iter();
        let mut kinds: Vec<JobKind> = kinds.filter_map(|name| problems.take("KINDS", name.parse())).collect();
        // Nobody else would make the parts that a transcode asks for.
        if kinds.contains(&JobKind::Transcode) {
            kinds.push(JobKind::Part);
        }
        kinds.sort_unstable();
        kinds.dedup();
        if let Some(kind) = kinds.iter().find(|kind| kind.handling().needs_secrets && !self.keys.given()) {
            problems.add("MASTER_KEY_FILE", format_args!("is not set, and the kind {kind} opens tokens"));
        }
        kinds
    }
}

fn health(store: Store, blobs: Blobs, worker: &Worker) -> Health {
    let readiness = worker.readiness();
    Health::default()
        .with("postgres", move || {
            let store = store.clone();
            async move { store.check().await.map_err(|error| error.to_string()) }
        })
        .with("storage", move || {
            let blobs = blobs.clone();
            async move { blobs.check().await.map_err(|error| error.to_string()) }
        })
        .with("broker", move || {
            let ready = readiness.is_ready();
            async move { ready.then_some(()).ok_or_else(|| "not connected, or stopping".to_owned()) }
        })
}
