//! A private Postgres cluster: loopback only, scram with a random password, its data in a folder of ours.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown, symlink},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::Context as _;
use rustix::process::geteuid;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{process::Command, time::timeout};

use super::{
    kept_port,
    process::{Launch, Process, StopBy},
    secret_file,
};

const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(30);
const INITDB_LIMIT: Duration = Duration::from_secs(120);
/// Where Debian puts every major version's programs.
const DEBIAN_VERSIONS: &str = "/usr/lib/postgresql";
/// The user that Debian's package makes. Postgres refuses to run as root.
const SERVICE_USER: &str = "postgres";
/// Where the cluster goes when root's own folder is closed to [`SERVICE_USER`].
const REACHABLE: &str = "/var/lib/reelmill";

/// What a crash may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing: what was committed survives a power cut.
    Full,
    /// Nothing, either; and every statement is counted (`pg_stat_statements`), for benches.
    Measured,
    /// The whole cluster, for tests and builds that throw it away.
    None,
}

/// A running private cluster.
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    port: u16,
    password: SecretString,
    data: PathBuf,
}

impl Postgres {
    /// Starts the cluster whose files are under `dir`, making it on the first call.
    ///
    /// # Errors
    /// Postgres is not installed, cannot make its cluster, or is not ready within 60 s.
    pub async fn start(dir: &Path, durability: Durability) -> anyhow::Result<Self> {
        secret_file::create_folder(dir, 0o711)?;
        let programs = programs()?;
        let user = geteuid().is_root().then_some(SERVICE_USER);
        let password = secret_file::read_or_create(&dir.join("password"))?;
        let data = data_folder(dir, user).await?;
        if !data.join("PG_VERSION").exists() {
            init_cluster(&programs, &data, user, &password).await?;
        }
        let port = kept_port(&dir.join("port"), None)?;

        let mut launch = Launch::new(
            "Postgres",
            &programs.join("postgres"),
            user,
            dir.join("postgres.log"),
            StopBy::Interrupt,
        )
        .dir(Path::new("/"))
        .env("LC_ALL", "C.UTF-8")
        .arg("-D")
        .arg(&data);
        for setting in settings(port, durability) {
            launch = launch.arg("-c").arg(setting);
        }
        let mut process = launch.spawn()?;
        let ready = data.join("postmaster.pid");
        process.wait_ready(START_LIMIT, async || is_ready(&ready)).await?;
        Ok(Self { process, port, password, data })
    }

    /// The superuser's address of the database `name`.
    #[must_use]
    pub fn admin_url(&self, name: &str) -> SecretString {
        format!("postgres://postgres:{}@127.0.0.1:{}/{name}", self.password.expose_secret(), self.port).into()
    }

    /// The TCP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where the cluster's files are; outside of the folder given when Postgres' user cannot reach that.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Ends every session and shuts the cluster down properly.
    ///
    /// # Errors
    /// The operating system refuses to wait for it.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.process.stop(STOP_LIMIT).await
    }

    /// Waits until the cluster ends by itself, which it should not.
    ///
    /// # Errors
    /// The operating system refuses to wait for it.
    pub async fn ended(&mut self) -> anyhow::Result<std::process::ExitStatus> {
        self.process.ended().await
    }
}

/// Postgres writes its own state into line 8 of `postmaster.pid`.
fn is_ready(postmaster_pid: &Path) -> bool {
    fs::read_to_string(postmaster_pid)
        .is_ok_and(|text| text.lines().nth(7).is_some_and(|state| state.trim() == "ready"))
}

fn settings(port: u16, durability: Durability) -> Vec<String> {
    let mut settings = vec![
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
        "unix_socket_directories=".to_owned(),
        "max_connections=300".to_owned(),
        "shared_buffers=128MB".to_owned(),
        "logging_collector=off".to_owned(),
        // A failing statement's text would bring what it contains into the log.
        "log_min_error_statement=panic".to_owned(),
    ];
    let further: &[&str] = match durability {
        Durability::Full => &[],
        Durability::Measured => &["shared_preload_libraries=pg_stat_statements"],
        Durability::None => &["fsync=off", "synchronous_commit=off", "full_page_writes=off"],
    };
    settings.extend(further.iter().map(|setting| (*setting).to_owned()));
    settings
}

/// The newest installed version's folder of programs.
fn programs() -> anyhow::Result<PathBuf> {
    let version = |path: &Path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    fs::read_dir(DEBIAN_VERSIONS)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("bin/postgres").exists())
        .max_by_key(|path| version(path))
        .map(|path| path.join("bin"))
        .with_context(|| {
            format!("find Postgres under {DEBIAN_VERSIONS}: run deploy/local/packages, or set DATABASE_URL")
        })
}

/// The data folder: `dir/data`, or a link from there to a place that `user` can reach.
async fn data_folder(dir: &Path, user: Option<&str>) -> anyhow::Result<PathBuf> {
    let data = dir.join("data");
    if let Ok(place) = fs::read_link(&data) {
        return Ok(place);
    }
    let Some(user) = user else {
        return Ok(data);
    };
    let place = if reaches(user, dir).await? {
        data
    } else {
        let place = Path::new(REACHABLE).join(&secret_file::random_hex()[..16]);
        secret_file::create_folder(Path::new(REACHABLE), 0o711)?;
        symlink(&place, &data).with_context(|| format!("link {}", data.display()))?;
        tracing::info!(data = %place.display(), "Postgres' own user cannot enter {}; its data goes here", dir.display());
        place
    };
    if !place.exists() {
        let (uid, gid) = ids(user).await?;
        secret_file::create_folder(&place, 0o700)?;
        chown(&place, Some(uid), Some(gid)).with_context(|| format!("give {} to {user}", place.display()))?;
    }
    Ok(place)
}

async fn reaches(user: &str, dir: &Path) -> anyhow::Result<bool> {
    let status = Command::new("setpriv")
        .args(["--reuid", user, "--regid", user, "--init-groups", "--", "test", "-x"])
        .arg(dir)
        .current_dir("/")
        .status();
    Ok(timeout(START_LIMIT, status)
        .await
        .context("ask setpriv")?
        .context("run setpriv (util-linux)")?
        .success())
}

async fn ids(user: &str) -> anyhow::Result<(u32, u32)> {
    let mut found = [0_u32; 2];
    for (slot, flag) in found.iter_mut().zip(["-u", "-g"]) {
        let output = Command::new("id").args([flag, user]).output();
        let output = timeout(START_LIMIT, output).await.context("ask id")?.context("run id")?;
        *slot = String::from_utf8_lossy(&output.stdout)
            .trim()
            .parse()
            .with_context(|| format!("find the user {user}: is the package postgresql installed?"))?;
    }
    Ok((found[0], found[1]))
}

/// Runs `initdb` with the superuser `postgres`, who signs in by `password`.
async fn init_cluster(
    programs: &Path,
    data: &Path,
    user: Option<&str>,
    password: &SecretString,
) -> anyhow::Result<()> {
    let folder =
        tempfile::Builder::new().prefix("reelmill-initdb-").tempdir().context("make a folder for initdb")?;
    let password_file = folder.path().join("password");
    secret_file::write(&password_file, password.expose_secret().as_bytes())?;
    let mut command = match user {
        Some(user) => {
            let (uid, gid) = ids(user).await?;
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711))
                .context("open the folder")?;
            chown(&password_file, Some(uid), Some(gid)).context("hand initdb its password file")?;
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid", user, "--regid", user, "--init-groups", "--"])
                .arg(programs.join("initdb"));
            command
        }
        None => Command::new(programs.join("initdb")),
    };
    command
        .args([
            "--username=postgres",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ])
        .arg("--pwfile")
        .arg(&password_file)
        .arg("-D")
        .arg(data)
        .current_dir("/")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output =
        timeout(INITDB_LIMIT, command.output()).await.context("wait for initdb")?.context("run initdb")?;
    if !output.status.success() {
        anyhow::bail!("initdb could not make a cluster:\n{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
