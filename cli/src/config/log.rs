//! How a process writes its log.

use backplane::telemetry::{LogFormat, init_logging};
use clap::{Args, ValueEnum};

/// For whom the log is.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// Programs: one JSON object a line.
    Json,
    /// People.
    Text,
}

/// The log, on stderr.
#[derive(Debug, Args)]
#[command(next_help_heading = "Log")]
pub struct LogArguments {
    /// For whom the log is.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value = "json")]
    log_format: Format,
    /// What is logged, as in `info,sqlx=debug`.
    #[arg(long, env = "RUST_LOG")]
    log: Option<String>,
}

impl LogArguments {
    /// Starts logging.
    pub fn init(&self) {
        let format = match self.log_format {
            Format::Json => LogFormat::Json,
            Format::Text => LogFormat::Human,
        };
        init_logging(format, self.log.as_deref());
    }
}
