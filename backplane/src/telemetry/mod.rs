//! What a process says of itself: logs, metrics, health, and the trace that a request leaves.

mod health;
mod logging;
mod metrics;
mod trace_context;

pub use health::{Health, router};
pub use logging::{LogFormat, init_logging};
pub use metrics::{Metrics, MetricsError};
pub use trace_context::TraceContext;
