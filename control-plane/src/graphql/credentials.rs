//! Connecting by pasted credentials, for networks without OAuth.

use async_graphql::{Context, ID, InputObject, Object, OneofObject, SimpleObject};
use domain::platform::Platform;

use super::connect;
use super::failure::Answer;
use super::scalars::Url;
use super::scope::{Cx, cx};
use super::social_account::{AccountKey, SocialAccount};
use super::user_error::{Path, Stop, UserError, change, payloads};
use crate::auth::Right;

/// Credentials of one network.
#[derive(Clone, InputObject)]
pub struct ConnectWithCredentialsInput {
    /// The brand that it is connected to.
    brand_id: ID,
    /// Of exactly one network.
    credentials: CredentialsInput,
}

/// One of these.
#[derive(Clone, OneofObject)]
pub enum CredentialsInput {
    /// A bot that is an administrator of a channel or group.
    Telegram(TelegramCredentialsInput),
    /// A receiver of Standard Webhooks.
    Web(WebCredentialsInput),
}

/// A bot and where it posts.
#[derive(Clone, InputObject)]
pub struct TelegramCredentialsInput {
    /// As BotFather gave it.
    bot_token: String,
    /// @name or -100…
    chat: String,
}

/// A receiver of Standard Webhooks.
#[derive(Clone, InputObject)]
pub struct WebCredentialsInput {
    /// Where posts are sent.
    url: Url,
    /// What they are signed with.
    secret: String,
}

/// What is connected.
#[derive(SimpleObject, Default)]
pub struct ConnectWithCredentialsPayload {
    /// The connected account.
    account: Option<SocialAccount>,
    /// Why nothing changed.
    user_errors: Vec<UserError>,
}

payloads!(ConnectWithCredentialsPayload);

/// Connecting by credentials.
#[derive(Default)]
pub struct CredentialsMutation;

#[Object]
impl CredentialsMutation {
    /// For networks without OAuth; connects a known account again.
    async fn connect_with_credentials(
        &self,
        ctx: &Context<'_>,
        input: ConnectWithCredentialsInput,
    ) -> Answer<ConnectWithCredentialsPayload> {
        change(input, |input| connect_with(cx(ctx), input)).await
    }
}

async fn connect_with(
    cx: &Cx,
    input: ConnectWithCredentialsInput,
) -> Result<ConnectWithCredentialsPayload, Stop> {
    let path = Path::input();
    let brand = cx.brand_in(&input.brand_id, Right::Administer, &path.field("brandId"))?;
    let at = path.field("credentials");
    let (platform, at, secret, place) = match input.credentials {
        CredentialsInput::Telegram(bot) => {
            (Platform::Telegram, at.field("telegram"), bot.bot_token.into(), bot.chat)
        }
        CredentialsInput::Web(receiver) => {
            (Platform::Web, at.field("web"), receiver.secret.into(), receiver.url.0.to_string())
        }
    };
    let connector = connect::connector(cx, platform, &at)?;
    let connected = connector.connect_with_credentials(secret, &place).await;
    let connected = connected.map_err(|error| connect::refused(&error, &at))?;
    let id = connect::store(cx, brand, connector, &connected, &path.field("brandId")).await?;
    let account = cx.loaders.load_one(AccountKey(id)).await?;
    Ok(ConnectWithCredentialsPayload { account, user_errors: vec![] })
}
