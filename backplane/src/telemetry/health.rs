//! `/metrics`, `/livez` and an honest `/readyz`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::future::join_all;
use tokio::time::timeout;

use super::Metrics;

/// A question to a part of the process, answered with what is wrong.
type Probe = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// How long one part may take to answer.
const PROBE_LIMIT: Duration = Duration::from_secs(2);

/// What has to work for this process to be sent work.
#[derive(Clone, Default)]
pub struct Health {
    probes: Vec<(&'static str, Probe)>,
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.probes.iter().map(|(name, _)| name)).finish()
    }
}

impl Health {
    /// Adds a part by name: `probe` answers `Err` with what is wrong, without any secret.
    #[must_use]
    pub fn with<F, Answer>(mut self, name: &'static str, probe: F) -> Self
    where
        F: Fn() -> Answer + Send + Sync + 'static,
        Answer: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.probes.push((name, Arc::new(move || Box::pin(probe()))));
        self
    }

    /// What is wrong now, by part; empty: ready.
    pub async fn problems(&self) -> Vec<String> {
        let asked = self.probes.iter().map(|(name, probe)| async move {
            match timeout(PROBE_LIMIT, probe()).await {
                Ok(Ok(())) => None,
                Ok(Err(problem)) => Some(format!("{name}: {problem}")),
                Err(_) => Some(format!("{name}: no answer within {} s", PROBE_LIMIT.as_secs())),
            }
        });
        join_all(asked).await.into_iter().flatten().collect()
    }
}

/// Serves `/metrics`, `/livez` (the event loop turns; asks nobody) and `/readyz` (every part of
/// `health` answers, else 503 with what is wrong).
pub fn router(metrics: Metrics, health: Health) -> Router {
    Router::new()
        .route("/metrics", get(show_metrics))
        .with_state(metrics)
        .route("/livez", get(|| async { "ok\n" }))
        .merge(Router::new().route("/readyz", get(ready)).with_state(health))
}

async fn show_metrics(State(metrics): State<Metrics>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render()).into_response()
}

async fn ready(State(health): State<Health>) -> Response {
    let problems = health.problems().await;
    if problems.is_empty() {
        return "ready\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, problems.join("\n") + "\n").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn readiness_names_every_part_that_does_not_work() {
        let health = Health::default()
            .with("postgres", || async { Ok(()) })
            .with("broker", || async { Err("not connected".to_owned()) });
        assert_eq!(health.problems().await, ["broker: not connected"]);
        assert!(Health::default().problems().await.is_empty());
    }
}
