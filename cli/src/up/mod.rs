//! `reelmill up` as a story: provision, migrate, start the fleet, set up the demo, say so, wait, stop.

mod fleet;
mod given;
mod lock;
mod members;
mod provision;
mod sign_in;
mod summary;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use backplane::vault::Vault;
use cli::local::secret_file;
use secrecy::ExposeSecret as _;
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{Instant, sleep},
};
use url::Url;

pub use given::Given;

use crate::{
    console::say,
    demo::{self, Demo},
};
use fleet::Fleet;
use provision::Addresses;
use summary::Summary;

/// How long the control plane may take to be ready.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// What was asked for.
#[derive(Debug)]
pub struct Options {
    pub data_dir: PathBuf,
    pub workers: u16,
    pub demo: bool,
    pub given: Given,
}

/// Runs until Ctrl-C, SIGTERM, or the end of a service that everything needs.
pub async fn run(options: Options) -> anyhow::Result<()> {
    options.given.check()?;
    let _lock = lock::take(&options.data_dir)?;
    let data_dir = options.data_dir.canonicalize().context("resolve the data folder")?;
    say(format_args!("Reelmill keeps its data in {}", data_dir.display()));
    ensure_master_key(&data_dir.join("master.key"))?;
    let mut services = tokio::select! {
        services = provision::start(&data_dir, &options.given) => services?,
        stopped = stop_signal() => return stopped,
    };
    let plan = members::plan(&data_dir, &services.addresses, options.workers)?;
    let story = Story {
        data_dir: &data_dir,
        addresses: &services.addresses,
        url: plan.url,
        redirect_url: plan.redirect_url,
    };
    let fleet = Fleet::start(plan.members);
    let result = tokio::select! {
        result = story.tell(&options, plan.metrics) => result,
        stopped = stop_signal() => stopped,
        ended = services.watch.ended() => Err(ended),
    };
    say("Stopping: work in progress is finished or handed back …");
    fleet.drain().await;
    services.stop().await;
    say("Everything is stopped.");
    result
}

/// What happens once all processes were started.
struct Story<'a> {
    data_dir: &'a Path,
    addresses: &'a Addresses,
    url: Url,
    redirect_url: Url,
}

impl Story<'_> {
    /// Never ends by itself, but when something fails.
    async fn tell(&self, options: &Options, metrics: Vec<String>) -> anyhow::Result<()> {
        wait_ready(&self.url).await.with_context(|| {
            format!("start the control plane: see {}", self.data_dir.join("logs/control-plane.log").display())
        })?;
        let graphql = self.url.join("graphql").context("address the API")?;
        let password = sign_in::ensure_owner(self.data_dir, self.addresses).await?;
        let api = demo::sign_in(&graphql, sign_in::EMAIL, &password).await?;
        let organization_id = api.organization_id().await?;
        let brand_id = demo::ensure_brand(&api, &organization_id).await?;
        let summary = Summary {
            graphql: graphql.to_string(),
            sandbox: self.addresses.sandbox.to_string(),
            metrics,
            s3: self.addresses.storage.endpoint.clone(),
            database_url: self.addresses.admin_database_url.expose_secret().to_owned(),
            amqp_url: self.addresses.amqp_url.expose_secret().to_owned(),
            email: sign_in::EMAIL.to_owned(),
            password: password.expose_secret().to_owned(),
            organization_id,
            brand_id,
        };
        if options.demo {
            let demo = Demo {
                api: &api,
                sandbox: &self.addresses.sandbox,
                redirect_url: &self.redirect_url,
                brand_id: &summary.brand_id,
            };
            demo::run(&demo, self.data_dir).await.context("set up the demo (--no-demo leaves it out)")?;
        }
        summary.write(self.data_dir)?;
        summary.say(self.data_dir);
        std::future::pending().await
    }
}

/// The key that seals tokens, made on the first start. Whoever loses it has to connect every account again.
fn ensure_master_key(path: &Path) -> anyhow::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let key = Vault::generate_master_key("local").context("make a master key")?;
    secret_file::write(path, key.expose_secret().as_bytes())
}

async fn wait_ready(url: &Url) -> anyhow::Result<()> {
    let begun = Instant::now();
    let address = url.join("readyz").context("address the control plane")?;
    let http = demo::http()?;
    loop {
        if http.get(address.clone()).send().await.is_ok_and(|answer| answer.status().is_success()) {
            say(format_args!("  Processes   ready  ({:.1} s)", begun.elapsed().as_secs_f64()));
            return Ok(());
        }
        anyhow::ensure!(begun.elapsed() < READY_LIMIT, "it was not ready within {} s", READY_LIMIT.as_secs());
        sleep(Duration::from_millis(100)).await;
    }
}

/// Returns on Ctrl-C or SIGTERM.
pub async fn stop_signal() -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
