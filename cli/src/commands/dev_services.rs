//! `reelmill dev-services -- COMMAND`: what tests, generators and benches run in.

use std::{
    os::unix::{fs::PermissionsExt as _, process::ExitStatusExt as _},
    process::{ExitCode, ExitStatus},
};

use anyhow::Context as _;
use clap::Args;
use cli::local::{Postgres, RabbitMq, postgres::Durability};
use rustix::process::{Pid, Signal, kill_process};
use secrecy::ExposeSecret as _;
use tokio::{
    process::{Child, Command},
    signal::unix::{SignalKind, signal},
};

use crate::console;

/// Runs COMMAND with `TEST_DATABASE_URL` (a superuser's) and `TEST_AMQP_URL` set, and ends with its exit code.
#[derive(Debug, Args)]
pub struct Arguments {
    /// For benches: Postgres keeps what it commits, as in production, and counts its statements.
    #[arg(long)]
    measured: bool,
    /// The command and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

impl Arguments {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        console::quiet_logs();
        let folder = tempfile::Builder::new().prefix("reelmill-dev-").tempdir().context("make a folder")?;
        // Postgres' own user must be able to enter it.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711))
            .context("open the folder")?;
        let (postgres_dir, rabbitmq_dir) = (folder.path().join("postgres"), folder.path().join("rabbitmq"));
        let durability = if self.measured { Durability::Measured } else { Durability::None };
        let (postgres, rabbitmq) =
            tokio::try_join!(Postgres::start(&postgres_dir, durability), RabbitMq::start(&rabbitmq_dir))?;

        let result = self.run_with(&postgres, &rabbitmq).await;
        let (postgres, rabbitmq) = tokio::join!(postgres.stop(), rabbitmq.stop());
        postgres?;
        rabbitmq?;
        let status = result?;
        // As a shell reports it: 128 and the signal that ended the command.
        let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
        Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
    }

    async fn run_with(&self, postgres: &Postgres, rabbitmq: &RabbitMq) -> anyhow::Result<ExitStatus> {
        let (program, arguments) = self.command.split_first().context("name a command")?;
        let child = Command::new(program)
            .args(arguments)
            .env("TEST_DATABASE_URL", postgres.admin_url("postgres").expose_secret())
            .env("TEST_AMQP_URL", rabbitmq.url().expose_secret())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("run {program}"))?;
        wait(child).await
    }
}

/// Waits for the command, whatever we are told: Ctrl-C reaches it from the terminal, and SIGTERM is passed on.
async fn wait(mut child: Child) -> anyhow::Result<ExitStatus> {
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    loop {
        tokio::select! {
            status = child.wait() => return status.context("wait for the command"),
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {
                let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
                if let Some(id) = id {
                    let _ = kill_process(id, Signal::TERM);
                }
            }
        }
    }
}
