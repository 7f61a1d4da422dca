//! What people read: progress and results on stdout, what went wrong on stderr. Logs go elsewhere.

use std::{
    fmt::Display,
    io::{self, Write as _},
    process::ExitCode,
};

use tracing_subscriber::EnvFilter;

/// Every refused request is an error to s3s, and what matters of the object store is logged where it happens.
const QUIET: &str = "warn,s3s=off";

/// Prints one line. A reader that went away is no reason to stop what we do.
pub fn say(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Prints why a command failed, cause after cause, and gives its exit code.
pub fn failure(error: &anyhow::Error) -> ExitCode {
    let _ = writeln!(io::stderr(), "reelmill: {error:#}");
    ExitCode::FAILURE
}

/// Sends warnings of an interactive command to stderr; `RUST_LOG` asks for more.
pub fn quiet_logs() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(QUIET));
    let layer = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).without_time();
    // A second call is harmless: the first one stays.
    let _ = layer.try_init();
}
