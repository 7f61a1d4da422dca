//! What an operator makes by hand, before anybody can sign in: people and keys of an organisation.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{StoreError, Tx};

/// A person's place in an organisation, over all of its brands.
#[derive(Clone, Debug)]
pub struct NewSeat {
    pub organization: Uuid,
    pub user: Uuid,
    /// In lower case.
    pub email: String,
    pub role: &'static str,
}

/// Gives a user a place in an organisation. In [`super::Scope::SignIn`].
///
/// # Errors
/// When the statement fails; a violation of `memberships_organization_id_email_key`: the user has one.
pub async fn insert_seat(tx: &mut Tx, seat: &NewSeat) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into memberships (id, organization_id, user_id, email, role, all_brands)
         values ($1, $2, $3, $4, $5, true)",
        Uuid::now_v7(),
        seat.organization,
        seat.user,
        seat.email,
        seat.role,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A key for scripts, over all brands of an organisation.
#[derive(Clone, Debug)]
pub struct NewOrganizationKey {
    pub organization: Uuid,
    pub name: String,
    pub role: &'static str,
    pub secret_hash: Vec<u8>,
    pub expires_at: Option<DateTime<Utc>>,
}

/// Makes an API key and returns its id. In [`super::Scope::SignIn`].
///
/// # Errors
/// When the statement fails; a violation of `api_keys_live_name`: a live key has that name.
pub async fn insert_organization_key(tx: &mut Tx, key: &NewOrganizationKey) -> Result<Uuid, StoreError> {
    let id = Uuid::now_v7();
    sqlx::query!(
        "insert into api_keys (id, organization_id, name, role, all_brands, secret_hash, expires_at)
         values ($1, $2, $3, $4, true, $5, $6)",
        id,
        key.organization,
        key.name,
        key.role,
        key.secret_hash,
        key.expires_at,
    )
    .execute(&mut **tx)
    .await?;
    Ok(id)
}
