//! `reelmill migrate`: the database brought up to date.

use std::process::ExitCode;

use backplane::{
    migrate::{Role, migrate},
    store::StoreConfig,
};
use clap::Args;
use secrecy::SecretString;

use crate::{config::Problems, console};

/// Applies the migrations as the owner of the database, and lets the roles of the processes log in.
///
/// Migrations only go forward, and may run while processes of the release before are still serving.
#[derive(Debug, Args)]
pub struct Arguments {
    /// postgres://user:password@host:port/name of the owner, who may create roles.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<SecretString>,
    /// The password with which `reelmill_api` logs in (for `reelmill serve`); left as it is when not given.
    #[arg(long, env = "REELMILL_API_PASSWORD", hide_env_values = true)]
    api_password: Option<SecretString>,
    /// The same for `reelmill_relay` (for the relay and sweeper of `reelmill serve`).
    #[arg(long, env = "REELMILL_RELAY_PASSWORD", hide_env_values = true)]
    relay_password: Option<SecretString>,
    /// The same for `reelmill_worker` (for `reelmill work` without kinds that open tokens).
    #[arg(long, env = "REELMILL_WORKER_PASSWORD", hide_env_values = true)]
    worker_password: Option<SecretString>,
    /// The same for `reelmill_publisher` (for `reelmill work` with kinds that open tokens).
    #[arg(long, env = "REELMILL_PUBLISHER_PASSWORD", hide_env_values = true)]
    publisher_password: Option<SecretString>,
}

impl Arguments {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        console::quiet_logs();
        let mut problems = Problems::default();
        let url = problems.need("DATABASE_URL", self.database_url);
        if let Some(url) = &url {
            problems.take("DATABASE_URL", StoreConfig::parse(url, 1));
        }
        problems.check()?;
        let logins: Vec<_> = [
            (Role::Api, self.api_password),
            (Role::Relay, self.relay_password),
            (Role::Worker, self.worker_password),
            (Role::Publisher, self.publisher_password),
        ]
        .into_iter()
        .filter_map(|(role, password)| password.map(|password| (role, password)))
        .collect();
        migrate(&crate::config::checked(url)?, &logins).await?;
        console::say("The database is up to date.");
        Ok(ExitCode::SUCCESS)
    }
}
