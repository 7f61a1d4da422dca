//! `reelmill sandbox`: the simulated networks alone.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::Args;
use sandbox::{Sandbox, SandboxConfig};
use url::Url;

use crate::{console, up::stop_signal};

/// Serves the sandbox until Ctrl-C or SIGTERM. Its control API is described in sandbox/README.md.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, env = "SANDBOX_LISTEN", default_value = "127.0.0.1:4100")]
    listen: SocketAddr,
    /// What clients see, when it is not the address listened on.
    #[arg(long, env = "SANDBOX_PUBLIC_URL")]
    public_url: Option<Url>,
    /// Where ledger, state and media are kept; starting again on the same folder continues.
    #[arg(long, env = "SANDBOX_DATA_DIR", default_value = ".reelmill/sandbox")]
    data_dir: PathBuf,
}

impl Arguments {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        console::quiet_logs();
        let mut config = SandboxConfig::new(self.data_dir, self.listen);
        config.public_url = self.public_url;
        let running = Sandbox::start(config).await?;
        console::say(format_args!("The sandbox is at {}", running.url));
        stop_signal().await?;
        running.shutdown().await;
        Ok(ExitCode::SUCCESS)
    }
}
