//! The accounts that people have on the simulated networks.

use domain::platform::Platform;
use serde::{Deserialize, Serialize};

/// One account; for Telegram a channel with its bot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    pub platform: Platform,
    /// The network's id of it: Instagram professional account id, TikTok open_id, Telegram chat id.
    pub external_id: String,
    /// Without `@`.
    pub handle: String,
    /// Instagram's other id, that is only good for this app (`/me` gives it as `id`).
    pub app_scoped_id: String,
    pub channel: Option<Channel>,
    pub creator: Option<Creator>,
}

/// What Telegram knows of a channel and its bot in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Channel {
    pub bot_id: u64,
    /// False once the bot was removed.
    pub member: bool,
    /// An administrator with `can_post_messages`.
    pub can_post: bool,
}

/// What TikTok's creator_info says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Creator {
    pub privacy_options: Vec<String>,
    pub max_duration_s: u64,
}

impl Default for Creator {
    fn default() -> Self {
        let options = ["PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY"];
        Self { privacy_options: options.map(str::to_owned).to_vec(), max_duration_s: 600 }
    }
}

/// A Telegram bot. Its token is derived, so that none is stored; a new generation is a new token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bot {
    pub id: u64,
    pub username: String,
    pub generation: u32,
}

/// The key of an account in its table.
pub fn key(platform: Platform, external_id: &str) -> String {
    format!("{platform}/{external_id}")
}
