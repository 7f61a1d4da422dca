//! Tokens, opened for the call that needs them and sealed again when they are renewed.

use backplane::store::secrets::{self, AccountSecrets, SecretError, SecretName, place};
use backplane::store::{Scope, Store, Tx, until_written};
use backplane::vault::{DataKey, Vault};
use connectors::Credentials;
use domain::platform::Platform;
use secrecy::SecretString;
use uuid::Uuid;

use crate::kinds::JobError;

/// The vault of this process; without one, every account looks as if it had no tokens, and the kinds
/// that need them are not taken.
#[derive(Debug)]
pub(crate) struct Secrets(Option<Vault>);

impl Secrets {
    pub(crate) const fn new(vault: Option<Vault>) -> Self {
        Self(vault)
    }

    /// Opens an account's tokens; `None` when it has none.
    pub(crate) async fn open(
        &self,
        tx: &mut Tx,
        brand: Uuid,
        account: Uuid,
        platform: Platform,
    ) -> Result<Option<Credentials>, JobError> {
        let Some(vault) = &self.0 else { return Ok(None) };
        let AccountSecrets { access, refresh } =
            secrets::open_secrets(tx, vault, brand, account, platform.as_str()).await?;
        let Some(access) = access else { return Ok(None) };
        Ok(Some(Credentials {
            access: access.current,
            expires_at: access.expires_at,
            refresh_expires_at: refresh.as_ref().and_then(|refresh| refresh.expires_at),
            refresh: refresh.map(|refresh| refresh.current),
        }))
    }

    /// Stores renewed tokens before anything uses them, whatever the job's epoch, and until they are known to be
    /// stored: a rotated token that is lost locks the brand out.
    pub(crate) async fn rotate(
        &self,
        store: &Store,
        brand: Uuid,
        account: Uuid,
        platform: Platform,
        fresh: &Credentials,
    ) -> Result<(), JobError> {
        let Some(vault) = &self.0 else { return Err(JobError::retry("this process has no master key")) };
        let platform = platform.as_str();
        let at = |name| place(brand, account, platform, name);
        let key = until_written(|| data_key(store, vault, brand)).await?;
        let seal = |name, secret: &SecretString| key.seal(&at(name), secret).map_err(SecretError::from);
        let access = seal(SecretName::Access, &fresh.access)?;
        let refresh = fresh.refresh.as_ref().map(|refresh| seal(SecretName::Refresh, refresh)).transpose()?;
        until_written(|| async {
            let mut tx = store.begin(&Scope::brand(brand)).await?;
            secrets::rotate_secret(&mut tx, &at(SecretName::Access), &access, fresh.expires_at).await?;
            if let Some(refresh) = &refresh {
                let at = at(SecretName::Refresh);
                secrets::rotate_secret(&mut tx, &at, refresh, fresh.refresh_expires_at).await?;
            }
            tx.commit().await
        })
        .await?;
        Ok(())
    }
}

async fn data_key(store: &Store, vault: &Vault, brand: Uuid) -> Result<DataKey, SecretError> {
    let mut tx = store.begin(&Scope::brand(brand)).await?;
    let key = secrets::data_key(&mut tx, vault, brand).await?;
    tx.commit().await?;
    Ok(key)
}

impl From<SecretError> for JobError {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::Store(error) => Self::from(error),
            SecretError::Vault(error) => Self::broken(error),
        }
    }
}
