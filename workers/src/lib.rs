//! The consume loop and one file per job kind.
//!
//! A worker takes a slot, pulls a doorbell, claims the row that it names, acknowledges the message,
//! does the work under a lease, and settles the row in the transaction that writes the results.

mod accounts;
mod author;
mod context;
mod execute;
mod failpoint;
pub mod jail;
mod kinds;
mod lease;
mod metrics;
mod secrets;

use std::sync::Arc;
use std::time::Duration;

use backplane::blobs::Blobs;
use backplane::broker::{BrokerConfig, Consumer, Publisher};
use backplane::job_kind::JobKind;
use backplane::store::{Store, catalogue, jobs};
use backplane::vault::Vault;
use connectors::Connectors;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::author::Rules;
use crate::context::Context;
use crate::jail::{Engine, EngineConfig, EngineFailure, Layers};
use crate::lease::Leases;
use crate::metrics::Metrics;
use crate::secrets::Secrets;

/// How often a worker says that it lives, which keeps the relay's window open.
const REPORT_EVERY: Duration = Duration::from_secs(10);

/// What one pool of slots takes, and with what.
#[derive(Debug)]
pub struct WorkerConfig {
    pub kinds: Vec<JobKind>,
    pub slots: u32,
    pub store: Store,
    pub broker: BrokerConfig,
    pub blobs: Blobs,
    pub connectors: Connectors,
    /// `None`: kinds that need secrets must not be among `kinds`.
    pub vault: Option<Vault>,
    pub engine: EngineConfig,
    /// After a stop is asked for, running jobs may go on for this long before they are dropped.
    pub drain: Duration,
    /// Tests alone: die, or stop, at a label of `failpoint`.
    pub crash_at: Option<String>,
    pub stop_at: Option<String>,
    /// Benches alone: networks' rates are not kept.
    pub budgets_lifted: bool,
}

/// Why a worker does not start.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// Kinds and keys do not fit together.
    #[error("the kind `{0}` opens tokens: give this worker the master key, or leave the kind out")]
    NeedsMasterKey(JobKind),
    /// The database does not guard brands from each other.
    #[error(transparent)]
    Catalogue(#[from] catalogue::CatalogueError),
    /// The jail cannot be prepared.
    #[error("the scratch directory or the process cannot be prepared: {0}")]
    Jail(#[from] std::io::Error),
    /// The engine does not start, so no job of media could be done.
    #[error("the media engine does not work: {0}")]
    Engine(#[from] EngineFailure),
    /// The machine cannot give what was asked for.
    #[error("the jail of the media engine does not hold, and REQUIRE_JAIL asks for it: {0}")]
    JailIncomplete(String),
}

/// Whether a worker can take jobs now, for `/readyz`.
#[derive(Clone, Debug)]
pub struct Readiness {
    consumer: Arc<Consumer>,
    publisher: Publisher,
    stop: CancellationToken,
}

impl Readiness {
    /// The broker's queues are consumed, and nobody asked to stop.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.consumer.is_up() && self.publisher.is_up() && !self.stop.is_cancelled()
    }
}

/// A worker that runs until it is stopped.
#[derive(Debug)]
pub struct Worker {
    context: Arc<Context>,
    consumer: Arc<Consumer>,
    kinds: Vec<JobKind>,
    slots: u32,
    drain: Duration,
    stop: CancellationToken,
}

impl Worker {
    /// Checks everything and connects; jobs are taken by [`Worker::run`]. `stop` ends it.
    ///
    /// # Errors
    /// [`WorkerError`], before any job is touched.
    pub async fn start(config: WorkerConfig, stop: CancellationToken) -> Result<Self, WorkerError> {
        if config.vault.is_none()
            && let Some(kind) = config.kinds.iter().find(|kind| kind.handling().needs_secrets)
        {
            return Err(WorkerError::NeedsMasterKey(*kind));
        }
        catalogue::prove(&config.store).await?;
        failpoint::arm(config.crash_at, config.stop_at);
        let require_jail = config.engine.require_jail;
        let engine = Engine::new(config.engine)?;
        if config.kinds.iter().any(|kind| kind.handling().runs_engine) {
            check_jail(&engine.layers().await?, require_jail)?;
        }
        let context = Arc::new(Context {
            holder: Uuid::now_v7(),
            store: config.store,
            blobs: config.blobs,
            publisher: Publisher::start(config.broker.clone(), stop.clone()),
            connectors: config.connectors,
            secrets: Secrets::new(config.vault),
            engine,
            author: Box::new(Rules),
            leases: Leases::default(),
            metrics: Metrics::new(&config.kinds),
            budgets_lifted: config.budgets_lifted,
        });
        let consumer = Consumer::start(config.broker, &config.kinds, config.slots, stop.clone());
        Ok(Self {
            context,
            consumer: Arc::new(consumer),
            kinds: config.kinds,
            slots: config.slots,
            drain: config.drain,
            stop,
        })
    }

    /// What `/readyz` asks.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        Readiness {
            consumer: Arc::clone(&self.consumer),
            publisher: self.context.publisher.clone(),
            stop: self.stop.clone(),
        }
    }

    /// Takes jobs until it is stopped, then lets those that run end, for the drain's time. What is
    /// dropped after that is handed to others when its lease runs out.
    pub async fn run(self) {
        let leases_stop = CancellationToken::new();
        let mut around = JoinSet::new();
        let context = Arc::clone(&self.context);
        let token = leases_stop.clone();
        around.spawn(async move { context.leases.keep(&context.store, context.holder, token).await });
        around.spawn(report(Arc::clone(&self.context), self.kinds.clone(), self.slots, self.stop.clone()));

        let running = TaskTracker::new();
        while let Some(delivery) = self.consumer.next().await {
            running.spawn(execute::execute(Arc::clone(&self.context), delivery));
        }
        running.close();
        if tokio::time::timeout(self.drain, running.wait()).await.is_err() {
            tracing::warn!(jobs = running.len(), "jobs were still running at the end of the drain");
            self.context.leases.cancel_all();
            running.wait().await;
        }
        leases_stop.cancel();
        while around.join_next().await.is_some() {}
        if let Err(error) = jobs::forget_worker(&self.context.store, self.context.holder).await {
            tracing::debug!(%error, "the relay forgets this worker by itself");
        }
    }
}

/// Says which layers hold, and whether the worker may go on with them.
fn check_jail(layers: &Layers, required: bool) -> Result<(), WorkerError> {
    layers.tell();
    if required && !layers.missing.is_empty() {
        return Err(WorkerError::JailIncomplete(domain::jail::explain(&layers.missing)));
    }
    Ok(())
}

async fn report(context: Arc<Context>, kinds: Vec<JobKind>, slots: u32, stop: CancellationToken) {
    let slots: Vec<(JobKind, u32)> = kinds.into_iter().map(|kind| (kind, slots)).collect();
    let mut tick = tokio::time::interval(REPORT_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = jobs::report_slots(&context.store, context.holder, &slots).await {
            tracing::warn!(%error, "the number of slots was not reported");
        }
    }
}
