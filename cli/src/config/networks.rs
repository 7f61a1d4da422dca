//! Our apps on the networks, or the sandbox in place of all of them.

use clap::Args;
use connectors::ConnectorsConfig;
use secrecy::SecretString;

use super::Problems;

/// The networks.
#[derive(Debug, Args)]
#[command(next_help_heading = "Networks")]
pub struct NetworkArguments {
    /// Speak to this sandbox instead of the networks themselves.
    #[arg(long, env = "SANDBOX_URL")]
    sandbox_url: Option<String>,
    /// The id of our Instagram app; without it Instagram accounts cannot be connected.
    #[arg(long, env = "INSTAGRAM_CLIENT_ID")]
    instagram_client_id: Option<String>,
    /// Its secret.
    #[arg(long, env = "INSTAGRAM_CLIENT_SECRET", hide_env_values = true)]
    instagram_client_secret: Option<SecretString>,
    /// The key of our TikTok app; without it TikTok accounts cannot be connected.
    #[arg(long, env = "TIKTOK_CLIENT_KEY")]
    tiktok_client_key: Option<String>,
    /// Its secret.
    #[arg(long, env = "TIKTOK_CLIENT_SECRET", hide_env_values = true)]
    tiktok_client_secret: Option<SecretString>,
}

impl NetworkArguments {
    /// The section's settings, or a note of every problem.
    pub fn read(&self, problems: &mut Problems) -> Option<ConnectorsConfig> {
        let mut config = match &self.sandbox_url {
            Some(base) => ConnectorsConfig::sandbox(&problems.address("SANDBOX_URL", base)?),
            None => ConnectorsConfig::production(),
        };
        for (id, id_name, secret, secret_name) in [
            (
                self.instagram_client_id.is_some(),
                "INSTAGRAM_CLIENT_ID",
                self.instagram_client_secret.is_some(),
                "INSTAGRAM_CLIENT_SECRET",
            ),
            (
                self.tiktok_client_key.is_some(),
                "TIKTOK_CLIENT_KEY",
                self.tiktok_client_secret.is_some(),
                "TIKTOK_CLIENT_SECRET",
            ),
        ] {
            if id != secret {
                let (missing, given) = if id { (secret_name, id_name) } else { (id_name, secret_name) };
                problems.add(missing, format_args!("is needed with {given}"));
            }
        }
        if let (Some(id), Some(secret)) = (&self.instagram_client_id, &self.instagram_client_secret) {
            config.instagram.client_id.clone_from(id);
            config.instagram.client_secret = secret.clone();
        }
        if let (Some(key), Some(secret)) = (&self.tiktok_client_key, &self.tiktok_client_secret) {
            config.tiktok.client_key.clone_from(key);
            config.tiktok.client_secret = secret.clone();
        }
        Some(config)
    }
}
