//! Which processes `reelmill up` keeps running, and what each of them is told.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

use anyhow::Context as _;
use backplane::migrate::Role;
use cli::local::{kept_port, secret_file};
use secrecy::ExposeSecret as _;
use url::Url;

use super::{fleet::Member, provision::Addresses};

/// The sandbox's app on every network; its secret keeps nobody out.
const SANDBOX_APP: &str = "reelmill-sandbox";
const SANDBOX_APP_SECRET: &str = "reelmill-sandbox-secret";

/// The fleet and where it answers.
pub struct Plan {
    pub members: Vec<Member>,
    /// The control plane, without a path.
    pub url: Url,
    /// Where networks send people back to.
    pub redirect_url: Url,
    /// The Prometheus page of every process.
    pub metrics: Vec<String>,
}

/// One control plane and `workers` workers, each with the login that its work needs.
pub fn plan(data_dir: &Path, addresses: &Addresses, workers: u16) -> anyhow::Result<Plan> {
    secret_file::create_folder(&data_dir.join("logs"), 0o700)?;
    let url: Url = format!("http://{}/", addresses.graphql).parse().context("address the control plane")?;
    let redirect_url = url.join("connect/callback").context("address the dashboard")?;
    let mut metrics = vec![url.join("metrics").context("address the metrics")?.to_string()];
    let mut members =
        vec![member(data_dir, "control-plane", "serve", serve(addresses, &url, &redirect_url)?)?];
    for number in 1..=workers {
        let name = format!("worker-{number}");
        let port = kept_port(&data_dir.join(format!("{name}-port")), Some(4200 + number))?;
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        metrics.push(format!("http://{listen}/metrics"));
        let scratch = data_dir.join("scratch");
        let mut environment = work(addresses, listen)?;
        environment.push(("SCRATCH_DIR", scratch.display().to_string()));
        members.push(member(data_dir, &name, "work", environment)?);
    }
    for member in &mut members {
        member.environment.extend(shared(data_dir, addresses));
    }
    Ok(Plan { members, url, redirect_url, metrics })
}

fn member(
    data_dir: &Path,
    name: &str,
    command: &str,
    environment: Vec<(&'static str, String)>,
) -> anyhow::Result<Member> {
    Ok(Member {
        name: name.to_owned(),
        program: std::env::current_exe().context("find this executable")?,
        arguments: vec![command.to_owned()],
        environment,
        log: data_dir.join("logs").join(format!("{name}.log")),
    })
}

fn serve(
    addresses: &Addresses,
    url: &Url,
    redirect_url: &Url,
) -> anyhow::Result<Vec<(&'static str, String)>> {
    Ok(vec![
        ("DATABASE_URL", addresses.database_url(Role::Api)?.expose_secret().to_owned()),
        ("RELAY_DATABASE_URL", addresses.database_url(Role::Relay)?.expose_secret().to_owned()),
        ("LISTEN", addresses.graphql.to_string()),
        ("PUBLIC_URL", url.to_string()),
        ("OAUTH_REDIRECT_URLS", redirect_url.to_string()),
        ("REELMILL_LOCAL", "true".to_owned()),
    ])
}

fn work(addresses: &Addresses, listen: SocketAddr) -> anyhow::Result<Vec<(&'static str, String)>> {
    Ok(vec![
        ("DATABASE_URL", addresses.database_url(Role::Publisher)?.expose_secret().to_owned()),
        ("METRICS_LISTEN", listen.to_string()),
    ])
}

fn shared(data_dir: &Path, addresses: &Addresses) -> Vec<(&'static str, String)> {
    let storage = &addresses.storage;
    vec![
        ("AMQP_URL", addresses.amqp_url.expose_secret().to_owned()),
        ("S3_ENDPOINT", storage.endpoint.clone()),
        ("S3_PUBLIC_ENDPOINT", storage.public_endpoint.clone()),
        ("S3_REGION", storage.region.clone()),
        ("S3_BUCKET", storage.bucket.clone()),
        ("S3_ACCESS_KEY_ID", storage.access_key_id.clone()),
        ("S3_SECRET_ACCESS_KEY", storage.secret_access_key.expose_secret().to_owned()),
        ("MASTER_KEY_FILE", data_dir.join("master.key").display().to_string()),
        ("SANDBOX_URL", addresses.sandbox.to_string()),
        ("INSTAGRAM_CLIENT_ID", SANDBOX_APP.to_owned()),
        ("INSTAGRAM_CLIENT_SECRET", SANDBOX_APP_SECRET.to_owned()),
        ("TIKTOK_CLIENT_KEY", SANDBOX_APP.to_owned()),
        ("TIKTOK_CLIENT_SECRET", SANDBOX_APP_SECRET.to_owned()),
        ("LOG_FORMAT", "text".to_owned()),
    ]
}
