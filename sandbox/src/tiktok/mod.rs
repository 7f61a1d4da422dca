//! TikTok: placeholder until the next commit.
use crate::app::App;
use crate::faults::Trouble;
use axum::Router;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Share;
pub fn routes() -> Router<Arc<App>> {
    Router::new()
}
pub fn resume(_app: &Arc<App>) {}
pub fn trouble(_trouble: &Trouble) -> Response {
    Response::default()
}
