//! Services of yours that `reelmill up` uses instead of starting its own.

use backplane::{broker::BrokerConfig, store::StoreConfig};
use clap::Args;
use secrecy::SecretString;

use crate::config::Problems;

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
    /// The region that requests to it are signed for.
    #[arg(long, env = "S3_REGION", default_value = "us-east-1")]
    pub s3_region: String,
    /// The bucket that holds every file.
    #[arg(long, env = "S3_BUCKET", default_value = "reelmill")]
    pub s3_bucket: String,
    /// The id of the key pair that may read and write the bucket.
    #[arg(long, env = "S3_ACCESS_KEY_ID")]
    pub s3_access_key_id: Option<String>,
    /// Its secret.
    #[arg(long, env = "S3_SECRET_ACCESS_KEY", hide_env_values = true)]
    pub s3_secret_access_key: Option<SecretString>,
}

impl Given {
    /// Checks what was given before anything starts, and names every problem at once.
    pub fn check(&self) -> anyhow::Result<()> {
        let mut problems = Problems::default();
        if let Some(url) = &self.database_url {
            problems.take("DATABASE_URL", StoreConfig::parse(url, 1));
        }
        if let Some(url) = &self.amqp_url {
            problems.take("AMQP_URL", BrokerConfig::parse(url, ""));
        }
        for (name, value) in
            [("S3_ENDPOINT", &self.s3_endpoint), ("S3_PUBLIC_ENDPOINT", &self.s3_public_endpoint)]
        {
            if let Some(value) = value {
                problems.address(name, value);
            }
        }
        if self.s3_endpoint.is_some() {
            problems.need("S3_ACCESS_KEY_ID", self.s3_access_key_id.as_ref());
            problems.need("S3_SECRET_ACCESS_KEY", self.s3_secret_access_key.as_ref());
        }
        problems.check()
    }
}
