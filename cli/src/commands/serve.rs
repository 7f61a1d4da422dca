//! `reelmill serve`: a control plane process.

use std::{process::ExitCode, sync::Arc};

use anyhow::Context as _;
use backplane::{
    store::{Store, StoreConfig, catalogue},
    telemetry::{self, Health, Metrics},
};
use clap::Args;
use control_plane::{config::ControlPlaneConfig, relay::Relay, sweeper::Sweeper, system::System};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    config::{
        ApiArguments, BrokerArguments, DatabaseArguments, KeyArguments, LogArguments, NetworkArguments,
        Problems, RelayArguments, StorageArguments, checked,
    },
    up::stop_signal,
};

/// Serves the GraphQL API, rings for jobs that are due, and sweeps up after workers that died.
///
/// Any number of these may run at once.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    api: ApiArguments,
    #[command(flatten)]
    database: DatabaseArguments,
    #[command(flatten)]
    relay: RelayArguments,
    #[command(flatten)]
    broker: BrokerArguments,
    #[command(flatten)]
    storage: StorageArguments,
    #[command(flatten)]
    keys: KeyArguments,
    #[command(flatten)]
    networks: NetworkArguments,
    #[command(flatten)]
    log: LogArguments,
}

impl Arguments {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        self.log.init();
        let metrics = Metrics::install()?;
        let (config, relay_store) = self.read()?;
        let (listen, origins) = (config.api.listen, config.api.dashboard_origins.clone());
        let listener = TcpListener::bind(listen).await.with_context(|| format!("listen on {listen}"))?;
        let stop = CancellationToken::new();
        let system = System::start(config, &stop)?;
        let relay_store = Store::connect(relay_store);
        catalogue::prove(&system.store).await?;
        catalogue::prove(&relay_store).await?;
        system.blobs.ensure_bucket(&origins).await.context("prepare the bucket")?;

        let tasks = TaskTracker::new();
        let relay = Relay::new(relay_store.clone(), system.publisher.clone(), Arc::clone(&system.enqueued));
        tasks.spawn(relay.run(stop.clone()));
        tasks.spawn(Sweeper::new(relay_store, system.store.clone()).run(stop.clone()));
        let pages =
            telemetry::router(metrics, health(&system)).merge(control_plane::router(Arc::clone(&system)));
        let ended = stop.clone().cancelled_owned();
        tasks.spawn(async move {
            if let Err(error) = axum::serve(listener, pages).with_graceful_shutdown(ended).await {
                tracing::error!(%error, "the API ended");
            }
        });
        tasks.close();
        stop_signal().await?;
        stop.cancel();
        tasks.wait().await;
        Ok(ExitCode::SUCCESS)
    }

    fn read(&self) -> anyhow::Result<(ControlPlaneConfig, StoreConfig)> {
        let mut problems = Problems::default();
        self.log.check(&mut problems);
        let api = self.api.read(&mut problems);
        let store = self.database.read(&mut problems);
        let relay = self.relay.read(&mut problems);
        let broker = self.broker.read(&mut problems);
        let blobs = self.storage.read(&mut problems);
        let connectors = self.networks.read(&mut problems);
        let master_keys = self.keys.read(&mut problems);
        problems.check()?;
        let config = ControlPlaneConfig {
            api: checked(api)?,
            store: checked(store)?,
            broker: checked(broker)?,
            blobs: checked(blobs)?,
            connectors: checked(connectors)?,
            master_keys: checked(master_keys)?,
        };
        Ok((config, checked(relay)?))
    }
}

fn health(system: &Arc<System>) -> Health {
    let (store, blobs, broker) = (Arc::clone(system), Arc::clone(system), Arc::clone(system));
    Health::default()
        .with("postgres", move || {
            let system = Arc::clone(&store);
            async move { system.store.check().await.map_err(|error| error.to_string()) }
        })
        .with("storage", move || {
            let system = Arc::clone(&blobs);
            async move { system.blobs.check().await.map_err(|error| error.to_string()) }
        })
        .with("broker", move || {
            let up = broker.publisher.is_up() && broker.live.is_up();
            async move { up.then_some(()).ok_or_else(|| "not connected".to_owned()) }
        })
}
