//! Starts the jailed `reelmill-media` for one request, and outlives whatever it does.
//!
//! The child gets an empty environment, a scratch directory of its own as its working directory,
//! and nothing else. What it prints is bounded, its time is bounded, and it is killed by pid when
//! the job that wants it is over.

mod layers;
mod scratch;
mod talk;

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use domain::engine::{Event, Request};
use rustix::process::{DumpableBehavior, Pid, Signal, kill_process_group, set_dumpable_behavior};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

pub use layers::Layers;
pub use scratch::Scratch;

use talk::{Talk, converse};

/// How the engine is started.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// The executable `reelmill-media`.
    pub executable: PathBuf,
    /// Where scratch directories are made.
    pub scratch_root: PathBuf,
    /// The first of the user ids that children drop to, when this process is root: each that runs has its own.
    pub uid: u32,
    /// Refuse to work with fewer than all layers of the jail that can be had.
    pub require_jail: bool,
}

impl EngineConfig {
    /// Starts the engine in `directory`, which is its scratch, with nothing of this process, and as `user`.
    fn command(&self, directory: &Path, user: Option<u32>) -> Command {
        let mut command = Command::new(&self.executable);
        if let Some(id) = user.map(|id| id.to_string()) {
            command.args(["--uid", &id, "--gid", &id]);
        }
        if self.require_jail {
            command.arg("--require-jail");
        }
        command.current_dir(directory).env_clear();
        command
    }
}

/// Root makes its children somebody else.
fn drops_uid() -> bool {
    rustix::process::getuid().is_root()
}

/// The child ended without an answer: nothing is said about the file.
#[derive(Debug, thiserror::Error)]
pub enum EngineFailure {
    /// It could not be started.
    #[error("reelmill-media could not be started: {0}")]
    Start(#[source] io::Error),
    /// It died, or broke the protocol.
    #[error("reelmill-media ended with {status} and no answer: {stderr}")]
    Crashed { status: String, stderr: String },
    /// It was killed after this long.
    #[error("reelmill-media was stopped after {0:?}")]
    TimedOut(Duration),
    /// The job that wanted it is over.
    #[error("reelmill-media was stopped because its job ended")]
    Cancelled,
}

/// Starts children that work on untrusted media.
#[derive(Clone, Debug)]
pub struct Engine {
    config: EngineConfig,
}

impl Engine {
    /// Prepares to start children, and makes this process undumpable: a child of the same user
    /// could otherwise read this process's environment and memory. Removes what killed workers left.
    ///
    /// # Errors
    /// When the process attribute cannot be set or the scratch root cannot be made.
    pub fn new(config: EngineConfig) -> io::Result<Self> {
        set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
        scratch::make_root(&config.scratch_root)?;
        scratch::remove_left_over(&config.scratch_root)?;
        Ok(Self { config })
    }

    /// A fresh directory that only this process and the child can enter.
    ///
    /// # Errors
    /// When the disk is full or the scratch root is gone.
    pub fn scratch(&self) -> io::Result<Scratch> {
        Scratch::new(&self.config.scratch_root, drops_uid().then_some(self.config.uid))
    }

    /// Which layers of the jail hold here.
    ///
    /// # Errors
    /// [`EngineFailure`] when the engine does not start.
    pub async fn layers(&self) -> Result<Layers, EngineFailure> {
        let scratch = self.scratch().map_err(EngineFailure::Start)?;
        Layers::ask(&self.config, scratch.path(), scratch.user()).await
    }

    /// Runs one request in `scratch` and hands every event to `on_event` as it comes. Returns after
    /// the terminal event and a clean exit.
    ///
    /// # Errors
    /// [`EngineFailure`], after the child is dead.
    pub async fn run(
        &self,
        scratch: &Scratch,
        request: &Request,
        limits: RunLimits,
        mut on_event: impl FnMut(Event) + Send,
    ) -> Result<(), EngineFailure> {
        let mut child = self.spawn(scratch, limits.deadline).map_err(EngineFailure::Start)?;
        let whole = async {
            let talk = converse(&mut child, request, &mut on_event).await;
            conclude(&mut child, talk).await
        };
        // The end is waited for under the same clock: closing every pipe is not ending.
        let ended = tokio::select! {
            ended = whole => ended,
            () = tokio::time::sleep(limits.deadline) => Err(EngineFailure::TimedOut(limits.deadline)),
            () = limits.cancel.cancelled() => Err(EngineFailure::Cancelled),
        };
        if ended.is_err() {
            end(&mut child).await;
        }
        ended.and_then(|()| check_left(scratch))
    }

    fn spawn(&self, scratch: &Scratch, deadline: Duration) -> io::Result<Child> {
        self.config
            .command(scratch.path(), scratch.user())
            .args(["--deadline", &deadline.as_secs().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
    }
}

/// What ends a run from outside.
#[derive(Clone, Debug)]
pub struct RunLimits {
    /// Wall time.
    pub deadline: Duration,
    /// Cancelled when the job is fenced or the process stops.
    pub cancel: CancellationToken,
}

/// Kills the child, and whatever it started where the jail does not forbid that.
async fn end(child: &mut Child) {
    // The pid is ours until it is waited for, so no other process can be hit.
    if let Some(leader) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
        let _ = kill_process_group(leader, Signal::KILL);
    }
    let _ = child.kill().await;
}

async fn conclude(child: &mut Child, talk: io::Result<Talk>) -> Result<(), EngineFailure> {
    let talk = talk.map_err(|error| EngineFailure::Crashed {
        status: "a broken answer".to_owned(),
        stderr: error.to_string(),
    })?;
    let status = child.wait().await.map_err(EngineFailure::Start)?;
    if status.success() && talk.answered {
        Ok(())
    } else {
        Err(EngineFailure::Crashed { status: status.to_string(), stderr: talk.stderr })
    }
}

fn check_left(scratch: &Scratch) -> Result<(), EngineFailure> {
    if scratch.holds_plain_files_alone().map_err(EngineFailure::Start)? {
        return Ok(());
    }
    Err(EngineFailure::Crashed {
        status: "a link in the place of a file".to_owned(),
        stderr: "nothing of it is used".to_owned(),
    })
}

#[cfg(test)]
mod tests;
