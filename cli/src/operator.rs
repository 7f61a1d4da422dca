//! What an operator makes by hand: organisations, their first users, and keys for scripts.

use anyhow::Context as _;
use backplane::store::{
    Scope, Store, StoreError, access,
    operator::{NewOrganizationKey, NewSeat, insert_organization_key, insert_seat},
    tenants::{self, NewUser},
};
use control_plane::auth::{PASSWORD_LENGTH, Passwords, Role, token};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

/// A user to be made, with a place over all brands of an organisation.
#[derive(Debug)]
pub struct NewPerson {
    pub organization: Uuid,
    pub email: String,
    pub name: String,
    pub password: SecretString,
    pub role: Role,
}

/// Makes an organisation.
///
/// # Errors
/// The name is empty or longer than 200 characters, or the database is not reachable.
pub async fn create_organization(store: &Store, name: &str) -> anyhow::Result<Uuid> {
    check_name(name)?;
    let id = Uuid::now_v7();
    let mut tx = store.begin(&Scope::SignIn).await.context("reach the database")?;
    tenants::insert_organization(&mut tx, id, name).await.context("store the organisation")?;
    tx.commit().await.context("store the organisation")?;
    Ok(id)
}

/// Makes a user and gives it its place.
///
/// # Errors
/// The address has a user already, something is too short or too long, or there is no such organisation.
pub async fn create_user(store: &Store, person: NewPerson) -> anyhow::Result<Uuid> {
    check_name(&person.name)?;
    let email = person.email.trim().to_lowercase();
    anyhow::ensure!(email.contains('@') && email.len() <= 320, "\"{email}\" is not an email address");
    let length = person.password.expose_secret().chars().count();
    anyhow::ensure!(
        PASSWORD_LENGTH.contains(&length),
        "a password has {} to {} characters",
        PASSWORD_LENGTH.start(),
        PASSWORD_LENGTH.end()
    );
    let password_hash = Passwords::new(1).hash(person.password).await.context("hash the password")?;
    let user = NewUser { id: Uuid::now_v7(), email: email.clone(), name: person.name, password_hash };
    let mut tx = store.begin(&Scope::SignIn).await.context("reach the database")?;
    anyhow::ensure!(
        access::user_by_email(&mut tx, &email).await.context("look for the user")?.is_none(),
        "{email} has a user already: invite it with inviteMember"
    );
    tenants::insert_user(&mut tx, &user).await.context("store the user")?;
    let seat =
        NewSeat { organization: person.organization, user: user.id, email, role: person.role.as_str() };
    insert_seat(&mut tx, &seat).await.map_err(|error| no_organization(error, person.organization))?;
    tx.commit().await.context("store the user")?;
    Ok(user.id)
}

/// Makes an API key over all brands of an organisation, and returns its secret, which is shown once.
///
/// # Errors
/// A live key has that name, or there is no such organisation.
pub async fn create_api_key(
    store: &Store,
    organization: Uuid,
    name: &str,
    role: Role,
) -> anyhow::Result<SecretString> {
    check_name(name)?;
    let secret = token::fresh(token::TokenKind::ApiKey);
    let key = NewOrganizationKey {
        organization,
        name: name.to_owned(),
        role: role.as_str(),
        secret_hash: token::hash(&secret),
        expires_at: None,
    };
    let mut tx = store.begin(&Scope::SignIn).await.context("reach the database")?;
    insert_organization_key(&mut tx, &key).await.map_err(|error| {
        if error.violates("api_keys_live_name") {
            return anyhow::anyhow!(
                "a key named \"{name}\" is in use: choose another name, or revoke that one"
            );
        }
        no_organization(error, organization)
    })?;
    tx.commit().await.context("store the key")?;
    Ok(secret)
}

fn check_name(name: &str) -> anyhow::Result<()> {
    anyhow::ensure!((1..=200).contains(&name.trim().chars().count()), "a name has 1 to 200 characters");
    Ok(())
}

fn no_organization(error: StoreError, organization: Uuid) -> anyhow::Error {
    if error.violates("memberships_organization_id_fkey") || error.violates("api_keys_organization_id_fkey") {
        return anyhow::anyhow!("there is no organisation {organization}");
    }
    anyhow::Error::new(error).context("store it")
}
