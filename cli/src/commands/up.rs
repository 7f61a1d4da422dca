//! `reelmill up`: everything on this machine.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use crate::{
    console,
    up::{self, Options},
};

/// Starts what is not given, keeps it running until Ctrl-C, and continues with the same data the next time.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Where everything is kept: databases, objects, keys, logs, and summary.json.
    #[arg(long, env = "REELMILL_DATA_DIR", default_value = ".reelmill")]
    data_dir: PathBuf,
    /// How many worker processes to run.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=32))]
    workers: u16,
    /// Leave out the demo: a brand whose sandbox Instagram is ingested and reposted.
    #[arg(long)]
    no_demo: bool,
    #[command(flatten)]
    given: up::Given,
}

impl Arguments {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        console::quiet_logs();
        up::run(Options {
            data_dir: self.data_dir,
            workers: self.workers,
            demo: !self.no_demo,
            given: self.given,
        })
        .await?;
        Ok(ExitCode::SUCCESS)
    }
}
