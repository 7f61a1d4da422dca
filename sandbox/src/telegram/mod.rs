//! Telegram: placeholder until the next commit.
use crate::account::Bot;
use crate::app::App;
use crate::faults::Trouble;
use axum::Router;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SentFile;
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SentMessage;
pub fn routes() -> Router<Arc<App>> {
    Router::new()
}
pub fn trouble(_trouble: &Trouble) -> Response {
    Response::default()
}
pub fn bot_token(app: &App, bot: &Bot) -> String {
    let secret = app.sign(&format!("bot {} {}", bot.id, bot.generation));
    format!("{}:{}", bot.id, &secret[..35])
}
pub fn bot_of_token(app: &App, token: &str) -> Option<Bot> {
    let (id, _) = token.split_once(':')?;
    let bot = app.world().bots.get(id).cloned()?;
    (bot_token(app, &bot) == token).then_some(bot)
}
