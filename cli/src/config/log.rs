//! How a process writes its log.

use backplane::telemetry::{LogFormat, init_logging};
use clap::Args;

use super::Problems;

/// The log, on stderr.
#[derive(Debug, Args)]
#[command(next_help_heading = "Log")]
pub struct LogArguments {
    /// For whom the log is: `json`, one object a line for programs, or `text` for people.
    #[arg(long, env = "LOG_FORMAT", default_value = "json")]
    log_format: String,
    /// What is logged, as in `info,sqlx=debug`.
    #[arg(long, env = "RUST_LOG")]
    log: Option<String>,
}

impl LogArguments {
    /// Starts logging, before anything is checked.
    pub fn init(&self) {
        let format = if self.log_format == "text" { LogFormat::Human } else { LogFormat::Json };
        init_logging(format, self.log.as_deref());
    }

    /// Notes what is wrong.
    pub fn check(&self, problems: &mut Problems) {
        if !matches!(self.log_format.as_str(), "json" | "text") {
            problems.add("LOG_FORMAT", "is neither json nor text");
        }
    }
}
