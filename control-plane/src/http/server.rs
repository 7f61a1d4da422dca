//! The list of what is served.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::routing::get;
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::{graphiql, graphql, websocket};
use crate::graphql::schema::Schema;
use crate::system::System;

/// What handlers work with. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub system: Arc<System>,
    pub schema: Schema,
}

/// Everything that this process serves over HTTP.
pub fn router(app: App) -> Router {
    let cors = cors(&app.system.config.dashboard_origins);
    let local = app.system.config.local;
    let mut router = Router::new()
        .route("/graphql", get(websocket::upgrade_or_query).post(graphql::serve))
        .route("/graphql/ws", get(websocket::upgrade_or_query))
        .layer(cors)
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready));
    if local {
        router = router.route("/graphiql", get(graphiql::page));
    }
    router.with_state(app)
}

/// Ready when a request could be served: Postgres answers.
async fn ready(State(app): State<App>) -> (StatusCode, &'static str) {
    let scope = backplane::store::Scope::SignIn;
    match tokio::time::timeout(Duration::from_secs(2), app.system.store.begin(&scope)).await {
        Ok(Ok(_)) => (StatusCode::OK, "ready\n"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "Postgres does not answer\n"),
    }
}

/// Pages of the dashboard may call this server with their sessions, and no others.
fn cors(origins: &[String]) -> CorsLayer {
    let origins = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, HeaderName::from_static("traceparent")])
        .max_age(Duration::from_secs(600))
}
