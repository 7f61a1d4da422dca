//! What an operator does from the command line, before anybody can sign in.

use backplane::store::people::{self, NewApiKey, NewMembership};
use backplane::store::tenants::{self, NewUser};
use backplane::store::{Scope, Store, StoreError};
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use uuid::Uuid;

use crate::auth::token::{self, TokenKind};
use crate::auth::{PASSWORD_LENGTH, PasswordError, Passwords, Role};

/// Why an operator's command changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    #[error("{0}")]
    Invalid(&'static str),
    #[error("somebody with this address exists already: invite them instead")]
    AddressTaken,
    #[error("a live key of this name exists already: choose another name")]
    NameTaken,
    #[error("there is no such organisation")]
    NoOrganization,
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes an organisation and returns its id.
///
/// # Errors
/// When the name is empty or longer than 200 characters, or Postgres cannot be asked.
pub async fn create_organization(store: &Store, name: &str) -> Result<Uuid, AdminError> {
    let name = named(name)?;
    let id = Uuid::now_v7();
    let mut tx = store.begin(&Scope::SignIn).await?;
    tenants::insert_organization(&mut tx, id, name).await?;
    tx.commit().await?;
    Ok(id)
}

/// Somebody who is to sign in.
#[derive(Debug)]
pub struct NewPerson {
    pub organization: Uuid,
    pub email: String,
    pub name: String,
    pub password: SecretString,
    pub role: Role,
}

/// Makes a user who sees every brand of an organisation, and returns their id.
///
/// # Errors
/// When something of it cannot be, or Postgres cannot be asked.
pub async fn create_user(store: &Store, person: NewPerson) -> Result<Uuid, AdminError> {
    let email = person.email.trim().to_lowercase();
    if !is_address(&email) {
        return Err(AdminError::Invalid("the address of mail has to be like name@example.com"));
    }
    if !is_password(&person.password) {
        return Err(AdminError::Invalid("a password has 8 to 256 characters"));
    }
    let name = named(&person.name)?.to_owned();
    let password_hash = Passwords::new(1).hash(person.password).await?;
    let user = NewUser { id: Uuid::now_v7(), email: email.clone(), name, password_hash };
    let membership = NewMembership {
        id: Uuid::now_v7(),
        organization_id: person.organization,
        user_id: Some(user.id),
        email,
        role: person.role.as_str(),
        brands: None,
    };
    let mut tx = store.begin(&Scope::SignIn).await?;
    tenants::insert_user(&mut tx, &user).await.map_err(|error| {
        if error.violates("users_email_key") { AdminError::AddressTaken } else { error.into() }
    })?;
    people::put_membership(&mut tx, &membership).await.map_err(no_organization)?;
    tx.commit().await?;
    Ok(user.id)
}

/// Makes a key for every brand of an organisation; returns its id and its secret, which is shown once.
///
/// # Errors
/// When something of it cannot be, or Postgres cannot be asked.
pub async fn create_api_key(
    store: &Store,
    organization: Uuid,
    name: &str,
    role: Role,
    expires_at: Option<DateTime<Utc>>,
) -> Result<(Uuid, SecretString), AdminError> {
    let secret = token::fresh(TokenKind::ApiKey);
    let key = NewApiKey {
        id: Uuid::now_v7(),
        organization_id: organization,
        name: named(name)?.to_owned(),
        role: role.as_str(),
        brands: None,
        secret_hash: token::hash(&secret),
        expires_at,
    };
    let mut tx = store.begin(&Scope::SignIn).await?;
    people::insert_api_key(&mut tx, &key).await.map_err(|error| {
        if error.violates("api_keys_live_name") { AdminError::NameTaken } else { no_organization(error) }
    })?;
    tx.commit().await?;
    Ok((key.id, secret))
}

fn no_organization(error: StoreError) -> AdminError {
    let missing = ["memberships_organization_id_fkey", "api_keys_organization_id_fkey"];
    if missing.iter().any(|name| error.violates(name)) { AdminError::NoOrganization } else { error.into() }
}

fn named(name: &str) -> Result<&str, AdminError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 200 {
        return Err(AdminError::Invalid("a name has 1 to 200 characters"));
    }
    Ok(name)
}

/// Whether a text can be an address of mail: whether mail arrives there, only mail can tell.
pub(crate) fn is_address(text: &str) -> bool {
    let plain = text.len() <= 320 && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    plain
        && text
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && host.len() > 2 && !host.contains('@'))
}

/// Whether a password is long enough, and not too long to hash.
pub(crate) fn is_password(password: &SecretString) -> bool {
    use secrecy::ExposeSecret as _;
    PASSWORD_LENGTH.contains(&password.expose_secret().chars().count())
}
