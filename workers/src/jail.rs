//! Starts the jailed `reelmill-media` for one request, and outlives whatever it does.
//!
//! The child gets an empty environment, a scratch directory of its own as its working directory,
//! and nothing else. What it prints is bounded, its time is bounded, and it is killed by pid when
//! the job that wants it is over.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use domain::engine::{Event, Request};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

/// The longest line that the child may print, bytes.
const LINE_BYTES_MAX: u64 = 256 * 1024;
/// How much of the child's standard error is kept, bytes.
const STDERR_BYTES_MAX: usize = 8 * 1024;

/// The names of scratch directories begin so.
const SCRATCH_PREFIX: &str = "media-";
/// A directory younger than this may be about to be locked by who made it.
const SCRATCH_AGE_MIN: Duration = Duration::from_secs(60);

/// How the engine is started.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// The executable `reelmill-media`.
    pub executable: PathBuf,
    /// Where scratch directories are made.
    pub scratch_root: PathBuf,
    /// The user id that the child drops to, when this process is root.
    pub uid: u32,
    /// Refuse to work with fewer than all layers of the jail.
    pub require_jail: bool,
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

/// A directory for one request; gone with this value. It is locked for as long: one that is not belonged to a process
/// that was killed.
#[derive(Debug)]
pub struct Scratch {
    directory: tempfile::TempDir,
    _lock: File,
}

impl Scratch {
    /// Where a file of this name lies.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// Removes scratch directories that nobody holds any more. Several workers may share the root.
fn remove_left_over(root: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(root)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(SCRATCH_PREFIX) {
            continue;
        }
        // One that goes away meanwhile was its holder's.
        let Ok(directory) = File::open(entry.path()) else { continue };
        let age = directory.metadata()?.modified()?.elapsed().unwrap_or_default();
        if age >= SCRATCH_AGE_MIN && directory.try_lock().is_ok() {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// Starts children that work on untrusted media.
#[derive(Clone, Debug)]
pub struct Engine {
    config: EngineConfig,
    drops_uid: bool,
}

impl Engine {
    /// Prepares to start children, and makes this process undumpable: a child of the same user
    /// could otherwise read this process's environment and memory. Removes what killed workers left.
    ///
    /// # Errors
    /// When the process attribute cannot be set or the scratch root cannot be made.
    pub fn new(config: EngineConfig) -> io::Result<Self> {
        rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
        std::fs::create_dir_all(&config.scratch_root)?;
        remove_left_over(&config.scratch_root)?;
        let drops_uid = rustix::process::getuid().is_root();
        Ok(Self { config, drops_uid })
    }

    /// A fresh directory that only this process and the child can enter.
    ///
    /// # Errors
    /// When the disk is full or the scratch root is gone.
    pub fn scratch(&self) -> io::Result<Scratch> {
        let directory = tempfile::Builder::new()
            .prefix(SCRATCH_PREFIX)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(&self.config.scratch_root)?;
        let lock = File::open(directory.path())?;
        // On a file system without locks what is left over stays: nobody can tell whose it is.
        let _ = lock.lock();
        if self.drops_uid {
            chown(directory.path(), Some(self.config.uid), Some(self.config.uid))?;
        }
        Ok(Scratch { directory, _lock: lock })
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
        let mut child = self.spawn(scratch.directory.path()).map_err(EngineFailure::Start)?;
        let talk = converse(&mut child, request, &mut on_event);
        let ended = tokio::select! {
            talked = talk => Ok(talked),
            () = tokio::time::sleep(limits.deadline) => Err(EngineFailure::TimedOut(limits.deadline)),
            () = limits.cancel.cancelled() => Err(EngineFailure::Cancelled),
        };
        match ended {
            Ok(talked) => conclude(&mut child, talked).await,
            Err(failure) => {
                // The pid is ours until it is waited for, so no other process can be hit.
                let _ = child.kill().await;
                Err(failure)
            }
        }
    }

    fn spawn(&self, directory: &Path) -> io::Result<Child> {
        let mut command = Command::new(&self.config.executable);
        if self.drops_uid {
            let id = self.config.uid.to_string();
            command.args(["--uid", &id, "--gid", &id]);
        }
        if self.config.require_jail {
            command.arg("--require-jail");
        }
        command
            .current_dir(directory)
            .env_clear()
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

struct Talk {
    answered: bool,
    stderr: String,
}

async fn converse(
    child: &mut Child,
    request: &Request,
    on_event: &mut (impl FnMut(Event) + Send),
) -> io::Result<Talk> {
    let (Some(mut stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(io::Error::other("the pipes of the child were taken already"));
    };
    let request = serde_json::to_vec(request)?;
    // All three at once: a child that floods one pipe must not block on it while we wait on another.
    let ask = async {
        // A child that dies early closes the pipe; what it said elsewhere tells more than this.
        let _ = stdin.write_all(&request).await;
        drop(stdin);
        Ok::<(), io::Error>(())
    };
    let ((), answered, stderr) = tokio::try_join!(ask, read_events(stdout, on_event), drain(stderr))?;
    Ok(Talk { answered, stderr })
}

async fn read_events(
    stdout: impl AsyncRead + Unpin,
    on_event: &mut (impl FnMut(Event) + Send),
) -> io::Result<bool> {
    let mut reader = BufReader::new(stdout);
    let mut answered = false;
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut reader).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).await?;
        if read == 0 {
            return Ok(answered);
        }
        if line.last() != Some(&b'\n') {
            return Err(io::Error::other("the engine printed a line that never ends"));
        }
        let event: Event = serde_json::from_slice(&line)?;
        answered |= matches!(event, Event::Probed(_) | Event::Finished { .. } | Event::Rejected { .. });
        on_event(event);
    }
}

/// Reads to the end and keeps the tail, so that a chatty child neither blocks nor fills memory.
async fn drain(mut stderr: impl AsyncRead + Unpin) -> io::Result<String> {
    let mut tail: Vec<u8> = Vec::new();
    let mut buffer = [0_u8; 4096];
    loop {
        let read = stderr.read(&mut buffer).await?;
        if read == 0 {
            return Ok(String::from_utf8_lossy(&tail).into_owned());
        }
        tail.extend_from_slice(&buffer[..read]);
        if tail.len() > STDERR_BYTES_MAX {
            tail.drain(..tail.len() - STDERR_BYTES_MAX);
        }
    }
}

async fn conclude(child: &mut Child, talk: io::Result<Talk>) -> Result<(), EngineFailure> {
    let talk = match talk {
        Ok(talk) => talk,
        Err(error) => {
            let _ = child.kill().await;
            return Err(EngineFailure::Crashed {
                status: "a broken answer".to_owned(),
                stderr: error.to_string(),
            });
        }
    };
    let status = child.wait().await.map_err(EngineFailure::Start)?;
    if status.success() && talk.answered {
        Ok(())
    } else {
        Err(EngineFailure::Crashed { status: status.to_string(), stderr: talk.stderr })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops at a surprise")]

    use std::time::SystemTime;

    use super::*;

    #[test]
    fn what_a_killed_worker_left_is_removed_and_what_is_in_use_is_not() {
        let root = tempfile::tempdir().unwrap();
        let config = EngineConfig {
            executable: "reelmill-media".into(),
            scratch_root: root.path().to_owned(),
            uid: 65_534,
            require_jail: false,
        };
        let engine = Engine::new(config.clone()).unwrap();
        let made = |name: &str| {
            std::fs::create_dir(root.path().join(name)).unwrap();
            std::fs::write(root.path().join(name).join("source"), b"half of it").unwrap();
            root.path().join(name)
        };
        let (left, young, other) = (made("media-left"), made("media-young"), made("other"));
        let used = engine.scratch().unwrap();
        let long_ago = SystemTime::now() - 2 * SCRATCH_AGE_MIN;
        for old in [&left, &other, &used.file("")] {
            File::open(old).unwrap().set_modified(long_ago).unwrap();
        }

        Engine::new(config).unwrap();
        assert!(!left.exists());
        assert!(young.exists() && other.exists() && used.file("").exists());
    }
}
