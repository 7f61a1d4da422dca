//! TikTok: OAuth with rotating tokens, direct posts by FILE_UPLOAD, status, and lists.

mod call;
mod checks;
mod error;
mod init;
mod oauth;
mod process;
mod share;
mod status;
mod upload;
mod user;
mod video;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post, put};

use crate::app::App;

pub use error::trouble;
pub use process::resume;
pub use share::Share;

/// The hosts of TikTok.
pub fn routes() -> Router<Arc<App>> {
    let api = "/open.tiktokapis.com/v2";
    Router::new()
        .route(&format!("{api}/oauth/token/"), post(oauth::token))
        .route(&format!("{api}/oauth/revoke/"), post(oauth::revoke))
        .route(&format!("{api}/user/info/"), get(user::info))
        .route(&format!("{api}/post/publish/creator_info/query/"), post(user::creator_info))
        .route(&format!("{api}/post/publish/video/init/"), post(init::video))
        .route(&format!("{api}/post/publish/content/init/"), post(init::content))
        .route(&format!("{api}/post/publish/status/fetch/"), post(status::fetch))
        .route(&format!("{api}/video/list/"), post(video::list))
        .route("/open-upload.tiktokapis.com/video/", put(upload::chunk).layer(DefaultBodyLimit::disable()))
}
