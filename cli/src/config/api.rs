//! The HTTP side of the control plane.

use clap::Args;
use control_plane::config::ApiConfig;
use url::Url;

use super::Problems;

/// The HTTP side.
#[derive(Debug, Args)]
#[command(next_help_heading = "API")]
pub struct ApiArguments {
    /// Where to listen.
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:4000")]
    listen: String,
    /// Where people reach this server [default: the address listened on].
    #[arg(long, env = "PUBLIC_URL")]
    public_url: Option<String>,
    /// Where people open the dashboard; invitations lead there [default: the public URL].
    #[arg(long, env = "DASHBOARD_URL")]
    dashboard_url: Option<String>,
    /// Origins, separated by commas, whose pages may sign in with a cookie [default: the dashboard's].
    #[arg(long, env = "DASHBOARD_ORIGINS", value_delimiter = ',')]
    dashboard_origins: Vec<String>,
    /// Addresses, separated by commas, to which networks may send people back after they consented.
    #[arg(long, env = "OAUTH_REDIRECT_URLS", value_delimiter = ',')]
    oauth_redirect_urls: Vec<String>,
    /// Serve GraphiQL, and let everybody read the schema.
    #[arg(long, env = "REELMILL_LOCAL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false")]
    local: String,
    /// How many passwords are hashed at once; each takes 19 MiB.
    #[arg(long, env = "PASSWORDS_AT_ONCE", default_value = "4")]
    passwords_at_once: String,
}

impl ApiArguments {
    /// The section's settings, or a note of every problem.
    pub fn read(&self, problems: &mut Problems) -> Option<ApiConfig> {
        let listen = problems.listen("LISTEN", &self.listen);
        let local = problems.switch("REELMILL_LOCAL", &self.local);
        let passwords_at_once = problems.number("PASSWORDS_AT_ONCE", &self.passwords_at_once, 1..=64_usize);
        let own = format!("http://{}", self.listen);
        let public_url = problems.address("PUBLIC_URL", self.public_url.as_deref().unwrap_or(&own));
        let dashboard_url = match &self.dashboard_url {
            Some(value) => problems.address("DASHBOARD_URL", value),
            None => public_url.clone(),
        };
        let redirect_urls: Vec<Url> = self
            .oauth_redirect_urls
            .iter()
            .filter_map(|value| problems.address("OAUTH_REDIRECT_URLS", value))
            .collect();
        for origin in &self.dashboard_origins {
            problems.address("DASHBOARD_ORIGINS", origin);
        }
        let (public_url, dashboard_url) = (public_url?, dashboard_url?);
        let dashboard_origins = match self.dashboard_origins.is_empty() {
            true => vec![dashboard_url.origin().ascii_serialization()],
            false => self.dashboard_origins.clone(),
        };
        Some(ApiConfig {
            listen: listen?,
            public_url,
            dashboard_url,
            dashboard_origins,
            redirect_urls,
            local,
            passwords_at_once: passwords_at_once?,
        })
    }
}
