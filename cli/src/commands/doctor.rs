//! `reelmill doctor`: whether this machine and this configuration can do the work.

use std::{process::ExitCode, time::Duration};

use backplane::{
    blobs::Blobs,
    broker::Publisher,
    store::{Store, catalogue},
};
use clap::Args;
use domain::jail;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use workers::jail::{Engine, EngineConfig};

use crate::{
    config::{
        BrokerArguments, DatabaseArguments, EngineArguments, KeyArguments, Problems, RelayArguments,
        StorageArguments,
    },
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
    relay: RelayArguments,
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
        let relay = self.relay.given().then(|| self.relay.read(&mut problems)).flatten();
        let broker = self.broker.read(&mut problems);
        let storage = self.storage.read(&mut problems);
        let keys = self.keys.read(&mut problems);
        let engine = self.engine.read(&mut problems);
        let mut well = true;
        let mut tell = |what: &str, result: Result<String, String>| {
            well &= result.is_ok();
            say(format_args!("{:<15} {}", what, result.unwrap_or_else(|problem| problem)));
        };
        if let Err(error) = problems.check() {
            tell("Configuration", Err(error.to_string()));
        }
        for (what, config) in [("Postgres", database), ("Relay's login", relay)] {
            let Some(config) = config else { continue };
            let store = Store::connect(config);
            tell(
                what,
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
            tell("Master key", Ok(works()));
        }
        if let Some(config) = engine {
            tell("Media engine", engine_works(&config).await);
        }
        Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn works() -> String {
    "works".to_owned()
}

async fn within(check: impl Future<Output = Result<(), String>>) -> Result<String, String> {
    match timeout(CHECK_LIMIT, check).await {
        Ok(result) => result.map(|()| works()),
        Err(_) => Err(format!(
            "does not answer within {} s: is it running, and is its address right?",
            CHECK_LIMIT.as_secs()
        )),
    }
}

/// Starts the engine, and asks which layers of its jail hold here.
async fn engine_works(config: &EngineConfig) -> Result<String, String> {
    let made = Engine::new(config.clone());
    let engine = made.map_err(|error| format!("a scratch folder cannot be made: {error}"))?;
    let layers = engine.layers().await.map_err(|failure| explain(&failure))?;
    let held = layers.held.iter().map(|layer| layer.as_str()).collect::<Vec<_>>().join(", ");
    if layers.missing.is_empty() {
        return Ok(format!("works, in a jail of {held}"));
    }
    let told = format!("the layers of its jail that hold: {held}. {}", jail::explain(&layers.missing));
    if config.require_jail { Err(format!("refuses to work, {told}")) } else { Ok(format!("works, {told}")) }
}

/// An error with its causes, in one line.
fn explain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
