//! The demo: what a newcomer sees on the first `make run`, done with the public API alone.
//!
//! A brand's sandbox Instagram holds four posts. It is connected and ingested, and a reel, a photo and a
//! carousel of it are reposted to TikTok and Telegram. Every step looks first whether it was done before.

mod api;
mod brand;
mod instagram;
mod networks;
mod repost;

use std::path::Path;

use anyhow::Context as _;
use cli::local::secret_file;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

pub use api::{Api, http};
pub use brand::ensure_brand;

use crate::console::say;

/// What the demo talks to.
pub struct Demo<'a> {
    pub api: &'a Api,
    pub sandbox: &'a Url,
    /// Where a network sends people back to after they consented.
    pub redirect_url: &'a Url,
    pub brand_id: &'a str,
}

/// How far an earlier run came.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Progress {
    /// The brand's posts are on the sandbox's Instagram.
    posted: bool,
    job_id: Option<String>,
    finished: bool,
}

/// Sets the demo up, or goes on where an earlier run stopped, and says what was published where.
///
/// # Errors
/// A call fails, or something is not done within its limit; what was done stays.
pub async fn run(demo: &Demo<'_>, data_dir: &Path) -> anyhow::Result<()> {
    let file = data_dir.join("demo.json");
    let mut progress = read(&file)?;
    if !progress.finished {
        say("Setting up the demo, once:");
    }
    if !progress.posted {
        instagram::post_by_hand(demo.sandbox).await.context("post on the sandbox's Instagram")?;
        progress.posted = true;
        write(&file, &progress)?;
        say("  a reel, a clip, a photo and a carousel are on the brand's Instagram (sandbox)");
    }
    if !progress.finished {
        let accounts = networks::connect(demo).await.context("connect the brand's accounts")?;
        let posts =
            instagram::ingest(demo, &accounts.instagram).await.context("ingest the brand's Instagram")?;
        let job_id = match progress.job_id.clone() {
            Some(job_id) => job_id,
            None => repost::create(demo, &accounts, &posts).await.context("repost")?,
        };
        progress.job_id = Some(job_id.clone());
        write(&file, &progress)?;
        repost::wait(demo, &job_id).await.context("publish")?;
        progress.finished = true;
        write(&file, &progress)?;
    }
    match &progress.job_id {
        Some(job_id) => repost::report(demo, job_id).await,
        None => Ok(()),
    }
}

fn read(file: &Path) -> anyhow::Result<Progress> {
    match std::fs::read(file) {
        Ok(text) => serde_json::from_slice(&text).with_context(|| format!("read {}", file.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Progress::default()),
        Err(error) => Err(error).with_context(|| format!("read {}", file.display())),
    }
}

fn write(file: &Path, progress: &Progress) -> anyhow::Result<()> {
    secret_file::write(file, &serde_json::to_vec_pretty(progress).context("write the demo's progress")?)
}

/// Signs in and returns a client that is.
///
/// # Errors
/// The control plane does not answer, or refuses the password.
pub async fn sign_in(graphql: &Url, email: &str, password: &SecretString) -> anyhow::Result<Api> {
    Api::sign_in(graphql, email, password).await
}
