//! `reelmill doctor`: whether this machine and this configuration can do the work.

use std::{path::Path, process::ExitCode, time::Duration};

use backplane::{
    blobs::Blobs,
    broker::Publisher,
    store::{Store, catalogue},
};
use clap::Args;
use tokio::{process::Command, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{BrokerArguments, DatabaseArguments, EngineArguments, KeyArguments, Problems, StorageArguments},
    console::say,
};

/// How long each check may take.
const CHECK_LIMIT: Duration = Duration::from_secs(10);

/// Checks everything that a process needs, one line each, and fails when something does not work.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    database: DatabaseArguments,
    #[command(flatten)]
    broker: BrokerArguments,
    #[command(flatten)]
    storage: StorageArguments,
    #[command(flatten)]
    keys: KeyArguments,
    #[command(flatten)]
    engine: EngineArguments,
}

impl Arguments {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let mut problems = Problems::default();
        let database = self.database.read(&mut problems);
        let broker = self.broker.read(&mut problems);
        let storage = self.storage.read(&mut problems);
        let keys = self.keys.read(&mut problems);
        let engine = self.engine.read(&mut problems);
        let mut well = true;
        let mut tell = |what: &str, result: Result<(), String>| {
            well &= result.is_ok();
            say(format_args!("{:<15} {}", what, result.err().unwrap_or_else(|| "works".to_owned())));
        };
        if let Err(error) = problems.check() {
            tell("Configuration", Err(error.to_string()));
        }
        if let Some(config) = database {
            let store = Store::connect(config);
            tell(
                "Postgres",
                within(async { catalogue::prove(&store).await.map_err(|error| explain(&error)) }).await,
            );
        }
        if let Some(config) = broker {
            let stop = CancellationToken::new();
            let publisher = Publisher::start(config, stop.clone());
            tell(
                "RabbitMQ",
                within(async {
                    publisher.ready().await;
                    Ok(())
                })
                .await,
            );
            stop.cancel();
        }
        if let Some(config) = storage {
            let blobs = Blobs::new(&config);
            tell(
                "Object storage",
                within(async { blobs.check().await.map_err(|error| explain(&error)) }).await,
            );
        }
        if keys.is_some() {
            tell("Master key", Ok(()));
        }
        if let Some(config) = engine {
            tell("Media engine", runs(&config.executable, "--version").await);
        }
        Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

async fn within(check: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    match timeout(CHECK_LIMIT, check).await {
        Ok(result) => result,
        Err(_) => Err(format!(
            "does not answer within {} s: is it running, and is its address right?",
            CHECK_LIMIT.as_secs()
        )),
    }
}

async fn runs(program: &Path, argument: &str) -> Result<(), String> {
    let output = Command::new(program).arg(argument).env_clear().kill_on_drop(true).output();
    match timeout(CHECK_LIMIT, output).await {
        Ok(Ok(output)) if output.status.success() => Ok(()),
        Ok(Ok(output)) => Err(format!("{} ends with {}", program.display(), output.status)),
        Ok(Err(error)) => Err(format!("{} does not start: {error}", program.display())),
        Err(_) => Err(format!("{} does not end", program.display())),
    }
}

/// An error with its causes, in one line.
fn explain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
