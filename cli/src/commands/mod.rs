//! The list of subcommands, one file each.

mod admin;
mod dev_services;
mod doctor;
mod migrate;
mod sandbox;
mod schema;
mod serve;
mod up;
mod work;

use std::process::ExitCode;

use clap::Subcommand;

/// What `reelmill` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start everything on this machine: private Postgres, RabbitMQ and S3, the sandbox, control plane and workers.
    Up(up::Arguments),
    /// Run a control plane: the GraphQL API, the relay and the sweeper.
    Serve(Box<serve::Arguments>),
    /// Run a worker: takes jobs, and finishes what it does when it is stopped.
    Work(Box<work::Arguments>),
    /// Bring the database up to date, and let the processes log in.
    Migrate(migrate::Arguments),
    /// Simulate the networks: Instagram, TikTok and Telegram, with a ledger and faults on demand.
    Sandbox(sandbox::Arguments),
    /// Check whether this machine and this configuration can do the work.
    Doctor(Box<doctor::Arguments>),
    /// Print the GraphQL schema.
    Schema(schema::Arguments),
    /// Make organisations, their first users, and keys for scripts.
    Admin(admin::Arguments),
    /// Run a command with a private Postgres and RabbitMQ that end with it.
    #[command(hide = true)]
    DevServices(dev_services::Arguments),
}

impl Command {
    /// Runs it to its end.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Up(arguments) => arguments.run().await,
            Self::Serve(arguments) => arguments.run().await,
            Self::Work(arguments) => arguments.run().await,
            Self::Migrate(arguments) => arguments.run().await,
            Self::Sandbox(arguments) => arguments.run().await,
            Self::Doctor(arguments) => arguments.run().await,
            Self::Schema(arguments) => Ok(arguments.run()),
            Self::Admin(arguments) => arguments.run().await,
            Self::DevServices(arguments) => arguments.run().await,
        }
    }
}
