//! Sealed tokens and the wrapped keys that seal them.
//!
//! The control plane's role may write these rows and cannot read what is sealed in them; only a
//! publisher's role reads.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use uuid::Uuid;

use super::{FromStore, StoreError, Tx};
use crate::vault::{DataKey, Place, Sealed, Vault, VaultError, WrappedKey};

/// Which of an account's secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SecretName {
    /// Access token, bot token or signing secret.
    Access,
    Refresh,
}

impl SecretName {
    /// The name in `account_secrets.name`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }
}

/// Where the sealed secret of an account belongs: it opens nowhere else.
#[must_use]
pub fn place(brand: Uuid, account: Uuid, platform: &str, name: SecretName) -> Place<'_> {
    Place { table: "account_secrets", column: name.as_str(), brand, account, platform }
}

/// A secret that was read, and the one before it while the newer one is not proven.
#[derive(Debug)]
pub struct StoredSecret {
    pub current: SecretString,
    pub previous: Option<SecretString>,
    pub issued_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
}

/// Why a secret could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl FromStore for SecretError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Vault(_) => None,
        }
    }
}

/// The brand's data key; made, and its wrapped form stored, when there is none yet.
///
/// # Errors
/// When the statement fails, or no master key of this process unwraps it.
pub async fn data_key(tx: &mut Tx, vault: &Vault, brand: Uuid) -> Result<DataKey, SecretError> {
    if let Some(wrapped) = wrapped_key(tx, brand).await? {
        return Ok(vault.unwrap(brand, &wrapped)?);
    }
    let fresh = vault.new_wrapped_key(brand)?;
    // Two first uses at once: the insert of one waits for the other, and both read the winner's.
    sqlx::query!(
        "insert into brand_keys (brand_id, master_key_id, wrapped) values ($1, $2, $3) on conflict do nothing",
        brand,
        fresh.master_key_id,
        fresh.bytes,
    )
    .execute(&mut **tx)
    .await
    .map_err(StoreError::from)?;
    let stored = wrapped_key(tx, brand).await?.unwrap_or(fresh);
    Ok(vault.unwrap(brand, &stored)?)
}

async fn wrapped_key(tx: &mut Tx, brand: Uuid) -> Result<Option<WrappedKey>, StoreError> {
    let row = sqlx::query_as!(
        WrappedKey,
        "select master_key_id, wrapped as bytes from brand_keys where brand_id = $1",
        brand
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row)
}

/// Stores a secret that has just worked (somebody connected), in place of any other. Works under a
/// role that may not read.
///
/// # Errors
/// When a statement fails.
pub async fn put_secret(
    tx: &mut Tx,
    place: &Place<'_>,
    sealed: &Sealed,
    expires_at: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    // No `on conflict do update`: it reads what it writes, and this role must not read.
    let updated = sqlx::query!(
        r#"
        update account_secrets set sealed = $3, previous = null, issued_at = now(), expires_at = $4
         where account_id = $1 and name = $2
        "#,
        place.account,
        place.column,
        sealed.as_bytes(),
        expires_at,
    )
    .execute(&mut **tx)
    .await?;
    if updated.rows_affected() == 0 {
        sqlx::query!(
            "insert into account_secrets (brand_id, account_id, name, sealed, expires_at) values ($1, $2, $3, $4, $5)",
            place.brand,
            place.account,
            place.column,
            sealed.as_bytes(),
            expires_at,
        )
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// Stores a renewed secret before anything uses it; the one before it is kept until
/// [`confirm_secrets`]. The very same one again changes nothing.
///
/// # Errors
/// When the statement fails.
pub async fn rotate_secret(
    tx: &mut Tx,
    place: &Place<'_>,
    sealed: &Sealed,
    expires_at: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    sqlx::query!(
        r#"
        insert into account_secrets (brand_id, account_id, name, sealed, expires_at) values ($1, $2, $3, $4, $5)
        on conflict (account_id, name) do update
           set previous = account_secrets.sealed, sealed = excluded.sealed, issued_at = now(),
               expires_at = excluded.expires_at
         where account_secrets.sealed <> excluded.sealed
        "#,
        place.brand,
        place.account,
        place.column,
        sealed.as_bytes(),
        expires_at,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The renewed secrets of an account have worked: the ones before them are forgotten.
///
/// # Errors
/// When the statement fails.
pub async fn confirm_secrets(tx: &mut Tx, account: Uuid) -> Result<(), StoreError> {
    sqlx::query!(
        "update account_secrets set previous = null where account_id = $1 and previous is not null",
        account
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What an account may be used with.
#[derive(Debug, Default)]
pub struct AccountSecrets {
    pub access: Option<StoredSecret>,
    pub refresh: Option<StoredSecret>,
}

/// Opens all secrets of an account, with one statement. Publishers only.
///
/// # Errors
/// When the statement fails, the role may not read, or a row does not open at its place.
pub async fn open_secrets(
    tx: &mut Tx,
    vault: &Vault,
    brand: Uuid,
    account: Uuid,
    platform: &str,
) -> Result<AccountSecrets, SecretError> {
    let rows = sqlx::query!(
        r#"
        select s.name, s.sealed, s.previous, s.issued_at, s.expires_at, k.master_key_id, k.wrapped
          from account_secrets s join brand_keys k on k.brand_id = s.brand_id
         where s.brand_id = $1 and s.account_id = $2
        "#,
        brand,
        account,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(StoreError::from)?;
    let mut secrets = AccountSecrets::default();
    for row in rows {
        let wrapped = WrappedKey { master_key_id: row.master_key_id, bytes: row.wrapped };
        let key = vault.unwrap(brand, &wrapped)?;
        let (name, found) = if row.name == SecretName::Access.as_str() {
            (SecretName::Access, &mut secrets.access)
        } else {
            (SecretName::Refresh, &mut secrets.refresh)
        };
        let place = place(brand, account, platform, name);
        let open = |sealed| key.open(&place, &Sealed::from_bytes(sealed));
        *found = Some(StoredSecret {
            current: open(row.sealed)?,
            previous: row.previous.map(open).transpose()?,
            issued_at: row.issued_at,
            expires_at: row.expires_at,
        });
    }
    Ok(secrets)
}

/// Forgets every secret of an account.
///
/// # Errors
/// When the statement fails.
pub async fn forget_secrets(tx: &mut Tx, account: Uuid) -> Result<(), StoreError> {
    sqlx::query!("delete from account_secrets where account_id = $1", account).execute(&mut **tx).await?;
    Ok(())
}
