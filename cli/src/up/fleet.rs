//! The processes of this executable: started, started again when they die, and drained at the end.

use std::{path::PathBuf, time::Duration};

use cli::local::process::{Launch, Process, StopBy};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use crate::console::say;

/// How long a process gets to finish what it does.
const DRAIN_LIMIT: Duration = Duration::from_secs(30);
/// The first pause before a process that died is started again; it doubles each time.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// A process that has lived for so long starts anew with the first pause.
const STEADY: Duration = Duration::from_secs(60);

/// One process to keep running.
pub struct Member {
    pub name: String,
    pub program: PathBuf,
    pub arguments: Vec<String>,
    pub environment: Vec<(&'static str, String)>,
    pub log: PathBuf,
}

impl Member {
    fn spawn(&self) -> anyhow::Result<Process> {
        let mut launch =
            Launch::new("a process of Reelmill", &self.program, None, self.log.clone(), StopBy::Terminate);
        for argument in &self.arguments {
            launch = launch.arg(argument);
        }
        for (name, value) in &self.environment {
            launch = launch.env(name, value);
        }
        for name in ["RUST_LOG", "RUST_BACKTRACE", "HOME", "TMPDIR"] {
            if let Some(value) = std::env::var_os(name) {
                launch = launch.env(name, value);
            }
        }
        launch.spawn()
    }

    async fn keep_running(self, stop: CancellationToken) {
        let mut pause = PAUSE_MIN;
        while !stop.is_cancelled() {
            let begun = Instant::now();
            match self.spawn() {
                Err(error) => say(format_args!("{} did not start: {error:#}", self.name)),
                Ok(mut process) => {
                    tokio::select! {
                        status = process.ended() => {
                            let status = status.map_or_else(|error| format!("{error:#}"), |status| status.to_string());
                            say(format_args!("{} ended ({status}), see {}; it is started again", self.name, self.log.display()));
                        }
                        () = stop.cancelled() => {
                            if let Err(error) = process.stop(DRAIN_LIMIT).await {
                                say(format_args!("{} did not stop: {error:#}", self.name));
                            }
                            return;
                        }
                    }
                }
            }
            pause = if begun.elapsed() > STEADY { PAUSE_MIN } else { pause };
            tokio::select! {
                () = sleep(pause) => {}
                () = stop.cancelled() => return,
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }
}

/// The processes that are kept running. Dropping it kills them.
pub struct Fleet {
    stop: CancellationToken,
    members: JoinSet<()>,
}

impl Fleet {
    /// Starts every member.
    pub fn start(members: Vec<Member>) -> Self {
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        for member in members {
            tasks.spawn(member.keep_running(stop.clone()));
        }
        Self { stop, members: tasks }
    }

    /// Asks all of them to finish what they do, and waits.
    pub async fn drain(mut self) {
        self.stop.cancel();
        while self.members.join_next().await.is_some() {}
    }
}
