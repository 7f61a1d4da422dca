//! The jailed media engine that a worker starts.

use std::path::PathBuf;

use clap::Args;
use workers::jail::EngineConfig;

use super::Problems;

/// The media engine.
#[derive(Debug, Args)]
#[command(next_help_heading = "Media engine")]
pub struct EngineArguments {
    /// The executable `reelmill-media` [default: the one beside this executable].
    #[arg(long, env = "MEDIA_ENGINE")]
    media_engine: Option<PathBuf>,
    /// Where files are worked on; they are removed afterwards [default: a folder in the system's temporary one].
    #[arg(long, env = "SCRATCH_DIR")]
    scratch_dir: Option<PathBuf>,
    /// The first of the user ids that engines run as when this process is root: each that runs has one of its own, so
    /// that nothing else may use it or those that follow.
    #[arg(long, env = "MEDIA_UID", default_value = "60600")]
    media_uid: String,
    /// Refuse to start with fewer than all layers of the engine's jail; root can have two more than others.
    #[arg(long, env = "REQUIRE_JAIL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false")]
    require_jail: String,
}

impl EngineArguments {
    /// The section's settings, or a note of every problem.
    pub fn read(&self, problems: &mut Problems) -> Option<EngineConfig> {
        let require_jail = problems.switch("REQUIRE_JAIL", &self.require_jail);
        let beside = || std::env::current_exe().ok().map(|path| path.with_file_name("reelmill-media"));
        let executable = self.media_engine.clone().or_else(beside);
        let executable = problems.need("MEDIA_ENGINE", executable)?;
        if !executable.is_file() {
            problems.add("MEDIA_ENGINE", format_args!("there is no executable {}", executable.display()));
        }
        // Not root's, 0: untrusted files are decoded as this user.
        let uid = problems.number("MEDIA_UID", &self.media_uid, 1..=u32::MAX - 2000);
        Some(EngineConfig {
            executable,
            scratch_root: self
                .scratch_dir
                .clone()
                .unwrap_or_else(|| std::env::temp_dir().join("reelmill-scratch")),
            uid: uid?,
            require_jail,
        })
    }
}
