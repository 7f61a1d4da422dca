//! Connecting by OAuth: sending the user to a network, and taking what they come back with.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use backplane::store::accounts::{self, OauthState};
use connectors::Connected;
use domain::id::Noun;
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::connect::{self, Pending};
use super::failure::Answer;
use super::id;
use super::platform::Platform;
use super::scalars::Url;
use super::scope::{Cx, cx};
use super::social_account::{AccountKey, SocialAccount};
use super::user_error::{Path, Stop, UserError, change, payloads};
use crate::auth::token::{self, TokenKind};
use crate::auth::{Actor, Right};

/// Which account of which network.
#[derive(Clone, InputObject)]
pub struct StartConnectInput {
    /// The brand that it is connected to.
    brand_id: ID,
    /// The network.
    platform: Platform,
    /// Connects this account again and no other.
    account_id: Option<ID>,
    /// One of those that the server is configured with.
    redirect_url: Url,
}

/// Where to send the user.
#[derive(SimpleObject, Default)]
pub struct StartConnectPayload {
    /// Where to send the user.
    authorize_url: Option<Url>,
    /// Why nothing changed.
    user_errors: Vec<UserError>,
}

/// What the user came back with.
#[derive(Clone, InputObject)]
pub struct FinishConnectInput {
    /// Where the network sent the user back to, with all its parameters.
    callback_url: Url,
    /// In the second call: those chosen.
    external_ids: Option<Vec<String>>,
}

/// What is connected, or what there is to choose from.
#[derive(SimpleObject, Default)]
pub struct FinishConnectPayload {
    /// What is connected now.
    accounts: Vec<SocialAccount>,
    /// What there is to choose from: call again with some of these.
    choices: Vec<AccountChoice>,
    /// Why nothing changed.
    user_errors: Vec<UserError>,
}

/// An account that the user gave access to and may choose.
#[derive(Clone, Debug, SimpleObject)]
pub struct AccountChoice {
    /// The network.
    platform: Platform,
    /// For `externalIds`.
    external_id: String,
    /// What it is called there.
    handle: String,
    /// Its picture there.
    avatar_url: Option<Url>,
    /// Where it is connected already.
    account: Option<SocialAccount>,
}

payloads!(StartConnectPayload, FinishConnectPayload);

/// Connecting by OAuth.
#[derive(Default)]
pub struct OauthMutation;

#[Object]
impl OauthMutation {
    /// For networks with OAuth: where to send the user. Good for ten minutes, in the session that asked.
    async fn start_connect(
        &self,
        ctx: &Context<'_>,
        input: StartConnectInput,
    ) -> Answer<StartConnectPayload> {
        change(input, |input| start(cx(ctx), input)).await
    }

    /// Finishes it. A single account is connected at once; of several, none is before it is chosen.
    async fn finish_connect(
        &self,
        ctx: &Context<'_>,
        input: FinishConnectInput,
    ) -> Answer<FinishConnectPayload> {
        change(input, |input| finish(cx(ctx), input)).await
    }
}

async fn start(cx: &Cx, input: StartConnectInput) -> Result<StartConnectPayload, Stop> {
    let path = Path::input();
    let brand = cx.brand_in(&input.brand_id, Right::Administer, &path.field("brandId"))?;
    let platform = domain::platform::Platform::from(input.platform);
    let connector = connect::connector(cx, platform, &path.field("platform"))?;
    let redirect_url = input.redirect_url.0;
    if !cx.system.config.redirect_urls.contains(&redirect_url) {
        let message =
            "this server is not configured to be returned to there: use one of its redirect addresses";
        return Err(UserError::invalid(message, &path.field("redirectUrl")).into());
    }
    let account_id = match &input.account_id {
        Some(account) => Some(known_account(cx, brand, platform, account, &path.field("accountId")).await?),
        None => None,
    };
    let secret = token::fresh(TokenKind::OauthState);
    let Some(authorize_url) = connector.authorize_url(secret.expose_secret(), &redirect_url) else {
        let message = "this network has no sign-in of its own: use connectWithCredentials";
        return Err(UserError::invalid(message, &path.field("platform")).into());
    };
    let state =
        OauthState { brand_id: brand, platform, redirect_url: redirect_url.into(), account_id, found: None };
    let mut tx = cx.write(brand, Right::Administer, &path.field("brandId")).await?;
    accounts::put_state(&mut tx, &state_hash(cx, secret.expose_secret())?, cx.asker()?.actor.id(), &state)
        .await?;
    tx.commit().await?;
    Ok(StartConnectPayload { authorize_url: Some(Url(authorize_url)), user_errors: vec![] })
}

async fn known_account(
    cx: &Cx,
    brand: Uuid,
    platform: domain::platform::Platform,
    account: &ID,
    path: &Path,
) -> Result<Uuid, Stop> {
    let account = id::parse_input(Noun::SocialAccount, account, path)?;
    let found = cx.loaders.load_one(AccountKey(account)).await?;
    let fits = found.filter(|found| found.0.brand_id == brand && found.0.platform == platform);
    Ok(fits.map(|found| found.0.id).ok_or_else(|| UserError::not_found("account of that network", path))?)
}

/// Binds a state to the session that asked: taken to another one, it opens nothing.
fn state_hash(cx: &Cx, state: &str) -> Result<Vec<u8>, Stop> {
    let session = match cx.asker()?.actor {
        Actor::User { session, .. } => session,
        Actor::ApiKey { key } => key,
    };
    Ok(token::hash(&SecretString::from(format!("{state} {session}"))))
}

async fn finish(cx: &Cx, input: FinishConnectInput) -> Result<FinishConnectPayload, Stop> {
    let path = Path::input().field("callbackUrl");
    let callback = input.callback_url.0;
    let state = callback.query_pairs().find(|(name, _)| name == "state").map(|(_, value)| value.into_owned());
    let gone = || {
        let message = "this sign-in is over, or was begun in another session: start to connect again";
        UserError::conflict(message, &path)
    };
    let hash = state_hash(cx, &state.ok_or_else(gone)?)?;
    let begun = accounts::find_state(&mut cx.read().await?, &hash).await?.ok_or_else(gone)?;
    cx.allow(begun.brand_id, Right::Administer, &path)?;
    let connector = connect::connector(cx, begun.platform, &path)?;
    let found = match &begun.found {
        Some(found) => chosen(cx, &begun, found, input.external_ids.as_deref()).await?,
        None => {
            let mut tx = cx.write(begun.brand_id, Right::Administer, &path).await?;
            if !accounts::take_state(&mut tx, &hash).await? {
                return Err(gone().into());
            }
            tx.commit().await?;
            let redirect_url: url::Url = begun.redirect_url.parse()?;
            connector
                .connect(&callback, &redirect_url)
                .await
                .map_err(|error| connect::refused(&error, &path))?
        }
    };
    let found = only_wanted(cx, &begun, found, &path).await?;
    if begun.found.is_none() && found.len() > 1 {
        return offer(cx, &begun, &hash, found).await;
    }
    let mut ids = Vec::with_capacity(found.len());
    for connected in &found {
        ids.push(connect::store(cx, begun.brand_id, connector, connected, &path).await?);
    }
    if begun.found.is_some() {
        let mut tx = cx.write(begun.brand_id, Right::Administer, &path).await?;
        accounts::take_state(&mut tx, &hash).await?;
        tx.commit().await?;
    }
    let mut loaded = cx.loaders.load_many(ids.iter().copied().map(AccountKey)).await?;
    let accounts = ids.into_iter().filter_map(|id| loaded.remove(&AccountKey(id))).collect();
    Ok(FinishConnectPayload { accounts, ..FinishConnectPayload::default() })
}

/// When one account is to be connected again, no other one is.
async fn only_wanted(
    cx: &Cx,
    begun: &OauthState,
    found: Vec<Connected>,
    path: &Path,
) -> Result<Vec<Connected>, Stop> {
    let Some(account) = begun.account_id else { return Ok(found) };
    let wanted = cx.loaders.load_one(AccountKey(account)).await?;
    let wanted = wanted.ok_or_else(|| UserError::not_found("account", path))?;
    let same = |connected: &Connected| connected.profile.external_id == wanted.0.external_id;
    let found: Vec<Connected> = found.into_iter().filter(same).collect();
    if found.is_empty() {
        let message = format!("another account was chosen: sign in as {} and try again", wanted.0.handle);
        return Err(UserError::conflict(message, path).into());
    }
    Ok(found)
}

/// Several accounts: nothing is connected before one is chosen. Their tokens wait sealed.
async fn offer(
    cx: &Cx,
    begun: &OauthState,
    hash: &[u8],
    found: Vec<Connected>,
) -> Result<FinishConnectPayload, Stop> {
    let path = Path::input().field("callbackUrl");
    let mut tx = cx.write(begun.brand_id, Right::Administer, &path).await?;
    let mut pending = Vec::with_capacity(found.len());
    for connected in &found {
        pending.push(Pending::seal(cx, &mut tx, begun.brand_id, begun.platform, connected).await?);
    }
    let state = OauthState { found: Some(serde_json::to_value(&pending)?), ..begun.clone() };
    accounts::put_state(&mut tx, hash, cx.asker()?.actor.id(), &state).await?;
    tx.commit().await?;
    let external_ids: Vec<String> = pending.iter().map(|choice| choice.external_id.clone()).collect();
    let known = accounts::known_accounts(&mut cx.read().await?, begun.platform, &external_ids).await?;
    let mut choices = Vec::with_capacity(pending.len());
    for choice in pending {
        let account = known.iter().find(|(external_id, _)| *external_id == choice.external_id);
        let account = match account {
            Some((_, id)) => cx.loaders.load_one(AccountKey(*id)).await?,
            None => None,
        };
        choices.push(AccountChoice {
            platform: begun.platform.into(),
            external_id: choice.external_id,
            handle: choice.handle,
            avatar_url: choice.avatar_url.map(Url),
            account,
        });
    }
    Ok(FinishConnectPayload { choices, ..FinishConnectPayload::default() })
}

async fn chosen(
    cx: &Cx,
    begun: &OauthState,
    found: &serde_json::Value,
    external_ids: Option<&[String]>,
) -> Result<Vec<Connected>, Stop> {
    let path = Path::input().field("externalIds");
    let mut pending: Vec<Pending> = serde_json::from_value(found.clone())?;
    let wanted = external_ids.filter(|ids| !ids.is_empty());
    let wanted = wanted.ok_or_else(|| UserError::invalid("choose one account at least", &path))?;
    let mut tx = cx.write(begun.brand_id, Right::Administer, &path).await?;
    let mut chosen = Vec::with_capacity(wanted.len());
    for (index, external_id) in wanted.iter().enumerate() {
        let at = pending.iter().position(|choice| choice.external_id == *external_id);
        let at = at.ok_or_else(|| UserError::not_found("choice", &path.index(index)))?;
        chosen.push(pending.swap_remove(at).open(cx, &mut tx, begun.brand_id, begun.platform).await?);
    }
    tx.commit().await?;
    Ok(chosen)
}
