//! The reposts: one job, watched until every target is at its end.

use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{Demo, networks::Accounts};
use crate::console::say;

/// How long making and publishing the posts may take.
const PUBLISH_LIMIT: Duration = Duration::from_secs(300);
const POLL: Duration = Duration::from_millis(500);
/// States that a target leaves by itself.
const MOVING: [&str; 4] = ["PREPARING", "SCHEDULED", "PUBLISHING", "UNCONFIRMED"];

/// Creates the job; pairs that cannot be, such as a carousel for TikTok, are left out.
///
/// # Errors
/// The call fails, or nothing was left to do.
pub async fn create(demo: &Demo<'_>, accounts: &Accounts, assets: &[String]) -> anyhow::Result<String> {
    let query = "mutation ($in: CreatePublishJobInput!) { createPublishJob(input: $in) { job { id } \
                 skipped { message } userErrors { code message path } } }";
    let posts: Vec<Value> = assets.iter().map(|id| json!({ "assetId": id })).collect();
    let input = json!({
        "brandId": demo.brand_id,
        "name": "Repost of the brand's Instagram",
        "posts": posts,
        "destinations": [{ "accountId": accounts.tiktok }, { "accountId": accounts.telegram }],
        "skipUnfit": true,
        "idempotencyKey": "local-demo-repost",
    });
    let made = demo.api.call(query, json!({ "in": input })).await?;
    let made = &made["createPublishJob"];
    for skipped in made["skipped"].as_array().into_iter().flatten() {
        say(format_args!("  left out: {}", skipped["message"].as_str().unwrap_or("no reason given")));
    }
    Ok(made["job"]["id"].as_str().context("nothing was left to post")?.to_owned())
}

/// Waits until no target of the job moves by itself any more, and says how it goes.
///
/// # Errors
/// A call fails, or it takes longer than five minutes.
pub async fn wait(demo: &Demo<'_>, job_id: &str) -> anyhow::Result<()> {
    let query = "query ($id: ID!) { node(id: $id) { ... on PublishJob { counts { state count } } } }";
    let deadline = Instant::now() + PUBLISH_LIMIT;
    let mut said = String::new();
    loop {
        let data = demo.api.call(query, json!({ "id": job_id })).await?;
        let counts = data["node"]["counts"].as_array().context("the job is not there")?;
        let line: Vec<String> = counts
            .iter()
            .map(|line| format!("{} {}", line["count"], line["state"].as_str().unwrap_or("?").to_lowercase()))
            .collect();
        let line = line.join(", ");
        if line != said {
            say(format_args!("  reposting: {line}"));
            said = line;
        }
        if !counts.iter().any(|line| line["state"].as_str().is_some_and(|state| MOVING.contains(&state))) {
            return Ok(());
        }
        anyhow::ensure!(Instant::now() < deadline, "the posts are not out after five minutes: {said}");
        sleep(POLL).await;
    }
}

/// Says what was published where.
///
/// # Errors
/// The call fails.
pub async fn report(demo: &Demo<'_>, job_id: &str) -> anyhow::Result<()> {
    let query = "query ($id: ID!) { node(id: $id) { ... on PublishJob { targets(first: 100) { nodes { \
                 state externalUrl problem { message } account { platform handle } asset { kind } \
                 media { operation } caption { text } } } } } }";
    let data = demo.api.call(query, json!({ "id": job_id })).await?;
    say("\nReposted from the brand's Instagram:");
    for target in data["node"]["targets"]["nodes"].as_array().into_iter().flatten() {
        let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
        let operation = target["media"][0]["operation"].as_str().unwrap_or("").to_lowercase();
        let what = target["externalUrl"].as_str().or(target["problem"]["message"].as_str()).unwrap_or("");
        say(format_args!(
            "  {:<9} {:<9} {:<16} {:<11} {what}",
            text(&target["asset"]["kind"]).to_lowercase(),
            text(&target["account"]["platform"]).to_lowercase(),
            text(&target["state"]).to_lowercase(),
            operation,
        ));
    }
    Ok(())
}
