//! The owner of the local installation: made once, signed in with a password of the data folder.

use std::path::Path;

use anyhow::Context as _;
use backplane::{
    migrate::Role,
    store::{Scope, Store, StoreConfig, access},
};
use cli::local::secret_file;
use control_plane::admin::{self, NewPerson};
use secrecy::SecretString;

use super::provision::Addresses;

/// The owner's address; nothing is ever sent to it.
pub const EMAIL: &str = "owner@reelmill.example";

/// Makes the organisation and its owner unless they are there, and returns the owner's password.
///
/// # Errors
/// The database is not reachable, or the owner is there and this folder does not hold its password.
pub async fn ensure_owner(data_dir: &Path, addresses: &Addresses) -> anyhow::Result<SecretString> {
    let file = data_dir.join("owner-password");
    let known = file.exists();
    let password = secret_file::read_or_create(&file)?;
    let store = Store::connect(StoreConfig::parse(&addresses.database_url(Role::Api)?, 2)?);
    let mut tx = store.begin(&Scope::SignIn).await.context("reach the database")?;
    let owner = access::user_by_email(&mut tx, EMAIL).await.context("look for the owner")?;
    drop(tx);
    if owner.is_some() {
        anyhow::ensure!(
            known,
            "this database has an owner already, and the password is not in {}: use the data folder that made it, \
             or another database",
            data_dir.display()
        );
        return Ok(password);
    }
    let organization = admin::create_organization(&store, "Northwind Agency").await?;
    let person = NewPerson {
        organization,
        email: EMAIL.to_owned(),
        name: "Owner".to_owned(),
        password: password.clone(),
        role: control_plane::auth::Role::Owner,
    };
    admin::create_user(&store, person).await?;
    Ok(password)
}
