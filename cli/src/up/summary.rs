//! What was started, for people and for programs.

use std::path::Path;

use anyhow::Context as _;
use cli::local::secret_file;
use serde::Serialize;

use crate::console::say;

/// `summary.json` in the data folder, mode 0600: it holds addresses with passwords.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    pub graphql: String,
    pub sandbox: String,
    /// Prometheus pages of every process.
    pub metrics: Vec<String>,
    pub s3: String,
    pub database_url: String,
    pub amqp_url: String,
    pub email: String,
    pub password: String,
    pub organization_id: String,
    pub brand_id: String,
}

impl Summary {
    /// Writes it for programs to find.
    pub fn write(&self, data_dir: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_vec_pretty(self).context("write the summary")?;
        secret_file::write(&data_dir.join("summary.json"), &text)
    }

    /// Says it to people.
    pub fn say(&self, data_dir: &Path) {
        say("\nReelmill is running:");
        say(format_args!("  API          {}", self.graphql));
        say(format_args!("  Explorer     {}", self.graphql.replace("/graphql", "/graphiql")));
        say(format_args!("  Networks     {}  (the sandbox: what was published)", self.sandbox));
        say(format_args!("  Sign in      {}  {}", self.email, self.password));
        say(format_args!("  Logs         {}", data_dir.join("logs").display()));
        say(format_args!("  For scripts  {}", data_dir.join("summary.json").display()));
        say("Ctrl-C stops everything; the next start continues with the same data.");
    }
}
