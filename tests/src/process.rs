//! The executables as users run them: started, listened to, killed and stopped.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use crate::wait::eventually;

/// How long a process may take to start or to end.
const LIMIT: Duration = Duration::from_secs(60);

/// One running process. Dropping it kills it.
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `reelmill` with these arguments; everything it says goes into `log`.
    ///
    /// # Panics
    /// When the executable is not there.
    #[must_use]
    pub fn start(arguments: &[&str], environment: &[(&str, String)], log: &Path) -> Self {
        let file = fs::File::options().create(true).append(true).open(log).unwrap();
        let child = Command::new(executable("reelmill"))
            .args(arguments)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self { name: arguments.join(" "), child, log: log.to_owned() }
    }

    /// Its process id.
    ///
    /// # Panics
    /// When it has ended.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Ends it at once, as the kernel does when memory runs out.
    ///
    /// # Panics
    /// When it cannot be waited for.
    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Panics
    /// When it does not.
    pub async fn terminate(&mut self) {
        self.signal(Signal::TERM);
        self.died().await;
    }

    /// Freezes it.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on after it was frozen, or froze itself.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Waits until it ended by itself.
    ///
    /// # Panics
    /// When it does not within a minute.
    pub async fn died(&mut self) {
        let ended = tokio::time::timeout(LIMIT, self.child.wait()).await;
        ended.unwrap_or_else(|_| panic!("`reelmill {}` does not end", self.name)).unwrap();
    }

    /// Waits until it froze itself.
    ///
    /// # Panics
    /// When it does not within a minute.
    pub async fn froze(&self) {
        let stat = format!("/proc/{}/stat", self.child.id().unwrap());
        eventually("the process stops itself", LIMIT, async || {
            let stat = fs::read_to_string(&stat).ok()?;
            // "pid (name) state …": the name may hold spaces, never another closing bracket in ours.
            stat.rsplit(") ").next()?.starts_with('T').then_some(())
        })
        .await;
    }

    /// Whether it still runs; fails loudly when it ended, with the end of what it said.
    ///
    /// # Panics
    /// When it has ended.
    pub fn assert_alive(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            let said = fs::read_to_string(&self.log).unwrap_or_default();
            let tail: Vec<&str> = said.lines().rev().take(20).collect();
            panic!(
                "`reelmill {}` ended with {status}:\n{}",
                self.name,
                tail.into_iter().rev().collect::<Vec<_>>().join("\n")
            );
        }
    }

    fn signal(&self, signal: Signal) {
        // The pid is ours until the child is waited for, so no other process can be hit.
        let pid = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed())).unwrap();
        kill_process(pid, signal).unwrap();
    }
}

/// An executable of this workspace, built beside the tests.
///
/// # Panics
/// When it was not built: `make test` builds it first.
#[must_use]
pub fn executable(name: &str) -> PathBuf {
    let own = env::current_exe().unwrap();
    let path = own.parent().and_then(Path::parent).unwrap().join(name);
    assert!(path.is_file(), "{} is missing: `make test` builds it before the tests", path.display());
    path
}

/// Runs `reelmill` to its end and returns what it printed.
///
/// # Panics
/// When it fails.
pub async fn run(arguments: &[&str], environment: &[(&str, String)]) -> String {
    let output = ended(arguments, environment).await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`reelmill {}` failed: {said}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Runs `reelmill` to its end and returns its complaint.
///
/// # Panics
/// When it does not fail.
pub async fn refused(arguments: &[&str], environment: &[(&str, String)]) -> String {
    let output = ended(arguments, environment).await;
    assert!(!output.status.success(), "`reelmill {}` was to fail", arguments.join(" "));
    String::from_utf8(output.stderr).unwrap()
}

async fn ended(arguments: &[&str], environment: &[(&str, String)]) -> Output {
    let mut command = Command::new(executable("reelmill"));
    command.args(arguments).envs(environment.iter().map(|(name, value)| (name, value)));
    command.output().await.unwrap()
}
