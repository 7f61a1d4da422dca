//! A service that runs beside us: its own process group, a log file, and no life after ours.

use std::{
    ffi::OsStr,
    fs::OpenOptions,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

/// How often a starting service is asked whether it is ready.
const POLL: Duration = Duration::from_millis(50);
/// How many bytes of a log's end go into an error message.
const LOG_TAIL_BYTES: usize = 2_000;

/// How a service is asked to end properly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopBy {
    /// SIGINT: Postgres' fast shutdown.
    Interrupt,
    /// SIGTERM: most others.
    Terminate,
}

impl StopBy {
    fn signal(self) -> Signal {
        match self {
            Self::Interrupt => Signal::INT,
            Self::Terminate => Signal::TERM,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "INT",
            Self::Terminate => "TERM",
        }
    }
}

/// Builds the command line of a [`Process`].
#[derive(Debug)]
pub struct Launch {
    name: &'static str,
    command: Command,
    log: PathBuf,
    stop: StopBy,
}

impl Launch {
    /// `program` as `user` (or as ourselves), with an empty environment but for `PATH`, its output appended to `log`.
    ///
    /// `stop` is the signal that asks it to end properly. The kernel sends it, too, when this process dies.
    /// `setpriv` (util-linux) sets both up: it changes user and asks for the signal without any code of ours
    /// between fork and exec.
    #[must_use]
    pub fn new(name: &'static str, program: &Path, user: Option<&str>, log: PathBuf, stop: StopBy) -> Self {
        let mut command = Command::new("setpriv");
        command.arg("--pdeathsig").arg(stop.name());
        if let Some(user) = user {
            command.args(["--reuid", user, "--regid", user, "--init-groups"]);
        }
        command.arg("--").arg(program).env_clear();
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        Self { name, command, log, stop }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, value: impl AsRef<OsStr>) -> Self {
        self.command.arg(value);
        self
    }

    /// Sets one environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets the working directory, which the service's user must be able to enter.
    #[must_use]
    pub fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Starts it. Call this from a thread that lives as long as the service should: the kernel's death
    /// signal is bound to the thread that forks.
    ///
    /// # Errors
    /// The program or `setpriv` is missing, or the log cannot be written.
    pub fn spawn(mut self) -> anyhow::Result<Process> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&self.log)
            .with_context(|| format!("open {}", self.log.display()))?;
        let errors = log.try_clone().context("share the log file")?;
        let child = self
            .command
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {}: is util-linux (setpriv) installed?", self.name))?;
        Ok(Process { name: self.name, child, log: self.log, stop: self.stop })
    }
}

/// A running service. Dropping it kills its process group at once; [`Process::stop`] is the proper way.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
    stop: StopBy,
}

impl Process {
    /// Waits until `ready` says yes.
    ///
    /// # Errors
    /// The service ended, or was not ready within `limit`; the message carries the end of its log.
    pub async fn wait_ready<F: AsyncFnMut() -> bool>(
        &mut self,
        limit: Duration,
        mut ready: F,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().context("look at the service")? {
                anyhow::bail!("{} ended while starting ({status}); {}", self.name, self.log_tail());
            }
            if ready().await {
                return Ok(());
            }
            if Instant::now() > deadline {
                anyhow::bail!(
                    "{} was not ready within {} s; {}",
                    self.name,
                    limit.as_secs(),
                    self.log_tail()
                );
            }
            sleep(POLL).await;
        }
    }

    /// Asks the service to end, and kills its process group if it has not within `limit`.
    ///
    /// # Errors
    /// The operating system refuses to wait for it.
    pub async fn stop(mut self, limit: Duration) -> anyhow::Result<()> {
        if let Some(group) = self.group() {
            // Only the leader is asked: it ends its own children in the right order.
            let _ = rustix::process::kill_process(group, self.stop.signal());
        }
        if timeout(limit, self.child.wait()).await.is_err() {
            tracing::warn!(service = self.name, limit_s = limit.as_secs(), "did not stop in time; killed");
        }
        self.kill_group();
        self.child.wait().await.context("wait for the service")?;
        Ok(())
    }

    /// Kills the whole process group at once, as a power cut would, and reaps it.
    ///
    /// # Errors
    /// The operating system refuses to wait for it.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        self.kill_group();
        self.child.wait().await.context("wait for the service")?;
        Ok(())
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// The operating system refuses to wait for it.
    pub async fn ended(&mut self) -> anyhow::Result<std::process::ExitStatus> {
        self.child.wait().await.with_context(|| format!("wait for {}", self.name))
    }

    /// The process id while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    fn group(&self) -> Option<Pid> {
        self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
    }

    fn kill_group(&self) {
        if let Some(group) = self.group() {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    fn log_tail(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let tail = String::from_utf8_lossy(&text[text.len().saturating_sub(LOG_TAIL_BYTES)..]).into_owned();
        format!("the end of {}:\n{tail}", self.log.display())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill_group();
    }
}
