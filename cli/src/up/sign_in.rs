//! The owner of the local installation: made once, signed in with a password of the data folder.

use std::path::Path;

use cli::local::secret_file;
use secrecy::SecretString;

use super::provision::Addresses;

/// The owner's address; nothing is ever sent to it.
pub const EMAIL: &str = "owner@reelmill.example";

/// Who signs in.
pub struct Owner {
    pub password: SecretString,
}

pub async fn ensure_owner(data_dir: &Path, _addresses: &Addresses) -> anyhow::Result<Owner> {
    let password = secret_file::read_or_create(&data_dir.join("owner-password"))?;
    Ok(Owner { password })
}
