//! Starts the services that were not given, migrates the database, and stops what it started.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::Instant,
};

use anyhow::Context as _;
use backplane::migrate::{self, Role};
use cli::local::{Postgres, RabbitMq, S3Server, kept_port, postgres::Durability, s3::Settings, secret_file};
use sandbox::{RunningSandbox, Sandbox, SandboxConfig};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::given::Given;
use crate::console::say;

/// The name of the private database.
const DATABASE: &str = "reelmill";

/// Where everything is.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// A superuser's in a private cluster, else the login that was given.
    pub admin_database_url: SecretString,
    /// The login that owns the tables.
    pub owner_database_url: SecretString,
    /// The password of each role that a process logs in as.
    pub logins: Vec<(Role, SecretString)>,
    pub amqp_url: SecretString,
    pub storage: Storage,
    pub sandbox: Url,
    /// The control plane's, and what the dashboard's pages come from.
    pub graphql: SocketAddr,
}

/// An S3 server and the key pair for it.
#[derive(Debug, Clone)]
pub struct Storage {
    pub endpoint: String,
    pub public_endpoint: String,
    pub region: String,
    pub bucket: String,
    pub access_key_id: String,
    pub secret_access_key: SecretString,
}

impl Addresses {
    /// The database's address for one role.
    pub fn database_url(&self, role: Role) -> anyhow::Result<SecretString> {
        let login = self.logins.iter().find(|(known, _)| *known == role);
        let (_, password) = login.context("find the role's password")?;
        Ok(role.url(&self.owner_database_url, password)?)
    }
}

/// What runs, and what stops it.
pub struct Services {
    pub addresses: Addresses,
    pub watch: Watch,
    s3: Option<S3Server>,
    sandbox: RunningSandbox,
}

/// The services without which nothing works.
pub struct Watch {
    postgres: Option<Postgres>,
    rabbitmq: Option<RabbitMq>,
}

impl Watch {
    /// Waits until one of the private services ends by itself; never returns when there is none.
    pub async fn ended(&mut self) -> anyhow::Error {
        let postgres = async {
            match &mut self.postgres {
                Some(postgres) => postgres.ended().await,
                None => std::future::pending().await,
            }
        };
        let rabbitmq = async {
            match &mut self.rabbitmq {
                Some(rabbitmq) => rabbitmq.ended().await,
                None => std::future::pending().await,
            }
        };
        let (name, status) = tokio::select! {
            status = postgres => ("Postgres", status),
            status = rabbitmq => ("RabbitMQ", status),
        };
        match status {
            Ok(status) => {
                anyhow::anyhow!("{name} ended by itself ({status}): see its log in the data folder")
            }
            Err(error) => error,
        }
    }
}

/// Starts Postgres, RabbitMQ, S3 and the sandbox side by side, then migrates.
pub async fn start(data_dir: &Path, given: &Given) -> anyhow::Result<Services> {
    let graphql_port = kept_port(&data_dir.join("graphql-port"), Some(4000))?;
    let graphql = SocketAddr::from((Ipv4Addr::LOCALHOST, graphql_port));
    let (postgres, rabbitmq, s3, sandbox) = tokio::try_join!(
        start_postgres(data_dir, given),
        start_rabbitmq(data_dir, given),
        start_s3(data_dir, given, graphql),
        start_sandbox(data_dir),
    )?;
    let (admin_database_url, owner_database_url) = match (&postgres, &given.database_url) {
        (Some(private), _) => {
            let password = secret_file::read_or_create(&data_dir.join("postgres/owner-password"))?;
            let owner = migrate::create_database(&private.admin_url("postgres"), DATABASE, &password).await?;
            (private.admin_url(DATABASE), owner)
        }
        (None, Some(url)) => (url.clone(), url.clone()),
        (None, None) => anyhow::bail!("there is neither a private Postgres nor DATABASE_URL"),
    };
    let seed = role_seed(data_dir, &owner_database_url)?;
    let logins: Vec<_> = Role::ALL.into_iter().map(|role| (role, role.password(&seed))).collect();
    let begun = Instant::now();
    migrate::migrate(&owner_database_url, &logins).await.context("migrate the database")?;
    step("Migrations", "done", begun);

    let amqp_url = match (&rabbitmq, &given.amqp_url) {
        (Some(private), _) => private.url(),
        (None, Some(url)) => url.clone(),
        (None, None) => anyhow::bail!("there is neither a private RabbitMQ nor AMQP_URL"),
    };
    let addresses = Addresses {
        admin_database_url,
        owner_database_url,
        logins,
        amqp_url,
        storage: storage(s3.as_ref(), given)?,
        sandbox: sandbox.url.clone(),
        graphql,
    };
    Ok(Services { addresses, watch: Watch { postgres, rabbitmq }, s3, sandbox })
}

impl Services {
    /// Stops what was started, those that others need last.
    pub async fn stop(self) {
        self.sandbox.shutdown().await;
        if let Some(s3) = self.s3 {
            s3.stop().await;
        }
        let postgres = async {
            match self.watch.postgres {
                Some(postgres) => postgres.stop().await,
                None => Ok(()),
            }
        };
        let rabbitmq = async {
            match self.watch.rabbitmq {
                Some(rabbitmq) => rabbitmq.stop().await,
                None => Ok(()),
            }
        };
        let (postgres, rabbitmq) = tokio::join!(postgres, rabbitmq);
        for (name, result) in [("Postgres", postgres), ("RabbitMQ", rabbitmq)] {
            if let Err(error) = result {
                tracing::warn!(service = name, error = format!("{error:#}"), "did not stop properly");
            }
        }
    }
}

async fn start_postgres(data_dir: &Path, given: &Given) -> anyhow::Result<Option<Postgres>> {
    if given.database_url.is_some() {
        say("  Postgres    yours (DATABASE_URL)");
        return Ok(None);
    }
    let begun = Instant::now();
    let postgres = Postgres::start(&data_dir.join("postgres"), Durability::Full).await?;
    step("Postgres", format_args!("127.0.0.1:{}", postgres.port()), begun);
    if !postgres.data().starts_with(data_dir) {
        say(format_args!(
            "              its own user cannot enter the data folder: it is in {}",
            postgres.data().display()
        ));
    }
    Ok(Some(postgres))
}

async fn start_rabbitmq(data_dir: &Path, given: &Given) -> anyhow::Result<Option<RabbitMq>> {
    if given.amqp_url.is_some() {
        say("  RabbitMQ    yours (AMQP_URL)");
        return Ok(None);
    }
    let begun = Instant::now();
    let rabbitmq = RabbitMq::start(&data_dir.join("rabbitmq")).await?;
    step("RabbitMQ", format_args!("127.0.0.1:{}", rabbitmq.port()), begun);
    Ok(Some(rabbitmq))
}

async fn start_s3(data_dir: &Path, given: &Given, graphql: SocketAddr) -> anyhow::Result<Option<S3Server>> {
    if given.s3_endpoint.is_some() {
        say("  S3          yours (S3_ENDPOINT)");
        return Ok(None);
    }
    let begun = Instant::now();
    let origins = [format!("http://{graphql}"), format!("http://localhost:{}", graphql.port())];
    let origins = origins.iter().map(|origin| origin.parse()).collect::<Result<_, _>>();
    let origins = origins.context("name the dashboard's origin")?;
    let settings = Settings { bucket: given.s3_bucket.clone(), origins, port: None };
    let server = S3Server::start(&data_dir.join("s3"), settings).await?;
    step("S3", server.url(), begun);
    Ok(Some(server))
}

async fn start_sandbox(data_dir: &Path) -> anyhow::Result<RunningSandbox> {
    let begun = Instant::now();
    let dir = data_dir.join("sandbox");
    secret_file::create_folder(&dir, 0o700)?;
    let port = kept_port(&dir.join("port"), Some(4100))?;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let sandbox = Sandbox::start(SandboxConfig::new(dir, listen)).await?;
    step("Sandbox", &sandbox.url, begun);
    Ok(sandbox)
}

fn storage(s3: Option<&S3Server>, given: &Given) -> anyhow::Result<Storage> {
    let (endpoint, access_key_id, secret_access_key) = match s3 {
        Some(server) => {
            let keys = server.credentials();
            (server.url(), keys.access_key_id.clone(), keys.secret_access_key.clone())
        }
        None => (
            given.s3_endpoint.clone().context("S3_ENDPOINT is missing")?,
            given.s3_access_key_id.clone().context("S3_ACCESS_KEY_ID is missing")?,
            given.s3_secret_access_key.clone().context("S3_SECRET_ACCESS_KEY is missing")?,
        ),
    };
    Ok(Storage {
        public_endpoint: given.s3_public_endpoint.clone().unwrap_or_else(|| endpoint.clone()),
        endpoint,
        region: given.s3_region.clone(),
        bucket: given.s3_bucket.clone(),
        access_key_id,
        secret_access_key,
    })
}

/// What the roles' passwords follow from: the owner's password, so that everyone who runs on the same cluster has
/// the same ones; or, where the owner signs in without one, a secret of this data folder.
fn role_seed(data_dir: &Path, owner_database_url: &SecretString) -> anyhow::Result<SecretString> {
    let url = Url::parse(owner_database_url.expose_secret()).context("read DATABASE_URL")?;
    match url.password() {
        Some(password) if !password.is_empty() => Ok(password.to_owned().into()),
        _ => secret_file::read_or_create(&data_dir.join("role-seed")),
    }
}

fn step(name: &str, what: impl std::fmt::Display, begun: Instant) {
    say(format_args!("  {name:<11} {what}  ({:.1} s)", begun.elapsed().as_secs_f64()));
}
