//! Log lines: for people at a terminal, as JSON everywhere else.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    #[default]
    Human,
    Json,
}

/// Said when the filter given does not read as one.
const DEFAULT_FILTER: &str = "info,lapin=warn,aws=warn,sqlx=warn,hyper=warn";

/// Starts logging to standard error. `filter` is in the notation of `RUST_LOG`; one that does not
/// read as such is replaced by the default, and said so. Does nothing when logging was started
/// before.
pub fn init_logging(format: LogFormat, filter: Option<&str>) {
    let wanted = filter.unwrap_or(DEFAULT_FILTER);
    let parsed = EnvFilter::try_new(wanted);
    let is_bad = parsed.is_err();
    let parsed = parsed.unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let lines = tracing_subscriber::fmt().with_env_filter(parsed).with_writer(std::io::stderr);
    // An error means that a test or another part started it already, which is fine.
    let _ = match format {
        LogFormat::Human => lines.with_target(false).with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(true).try_init(),
    };
    if is_bad {
        tracing::warn!(filter = wanted, "logging.filter_unreadable");
    }
}
