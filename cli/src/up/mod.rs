//! `reelmill up` as a story: provision, migrate, start the fleet, set up the demo, say so, wait, stop.

mod fleet;
mod given;
mod lock;
mod provision;
mod summary;

use std::path::PathBuf;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

pub use given::Given;

use crate::console::say;

/// What was asked for.
#[derive(Debug)]
pub struct Options {
    pub data_dir: PathBuf,
    pub workers: u16,
    pub demo: bool,
    pub given: Given,
}

/// Runs until Ctrl-C, SIGTERM, or the end of a service that everything needs.
pub async fn run(options: Options) -> anyhow::Result<()> {
    options.given.check()?;
    let _lock = lock::take(&options.data_dir)?;
    let data_dir = options.data_dir.canonicalize().context("resolve the data folder")?;
    say(format_args!("Reelmill keeps its data in {}", data_dir.display()));
    let mut services = provision::start(&data_dir, &options.given).await?;
    let result = tokio::select! {
        result = with_services(&options, &services.addresses) => result,
        ended = services.watch.ended() => Err(ended),
    };
    services.stop().await;
    say("Everything is stopped.");
    result
}

async fn with_services(_options: &Options, addresses: &provision::Addresses) -> anyhow::Result<()> {
    say(format_args!("{addresses:?}"));
    stop_signal().await
}

/// Returns on Ctrl-C or SIGTERM.
pub async fn stop_signal() -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
