//! What was started, for people and for programs.

use std::path::Path;

use anyhow::Context as _;
use cli::local::secret_file;
use serde::{Deserialize, Serialize};

/// `summary.json` in the data folder, mode 0600: it holds addresses with passwords.
#[derive(Serialize, Deserialize)]
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
}
