//! The Telegram Bot API, as its server answers (PLATFORMS §6).

mod album;
mod chat;
mod checks;
mod entities;
mod error;
mod html;
mod input;
mod markdown;
mod message;
mod method;
mod params;
mod remove;
mod send;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::any;

use crate::account::Bot;
use crate::app::App;

pub use error::trouble;
pub use input::SentFile;

/// The host of Telegram.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api.telegram.org/{bot}/{method}", any(method::call).layer(DefaultBodyLimit::disable()))
}

/// A bot's token: derived, so that none is stored, and another one for each generation.
pub fn bot_token(app: &App, bot: &Bot) -> String {
    let secret = app.sign(&format!("bot {} {}", bot.id, bot.generation));
    format!("{}:{}", bot.id, &secret[..35])
}

/// The bot whose token this is.
pub fn bot_of_token(app: &App, token: &str) -> Option<Bot> {
    let (id, _) = token.split_once(':')?;
    let bot = app.world().bots.get(id).cloned()?;
    (bot_token(app, &bot) == token).then_some(bot)
}
