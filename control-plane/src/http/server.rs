//! The list of what is served.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::routing::get;
use tokio::sync::Semaphore;
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::{graphiql, graphql, websocket};
use crate::graphql::schema::{self, Schema};
use crate::system::System;

/// What handlers work with. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub system: Arc<System>,
    pub schema: Schema,
    /// Places for sockets.
    pub sockets: Arc<Semaphore>,
}

/// The API over HTTP. Health and metrics are the process's own.
pub fn router(system: Arc<System>) -> Router {
    let cors = cors(&system.config.dashboard_origins);
    let local = system.config.local;
    let mut router = Router::new()
        .route("/graphql", get(websocket::upgrade_or_query).post(graphql::serve))
        .route("/graphql/ws", get(websocket::upgrade_or_query))
        .layer(cors);
    if local {
        router = router.route("/graphiql", get(graphiql::page));
    }
    router.with_state(App {
        system,
        schema: schema::build(),
        sockets: Arc::new(Semaphore::new(websocket::SOCKETS_MAX)),
    })
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
