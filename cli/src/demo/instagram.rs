//! The brand's Instagram: posts made by hand in the sandbox, then ingested.

use std::time::Duration;

use anyhow::Context as _;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use url::Url;

use super::{Demo, api, networks};
use crate::console::say;

/// How long ingesting the four posts may take.
const INGEST_LIMIT: Duration = Duration::from_secs(180);
const POLL: Duration = Duration::from_millis(500);

/// A file that ships with Reelmill.
struct File {
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

macro_rules! file {
    ($name:literal, $content_type:literal) => {
        File {
            name: $name,
            content_type: $content_type,
            bytes: include_bytes!(concat!("../../../deploy/local/demo/", $name)),
        }
    };
}

/// A post of the brand, oldest first.
struct Post {
    kind: &'static str,
    caption: &'static str,
    at: &'static str,
    files: &'static [File],
    repost: bool,
}

const POSTS: [Post; 4] = [
    Post {
        kind: "reel",
        caption: "A green morning. #slow",
        at: "2026-11-02T08:15:00Z",
        files: &[file!("landscape.mp4", "video/mp4")],
        repost: false,
    },
    Post {
        kind: "carousel",
        caption: "Two shores of the same sea. More at https://northwind.example/shores #shore",
        at: "2026-11-09T17:30:00Z",
        files: &[file!("photo-2.jpg", "image/jpeg"), file!("photo-3.jpg", "image/jpeg")],
        repost: true,
    },
    Post {
        kind: "photo",
        caption: "Where the colours begin. #dawn",
        at: "2026-11-14T06:45:00Z",
        files: &[file!("photo-1.jpg", "image/jpeg")],
        repost: true,
    },
    Post {
        kind: "reel",
        caption: "Six seconds of evening light. Link in bio! #light",
        at: "2026-11-18T19:00:00Z",
        files: &[file!("reel.mp4", "video/mp4")],
        repost: true,
    },
];

/// Makes the posts in the sandbox, as a person would on a phone.
///
/// # Errors
/// The sandbox refuses one.
pub async fn post_by_hand(sandbox: &Url) -> anyhow::Result<()> {
    let http = api::http()?;
    let account = networks::sandbox_account(sandbox, "instagram").await?;
    let id = account["externalId"].as_str().context("the sandbox's account has no id")?;
    for post in &POSTS {
        let mut form =
            Form::new().text("kind", post.kind).text("caption", post.caption).text("timestamp", post.at);
        for file in post.files {
            let part = Part::bytes(file.bytes).file_name(file.name).mime_str(file.content_type);
            form = form.part("file", part.context("name the file's type")?);
        }
        let address = sandbox.join(&format!("sandbox/accounts/{id}/media")).context("address the account")?;
        let response = http.post(address).multipart(form).send().await.context("post")?;
        let status = response.status();
        anyhow::ensure!(
            status.is_success(),
            "the sandbox refused: {}",
            response.text().await.unwrap_or_default()
        );
    }
    Ok(())
}

/// Ingests the account and returns the ids of the assets that are to be reposted, oldest first.
///
/// # Errors
/// A call fails, an asset is rejected, or the assets are not ready within three minutes.
pub async fn ingest(demo: &Demo<'_>, account_id: &str) -> anyhow::Result<Vec<String>> {
    let query = "mutation ($in: IngestNowInput!) { ingestNow(input: $in) { account { id } userErrors { code message path } } }";
    let input = json!({ "accountId": account_id, "since": "2026-01-01T00:00:00Z" });
    demo.api.call(query, json!({ "in": input })).await?;
    let deadline = Instant::now() + INGEST_LIMIT;
    loop {
        let assets = assets(demo, account_id).await?;
        if let Some(rejected) = assets.iter().find(|asset| asset["state"] == "REJECTED") {
            anyhow::bail!("a post was rejected: {}", rejected["problem"]["message"]);
        }
        if assets.len() >= POSTS.len() && assets.iter().all(|asset| asset["state"] == "READY") {
            say(format_args!("  {} posts were ingested and probed", assets.len()));
            return wanted(&assets);
        }
        anyhow::ensure!(
            Instant::now() < deadline,
            "only {} posts are there after three minutes",
            assets.len()
        );
        sleep(POLL).await;
    }
}

async fn assets(demo: &Demo<'_>, account_id: &str) -> anyhow::Result<Vec<Value>> {
    let query = "query ($brand: ID!, $account: ID!) { brand(id: $brand) { assets(first: 20, filter: { accountId: $account }) { \
                 nodes { id state caption problem { message } } } } }";
    let mut data = demo.api.call(query, json!({ "brand": demo.brand_id, "account": account_id })).await?;
    match data["brand"]["assets"]["nodes"].take() {
        Value::Array(nodes) => Ok(nodes),
        _ => anyhow::bail!("the brand's assets are not there"),
    }
}

fn wanted(assets: &[Value]) -> anyhow::Result<Vec<String>> {
    let id_of = |post: &Post| {
        let asset = assets.iter().find(|asset| asset["caption"] == post.caption)?;
        asset["id"].as_str().map(str::to_owned)
    };
    let wanted = POSTS.iter().filter(|post| post.repost);
    wanted.map(|post| id_of(post).with_context(|| format!("find the post \"{}\"", post.caption))).collect()
}
