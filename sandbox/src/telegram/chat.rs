//! `getMe`, `getChat`, `getChatMember`, and who may post where.

use domain::platform::Platform;
use serde_json::{Value, json};

use crate::account::{Account, Bot, Channel};
use crate::telegram::error::BotError;
use crate::telegram::method::{Answer, Call};

/// `getMe`.
pub fn me(bot: &Bot) -> Value {
    json!({
        "id": bot.id,
        "is_bot": true,
        "first_name": bot.username,
        "username": bot.username,
        "can_join_groups": true,
        "can_read_all_group_messages": false,
        "supports_inline_queries": false,
    })
}

/// The channel that `chat_id` names, for a bot that is in it.
pub fn find(call: &Call) -> Result<Account, BotError> {
    let chat_id = call.params.text("chat_id").ok_or_else(|| BotError::bad("chat_id is empty"))?;
    let world = call.app.world();
    let by_name = chat_id.strip_prefix('@');
    let account = match by_name {
        Some(name) => world.account_of_handle(Platform::Telegram, name),
        None => world.account(Platform::Telegram, chat_id),
    };
    let account = account.cloned().ok_or_else(|| BotError::bad("chat not found"))?;
    let channel = account.channel.as_ref().ok_or_else(|| BotError::bad("chat not found"))?;
    match (channel.bot_id == call.bot.id, by_name) {
        (true, _) if channel.member => Ok(account),
        (true, _) => Err(BotError::forbidden("bot was kicked from the channel chat")),
        (false, Some(_)) => Err(BotError::forbidden("bot is not a member of the channel chat")),
        // A bot that was never in a chat cannot name it by number.
        (false, None) => Err(BotError::bad("chat not found")),
    }
}

/// The channel, for a bot that may post `what` in it.
pub fn find_writable(call: &Call, what: &str) -> Result<Account, BotError> {
    let account = find(call)?;
    match account.channel {
        Some(Channel { can_post: true, .. }) => Ok(account),
        _ => Err(BotError::bad(format!("not enough rights to send {what} to the chat"))),
    }
}

/// How messages name their chat.
pub fn described(account: &Account) -> Value {
    let id: i64 = account.external_id.parse().unwrap_or_default();
    json!({"id": id, "title": account.handle, "username": account.handle, "type": "channel"})
}

/// `getChat`.
pub fn chat(call: &Call) -> Answer {
    let mut chat = described(&find(call)?);
    chat["accent_color_id"] = json!(0);
    chat["max_reaction_count"] = json!(11);
    Ok(chat)
}

/// `getChatMember`, for the bot itself.
pub fn member(call: &Call) -> Answer {
    let account = find(call)?;
    let user_id = call.params.text("user_id").and_then(|id| id.parse::<u64>().ok());
    let user_id = user_id.ok_or_else(|| BotError::bad("invalid user_id specified"))?;
    if user_id != call.bot.id {
        return Err(BotError::bad("user not found"));
    }
    let can_post = account.channel.as_ref().is_some_and(|channel| channel.can_post);
    Ok(json!({
        "user": me(&call.bot),
        "status": "administrator",
        "can_be_edited": false,
        "is_anonymous": false,
        "can_manage_chat": true,
        "can_change_info": false,
        "can_post_messages": can_post,
        "can_edit_messages": can_post,
        "can_delete_messages": can_post,
        "can_invite_users": false,
        "can_restrict_members": false,
        "can_promote_members": false,
        "can_manage_video_chats": false,
    }))
}
