//! `GET` and `POST /sandbox/accounts`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::platform::Platform;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::account::{self, Account, Bot, Channel, Creator};
use crate::app::App;
use crate::control::{ControlError, invalid};
use crate::journal::StorageError;
use crate::telegram;
use crate::world::{World, numeric_id};

/// Accounts held at once.
const ACCOUNTS: usize = 10_000;

/// The body of `POST /sandbox/accounts`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Wanted {
    platform: Platform,
    handle: String,
    /// Telegram: the bot to make administrator, when it is not a new one.
    bot_token: Option<String>,
    /// Telegram: false takes the bot's right to post.
    can_post: Option<bool>,
    /// Telegram: false removes the bot from the channel.
    member: Option<bool>,
    /// TikTok: what creator_info offers.
    privacy_options: Option<Vec<String>>,
    /// TikTok: longest video, seconds.
    max_duration_sec: Option<u64>,
}

/// Makes the account, or changes the one with this handle, and answers how to connect it.
pub async fn create(
    State(app): State<Arc<App>>,
    Json(wanted): Json<Wanted>,
) -> Result<Json<Value>, ControlError> {
    let bot = wanted.bot_token.as_deref().map(|token| telegram::bot_of_token(&app, token));
    let bot = match bot {
        Some(None) => return Err(invalid("botToken is no bot's token; leave it out for a new bot")),
        bot => bot.flatten(),
    };
    let mut world = app.world();
    let mut account = ensure(&mut world, wanted.platform, &wanted.handle)?.map_err(invalid)?;
    if let Some(channel) = &mut account.channel {
        channel.bot_id = bot.map_or(channel.bot_id, |bot| bot.id);
        channel.can_post = wanted.can_post.unwrap_or(channel.can_post);
        channel.member = wanted.member.unwrap_or(channel.member);
    }
    if let Some(creator) = &mut account.creator {
        creator.max_duration_s = wanted.max_duration_sec.unwrap_or(creator.max_duration_s);
        if let Some(options) = wanted.privacy_options {
            creator.privacy_options = options;
        }
    }
    let key = account::key(account.platform, &account.external_id);
    world.accounts.put(&key, account.clone())?;
    Ok(Json(described(&app, &world, &account)))
}

/// All accounts, as `create` answers them.
pub async fn list(State(app): State<Arc<App>>) -> Json<Value> {
    let world = app.world();
    let accounts: Vec<_> = world.accounts.rows().map(|account| described(&app, &world, account)).collect();
    Json(json!({ "accounts": accounts }))
}

fn described(app: &App, world: &World, account: &Account) -> Value {
    let mut answer = json!({
        "platform": account.platform,
        "handle": account.handle,
        "externalId": account.external_id,
    });
    let bot = account.channel.as_ref().and_then(|channel| world.bots.get(&channel.bot_id.to_string()));
    if let Some(bot) = bot {
        answer["chat"] = json!(format!("@{}", account.handle));
        answer["botToken"] = json!(telegram::bot_token(app, bot));
        answer["botUsername"] = json!(bot.username);
    }
    answer
}

/// The account with this handle, made when nobody has it; inside, why the handle cannot be one.
pub fn ensure(
    world: &mut World,
    platform: Platform,
    handle: &str,
) -> Result<Result<Account, String>, StorageError> {
    let handle = handle.trim().trim_start_matches('@');
    if let Some(account) = world.account_of_handle(platform, handle) {
        return Ok(Ok(account.clone()));
    }
    let letters = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '.';
    if handle.is_empty() || handle.len() > 32 || !handle.chars().all(letters) {
        return Ok(Err("a handle has 1 to 32 letters, digits, dots and underscores".to_owned()));
    }
    if world.accounts.rows().count() >= ACCOUNTS {
        return Ok(Err(format!("the sandbox holds at most {ACCOUNTS} accounts")));
    }
    let external_id = match platform {
        Platform::Instagram => numeric_id("178414", 17),
        Platform::Tiktok => format!("-000{}", &crate::grant::random_text()[..32]),
        Platform::Telegram => numeric_id("-1002", 14),
        other => return Ok(Err(format!("{other} is not simulated; instagram, tiktok and telegram are"))),
    };
    let channel = match platform {
        Platform::Telegram => Some(new_channel(world, handle)?),
        _ => None,
    };
    let account = Account {
        platform,
        app_scoped_id: numeric_id("2", 16),
        handle: handle.to_owned(),
        creator: (platform == Platform::Tiktok).then(Creator::default),
        channel,
        external_id,
    };
    world.accounts.put(&account::key(platform, &account.external_id), account.clone())?;
    Ok(Ok(account))
}

fn new_channel(world: &mut World, handle: &str) -> Result<Channel, StorageError> {
    let id: u64 = numeric_id("7", 10).parse().expect("ten digits fit into 64 bits");
    let bot = Bot { id, username: format!("{}_bot", handle.replace('.', "_")), generation: 0 };
    world.bots.put(&id.to_string(), bot)?;
    Ok(Channel { bot_id: id, member: true, can_post: true })
}
