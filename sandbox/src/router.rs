//! The one list of what the sandbox answers, by host.

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::routing::get;

use crate::app::App;
use crate::{connection, consent, control, drain, feed, instagram, requests, telegram, tiktok};

/// All hosts, the control API and the feed.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(feed::page))
        .route("/www.instagram.com/oauth/authorize", get(consent::instagram))
        .route("/www.tiktok.com/v2/auth/authorize/", get(consent::tiktok))
        .merge(instagram::routes())
        .merge(tiktok::routes())
        .merge(telegram::routes())
        .merge(control::routes())
        .layer(middleware::from_fn(drain::unread_bodies))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), requests::remember))
        .layer(middleware::from_fn(connection::cut_when_asked))
        .with_state(app)
}
