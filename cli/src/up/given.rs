//! Services of yours that `reelmill up` uses instead of starting its own.

use clap::Args;
use secrecy::SecretString;
use url::Url;

/// Addresses that replace private instances.
#[derive(Debug, Args)]
#[command(next_help_heading = "Services of yours, used instead of private ones")]
pub struct Given {
    /// postgres://user:password@host:port/name of a login that may make roles and owns the database.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<SecretString>,
    /// amqp://user:password@host:port/vhost
    #[arg(long, env = "AMQP_URL", hide_env_values = true)]
    pub amqp_url: Option<SecretString>,
    /// The address of an S3 server. It needs a bucket and a key pair, too.
    #[arg(long, env = "S3_ENDPOINT")]
    pub s3_endpoint: Option<String>,
    /// What clients and networks see of it, when that is another address.
    #[arg(long, env = "S3_PUBLIC_ENDPOINT")]
    pub s3_public_endpoint: Option<String>,
    #[arg(long, env = "S3_REGION", default_value = "us-east-1")]
    pub s3_region: String,
    #[arg(long, env = "S3_BUCKET", default_value = "reelmill")]
    pub s3_bucket: String,
    #[arg(long, env = "S3_ACCESS_KEY_ID")]
    pub s3_access_key_id: Option<String>,
    #[arg(long, env = "S3_SECRET_ACCESS_KEY", hide_env_values = true)]
    pub s3_secret_access_key: Option<SecretString>,
}

impl Given {
    /// Checks what was given before anything starts, and names every problem at once.
    pub fn check(&self) -> anyhow::Result<()> {
        use secrecy::ExposeSecret as _;
        let mut problems = Vec::new();
        let mut wants = |name: &str, value: Option<&str>, schemes: &[&str]| {
            let fits = |value: &str| Url::parse(value).is_ok_and(|url| schemes.contains(&url.scheme()));
            if value.is_some_and(|value| !fits(value)) {
                problems.push(format!(
                    "{name} must be an address that begins with {}://",
                    schemes.join(":// or ")
                ));
            }
        };
        let secret =
            |value: &'_ Option<SecretString>| value.as_ref().map(|value| value.expose_secret().to_owned());
        wants("DATABASE_URL", secret(&self.database_url).as_deref(), &["postgres", "postgresql"]);
        wants("AMQP_URL", secret(&self.amqp_url).as_deref(), &["amqp", "amqps"]);
        wants("S3_ENDPOINT", self.s3_endpoint.as_deref(), &["http", "https"]);
        wants("S3_PUBLIC_ENDPOINT", self.s3_public_endpoint.as_deref(), &["http", "https"]);
        if self.s3_endpoint.is_some() {
            for (name, missing) in [
                ("S3_ACCESS_KEY_ID", self.s3_access_key_id.is_none()),
                ("S3_SECRET_ACCESS_KEY", self.s3_secret_access_key.is_none()),
            ] {
                if missing {
                    problems.push(format!("{name} is needed with S3_ENDPOINT"));
                }
            }
        }
        anyhow::ensure!(problems.is_empty(), "the configuration is not usable:\n  {}", problems.join("\n  "));
        Ok(())
    }
}
