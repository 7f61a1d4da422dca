//! Instagram with Instagram Login: OAuth, containers, publishing, lists, and the CDN.

mod call;
mod cdn;
mod checks;
mod container;
mod error;
mod fields;
mod list;
mod oauth;
mod object;
mod publish;

use std::sync::Arc;

use axum::Router;
use axum::routing::{any, get, post};

use crate::app::App;

pub use container::{Container, resume};
pub use error::trouble;

/// The hosts of Instagram.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api.instagram.com/oauth/access_token", post(oauth::exchange))
        .route("/graph.instagram.com/access_token", get(oauth::lengthen))
        .route("/graph.instagram.com/refresh_access_token", get(oauth::refresh))
        .route("/graph.instagram.com/{*path}", any(call::answer))
        .route("/cdn.instagram.com/{kind}/{file}", get(cdn::serve))
}
