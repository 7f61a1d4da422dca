//! A private RabbitMQ node: loopback only, one generated user, its own cookie and port mapper.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{
    free_port,
    process::{Launch, Process, StopBy},
    secret_file,
};

const START_LIMIT: Duration = Duration::from_secs(90);
const STOP_LIMIT: Duration = Duration::from_secs(30);
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// Debian's wrapper in /usr/sbin changes user and home; this is the program behind it.
const SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
const USER: &str = "reelmill";

/// The three ports of a node, kept so that its address survives a restart.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Ports {
    amqp: u16,
    /// Between Erlang nodes; we have one, but it insists.
    distribution: u16,
    /// Erlang's port mapper, which would otherwise be shared with every node of this machine.
    mapper: u16,
}

/// A running private node.
#[derive(Debug)]
pub struct RabbitMq {
    node: Process,
    mapper: Process,
    ports: Ports,
    password: SecretString,
    dir: PathBuf,
}

impl RabbitMq {
    /// Starts the node whose files are under `dir`, making it on the first call.
    ///
    /// # Errors
    /// RabbitMQ is not installed, or not ready within 90 s.
    pub async fn start(dir: &Path) -> anyhow::Result<Self> {
        Self::start_with(dir, "").await
    }

    /// The same, for tests: the exchange `amq.rabbitmq.trace` tells every message that is published ("firehose").
    ///
    /// # Errors
    /// As above.
    pub async fn start_traced(dir: &Path) -> anyhow::Result<Self> {
        Self::start_with(dir, r#"{rabbit, [{trace_vhosts, [<<"/">>]}]}"#).await
    }

    async fn start_with(dir: &Path, advanced: &str) -> anyhow::Result<Self> {
        anyhow::ensure!(
            Path::new(SERVER).exists(),
            "{SERVER} is missing: run deploy/local/packages, or set AMQP_URL to a broker of yours"
        );
        secret_file::create_folder(dir, 0o700)?;
        let dir = dir.canonicalize().context("resolve RabbitMQ's folder")?;
        let password = secret_file::read_or_create(&dir.join("password"))?;
        let ports = choose_ports(&dir.join("ports.json"))?;
        write_configuration(&dir, ports, &password, advanced)?;

        let mut mapper = Launch::new(
            "Erlang's port mapper",
            Path::new("epmd"),
            None,
            dir.join("epmd.log"),
            StopBy::Terminate,
        )
        .arg("-port")
        .arg(ports.mapper.to_string())
        .arg("-address")
        .arg("127.0.0.1")
        .dir(&dir)
        .spawn()?;
        let answers = async || TcpStream::connect(("127.0.0.1", ports.mapper)).await.is_ok();
        mapper.wait_ready(ANSWER_LIMIT * 5, answers).await?;

        let mut node = launch_node(&dir, ports).spawn()?;
        node.wait_ready(START_LIMIT, async || speaks_amqp(ports.amqp).await).await?;
        Ok(Self { node, mapper, ports, password, dir })
    }

    /// The address of its virtual host `/`, with user and password.
    #[must_use]
    pub fn url(&self) -> SecretString {
        format!("amqp://{USER}:{}@127.0.0.1:{}/%2f", self.password.expose_secret(), self.ports.amqp).into()
    }

    /// The TCP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.ports.amqp
    }

    /// The folder it was started with.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Shuts the node down properly, then its port mapper.
    ///
    /// # Errors
    /// The operating system refuses to wait for them.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.node.stop(STOP_LIMIT).await?;
        self.mapper.stop(ANSWER_LIMIT).await
    }

    /// Ends the node at once, as a power cut would.
    ///
    /// # Errors
    /// The operating system refuses to wait for it.
    pub async fn kill(self) -> anyhow::Result<()> {
        self.node.kill().await?;
        self.mapper.kill().await
    }

    /// Waits until the node ends by itself, which it should not.
    ///
    /// # Errors
    /// The operating system refuses to wait for it.
    pub async fn ended(&mut self) -> anyhow::Result<std::process::ExitStatus> {
        self.node.ended().await
    }
}

/// Removes everything that a stopped node under `dir` has stored: queues, messages, users. Its address and
/// password stay.
///
/// # Errors
/// The files cannot be removed.
pub fn wipe(dir: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(dir.join("mnesia")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).context("remove RabbitMQ's data")
        }
        _ => Ok(()),
    }
}

fn choose_ports(file: &Path) -> anyhow::Result<Ports> {
    let kept: Option<Ports> = fs::read(file).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let ports = Ports {
        amqp: free_port(kept.map(|ports| ports.amqp))?,
        distribution: free_port(kept.map(|ports| ports.distribution))?,
        mapper: free_port(kept.map(|ports| ports.mapper))?,
    };
    secret_file::write(file, &serde_json::to_vec(&ports).context("write the ports")?)?;
    Ok(ports)
}

/// `default_user` replaces the well-known guest on a node's first start. `advanced` is Erlang's.
fn write_configuration(
    dir: &Path,
    ports: Ports,
    password: &SecretString,
    advanced: &str,
) -> anyhow::Result<()> {
    let configuration = format!(
        "listeners.tcp.default = 127.0.0.1:{}\n\
         default_user = {USER}\n\
         default_pass = {}\n\
         default_user_tags.administrator = true\n\
         log.console = false\n\
         log.file.level = info\n",
        ports.amqp,
        password.expose_secret(),
    );
    secret_file::write(&dir.join("rabbitmq.conf"), configuration.as_bytes())?;
    secret_file::write(&dir.join("advanced.config"), format!("[{advanced}].\n").as_bytes())?;
    secret_file::write(&dir.join("enabled_plugins"), b"[].\n")?;
    // Sourced by the start script, which would otherwise read /etc/rabbitmq/rabbitmq-env.conf.
    secret_file::write(&dir.join("rabbitmq-env.conf"), b"")
}

fn launch_node(dir: &Path, ports: Ports) -> Launch {
    Launch::new("RabbitMQ", Path::new(SERVER), None, dir.join("console.log"), StopBy::Terminate)
        .dir(dir)
        .env("HOME", dir)
        .env("LANG", "C.UTF-8")
        .env("ERL_EPMD_PORT", ports.mapper.to_string())
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_NODENAME", "reelmill@localhost")
        .env("RABBITMQ_NODE_PORT", ports.amqp.to_string())
        .env("RABBITMQ_DIST_PORT", ports.distribution.to_string())
        .env("RABBITMQ_CONF_ENV_FILE", dir.join("rabbitmq-env.conf"))
        .env("RABBITMQ_CONFIG_FILE", dir.join("rabbitmq.conf"))
        .env("RABBITMQ_ADVANCED_CONFIG_FILE", dir.join("advanced.config"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", dir.join("enabled_plugins"))
        .env("RABBITMQ_MNESIA_BASE", dir.join("mnesia"))
        .env("RABBITMQ_LOG_BASE", dir)
        .env("RABBITMQ_PID_FILE", dir.join("pid"))
        // The loopback interface only, and no busy waiting while idle.
        .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none")
        // Makes the start script become the Erlang machine instead of watching over it.
        .env("RUNNING_UNDER_SYSTEMD", "true")
}

/// Whether something at `port` answers the AMQP 0-9-1 greeting with a method frame (type 1).
async fn speaks_amqp(port: u16) -> bool {
    let greet = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        stream.write_all(b"AMQP\x00\x00\x09\x01").await.ok()?;
        stream.read_u8().await.ok()
    };
    timeout(ANSWER_LIMIT, greet).await.ok().flatten() == Some(1)
}
