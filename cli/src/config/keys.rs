//! The master keys, from a file that only we may read.

use std::path::PathBuf;

use backplane::vault::Vault;
use clap::Args;
use secrecy::SecretString;

use super::Problems;

/// What tokens are sealed with.
#[derive(Debug, Args)]
#[command(next_help_heading = "Keys")]
pub struct KeyArguments {
    /// A file of master keys, one `id:64 hex digits` a line: the first one seals, all of them open.
    #[arg(long, env = "MASTER_KEY_FILE")]
    master_key_file: Option<PathBuf>,
}

impl KeyArguments {
    /// Whether keys were given at all.
    pub fn given(&self) -> bool {
        self.master_key_file.is_some()
    }

    /// The keys as text that reads as keys, or a note of every problem.
    pub fn read(&self, problems: &mut Problems) -> Option<SecretString> {
        let path = problems.need("MASTER_KEY_FILE", self.master_key_file.as_ref())?;
        let text = std::fs::read_to_string(path).map(SecretString::from);
        let text = text.map_err(|error| format!("{} cannot be read: {error}", path.display()));
        let text = problems.take("MASTER_KEY_FILE", text)?;
        problems.take("MASTER_KEY_FILE", Vault::parse(&text))?;
        Some(text)
    }
}
