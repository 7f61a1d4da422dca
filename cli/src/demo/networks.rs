//! The brand's accounts on the simulated networks, connected as a person would connect them.

use anyhow::Context as _;
use serde_json::{Value, json};
use url::Url;

use super::{Demo, api};
use crate::console::say;

/// What the brand is called on every network.
const HANDLE: &str = "northwind.studio";

/// The ids of the connected accounts.
pub struct Accounts {
    pub instagram: String,
    pub tiktok: String,
    pub telegram: String,
}

/// Connects the three accounts, those first that are connected already.
///
/// # Errors
/// A call fails or a network refuses.
pub async fn connect(demo: &Demo<'_>) -> anyhow::Result<Accounts> {
    let query = "query ($brand: ID!) { brand(id: $brand) { socialAccounts(first: 20) { nodes { id platform state } } } }";
    let known = demo.api.call(query, json!({ "brand": demo.brand_id })).await?;
    let known = &known["brand"]["socialAccounts"]["nodes"];
    let find = |platform: &str| {
        let nodes = known.as_array()?.iter();
        let node = nodes.clone().find(|node| node["platform"] == platform && node["state"] == "CONNECTED")?;
        node["id"].as_str().map(str::to_owned)
    };
    let instagram = match find("INSTAGRAM") {
        Some(id) => id,
        None => by_consent(demo, "INSTAGRAM").await.context("connect Instagram")?,
    };
    let tiktok = match find("TIKTOK") {
        Some(id) => id,
        None => by_consent(demo, "TIKTOK").await.context("connect TikTok")?,
    };
    choose_settings(demo, &tiktok).await.context("choose TikTok's settings")?;
    let telegram = match find("TELEGRAM") {
        Some(id) => id,
        None => by_bot(demo).await.context("connect Telegram")?,
    };
    say("  its Instagram, TikTok and Telegram accounts are connected");
    Ok(Accounts { instagram, tiktok, telegram })
}

/// Makes the account in the sandbox, or finds it.
///
/// # Errors
/// The sandbox refuses.
pub async fn sandbox_account(sandbox: &Url, platform: &str) -> anyhow::Result<Value> {
    let address = sandbox.join("sandbox/accounts").context("address the sandbox")?;
    let handle = if platform == "telegram" { HANDLE.replace('.', "_") } else { HANDLE.to_owned() };
    let body = json!({ "platform": platform, "handle": handle });
    let response = api::http()?.post(address).json(&body).send().await.context("call the sandbox")?;
    response
        .error_for_status()
        .context("the sandbox refused")?
        .json()
        .await
        .context("read the sandbox's answer")
}

/// OAuth: ask for the address, consent there, and bring back where it sends us.
async fn by_consent(demo: &Demo<'_>, platform: &str) -> anyhow::Result<String> {
    let query = "mutation ($in: StartConnectInput!) { startConnect(input: $in) { authorizeUrl userErrors { code message path } } }";
    let input =
        json!({ "brandId": demo.brand_id, "platform": platform, "redirectUrl": demo.redirect_url.as_str() });
    let started = demo.api.call(query, json!({ "in": input })).await?;
    let address =
        started["startConnect"]["authorizeUrl"].as_str().context("there is no address to consent at")?;
    let mut address = Url::parse(address).context("read the address to consent at")?;
    address.query_pairs_mut().append_pair("login", HANDLE).append_pair("consent", "yes");
    let response = api::http()?.get(address).send().await.context("consent")?;
    let back = response.headers().get("location").and_then(|value| value.to_str().ok());
    let back = back.context("the consent page did not send us back")?.to_owned();

    let query = "mutation ($in: FinishConnectInput!) { finishConnect(input: $in) { accounts { id } userErrors { code message path } } }";
    let finished = demo.api.call(query, json!({ "in": { "callbackUrl": back } })).await?;
    let id = finished["finishConnect"]["accounts"][0]["id"].as_str();
    Ok(id.context("no account was connected")?.to_owned())
}

async fn by_bot(demo: &Demo<'_>) -> anyhow::Result<String> {
    let account = sandbox_account(demo.sandbox, "telegram").await?;
    let credentials = json!({ "telegram": { "botToken": account["botToken"], "chat": account["chat"] } });
    let query = "mutation ($in: ConnectWithCredentialsInput!) { connectWithCredentials(input: $in) { account { id } \
                 userErrors { code message path } } }";
    let input = json!({ "brandId": demo.brand_id, "credentials": credentials });
    let connected = demo.api.call(query, json!({ "in": input })).await?;
    let id = connected["connectWithCredentials"]["account"]["id"].as_str();
    Ok(id.context("no account was connected")?.to_owned())
}

/// Takes the first choice of every setting that the network makes a person choose.
async fn choose_settings(demo: &Demo<'_>, account_id: &str) -> anyhow::Result<()> {
    let query = "query ($id: ID!) { node(id: $id) { ... on SocialAccount { settings { key required value choices } } } }";
    let data = demo.api.call(query, json!({ "id": account_id })).await?;
    let open = data["node"]["settings"].as_array().into_iter().flatten();
    let open = open.filter(|setting| setting["required"] == true && setting["value"].is_null());
    let chosen: Vec<Value> =
        open.map(|setting| json!({ "key": setting["key"], "value": setting["choices"][0] })).collect();
    if chosen.is_empty() {
        return Ok(());
    }
    let query = "mutation ($in: UpdateAccountInput!) { updateAccount(input: $in) { account { id } userErrors { code message path } } }";
    demo.api.call(query, json!({ "in": { "accountId": account_id, "settings": chosen } })).await?;
    Ok(())
}
