//! Memberships, invitations and API keys of an organisation.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::access::CredentialRow;
use super::{StoreError, Tx};

/// A place in an organisation, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MembershipRow {
    pub id: Uuid,
    pub organization_id: Uuid,
    pub user_id: Option<Uuid>,
    pub email: String,
    pub role: String,
    pub all_brands: bool,
    /// Empty when `all_brands`.
    pub brands: Vec<Uuid>,
    pub created_at: DateTime<Utc>,
}

/// A place to be given.
#[derive(Clone, Debug)]
pub struct NewMembership {
    pub id: Uuid,
    pub organization_id: Uuid,
    /// `None`: it waits for the invitation to be accepted.
    pub user_id: Option<Uuid>,
    /// In lower case.
    pub email: String,
    pub role: &'static str,
    /// `None`: every brand.
    pub brands: Option<Vec<Uuid>>,
}

/// Gives a place, or changes the one that this address has, and answers with its id.
///
/// # Errors
/// When a statement fails.
pub async fn put_membership(tx: &mut Tx, membership: &NewMembership) -> Result<Uuid, StoreError> {
    let id = sqlx::query_scalar!(
        "insert into memberships (id, organization_id, user_id, email, role, all_brands) values ($1, $2, $3, $4, $5, $6)
         on conflict (organization_id, email) do update set role = excluded.role, all_brands = excluded.all_brands
         returning id",
        membership.id,
        membership.organization_id,
        membership.user_id,
        membership.email,
        membership.role,
        membership.brands.is_none(),
    )
    .fetch_one(&mut **tx)
    .await?;
    sqlx::query!("delete from membership_brands where membership_id = $1", id).execute(&mut **tx).await?;
    let brands = membership.brands.as_deref().unwrap_or_default();
    sqlx::query!(
        "insert into membership_brands (organization_id, membership_id, brand_id)
         select $1, $2, brand from unnest($3::uuid[]) as brand on conflict do nothing",
        membership.organization_id,
        id,
        brands,
    )
    .execute(&mut **tx)
    .await?;
    Ok(id)
}

/// Reads places by id, in no order.
///
/// # Errors
/// When the statement fails.
pub async fn memberships_by_id(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<MembershipRow>, StoreError> {
    let rows = sqlx::query_as!(
        MembershipRow,
        r#"select id, organization_id, user_id, email, role, all_brands, created_at,
                  array(select brand_id from membership_brands mb where mb.membership_id = m.id) as "brands!"
             from memberships m where id = any($1)"#,
        ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// The place that an address has in the scope's organisation.
///
/// # Errors
/// When the statement fails.
pub async fn membership_of_email(
    tx: &mut Tx,
    organization: Uuid,
    email: &str,
) -> Result<Option<MembershipRow>, StoreError> {
    let row = sqlx::query_as!(
        MembershipRow,
        r#"select id, organization_id, user_id, email, role, all_brands, created_at,
                  array(select brand_id from membership_brands mb where mb.membership_id = m.id) as "brands!"
             from memberships m where organization_id = $1 and email = $2 for update"#,
        organization,
        email,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row)
}

/// All places of an organisation, by address; an organisation has some hundreds at the most.
///
/// # Errors
/// When the statement fails.
pub async fn memberships_of(tx: &mut Tx, organization: Uuid) -> Result<Vec<MembershipRow>, StoreError> {
    let rows = sqlx::query_as!(
        MembershipRow,
        r#"select id, organization_id, user_id, email, role, all_brands, created_at,
                  array(select brand_id from membership_brands mb where mb.membership_id = m.id) as "brands!"
             from memberships m where organization_id = $1 order by email limit 10000"#,
        organization,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// The organisations of places, among those that the scope sees.
///
/// # Errors
/// When the statement fails.
pub async fn organization_of_membership(tx: &mut Tx, id: Uuid) -> Result<Option<Uuid>, StoreError> {
    let found = sqlx::query_scalar!("select organization_id from memberships where id = $1", id)
        .fetch_optional(&mut **tx)
        .await?;
    Ok(found)
}

/// Takes a place away, unless it is the last owner's. Owners are locked in id order, so that two
/// who remove each other do not both succeed. `false`: it was the last owner's.
///
/// # Errors
/// When a statement fails.
pub async fn remove_membership(tx: &mut Tx, organization: Uuid, id: Uuid) -> Result<bool, StoreError> {
    let owners = sqlx::query_scalar!(
        "select id from memberships
          where organization_id = $1 and role = 'OWNER' and user_id is not null order by id for update",
        organization,
    )
    .fetch_all(&mut **tx)
    .await?;
    if owners == [id] {
        return Ok(false);
    }
    sqlx::query!("delete from memberships where organization_id = $1 and id = $2", organization, id)
        .execute(&mut **tx)
        .await?;
    Ok(true)
}

/// Whether anybody but `except` owns the organisation and can sign in. Owners are locked.
///
/// # Errors
/// When the statement fails.
pub async fn has_other_owner(tx: &mut Tx, organization: Uuid, except: Uuid) -> Result<bool, StoreError> {
    let owners = sqlx::query_scalar!(
        "select id from memberships
          where organization_id = $1 and role = 'OWNER' and user_id is not null order by id for update",
        organization,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(owners.iter().any(|owner| *owner != except))
}

/// Replaces the invitation of a place by a new one, good for seven days.
///
/// # Errors
/// When the statement fails.
pub async fn put_invitation(
    tx: &mut Tx,
    organization: Uuid,
    membership: Uuid,
    token_hash: &[u8],
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into invitations (token_hash, organization_id, membership_id, expires_at)
         values ($1, $2, $3, now() + interval '7 days')
         on conflict (membership_id) do update
            set token_hash = excluded.token_hash, created_at = now(), expires_at = excluded.expires_at",
        token_hash,
        organization,
        membership,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// An invitation, and the user who has its address already.
#[derive(Clone, Debug)]
pub struct InvitationRow {
    pub membership_id: Uuid,
    pub organization_id: Uuid,
    pub email: String,
    pub user: Option<CredentialRow>,
}

/// Reads a live invitation. In [`super::Scope::SignIn`].
///
/// # Errors
/// When the statement fails.
pub async fn invitation(tx: &mut Tx, token_hash: &[u8]) -> Result<Option<InvitationRow>, StoreError> {
    let row = sqlx::query!(
        r#"select i.membership_id, i.organization_id, m.email, u.id as "user_id?", u.name as "name?",
                  u.password_hash as "password_hash?"
             from invitations i join memberships m on m.id = i.membership_id left join users u on u.email = m.email
            where i.token_hash = $1 and i.expires_at > now()"#,
        token_hash,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|row| InvitationRow {
        membership_id: row.membership_id,
        organization_id: row.organization_id,
        email: row.email,
        user: match (row.user_id, row.name, row.password_hash) {
            (Some(id), Some(name), Some(password_hash)) => Some(CredentialRow { id, name, password_hash }),
            _ => None,
        },
    }))
}

/// Spends an invitation and gives its place to `user`. `false`: somebody spent it before.
///
/// # Errors
/// When a statement fails.
pub async fn spend_invitation(tx: &mut Tx, token_hash: &[u8], user: Uuid) -> Result<bool, StoreError> {
    let spent = sqlx::query_scalar!(
        "delete from invitations where token_hash = $1 and expires_at > now() returning membership_id",
        token_hash,
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(membership) = spent else { return Ok(false) };
    sqlx::query!("update memberships set user_id = $2 where id = $1", membership, user)
        .execute(&mut **tx)
        .await?;
    Ok(true)
}

/// A key, as it is stored; its secret is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyRow {
    pub id: Uuid,
    pub organization_id: Uuid,
    pub name: String,
    pub role: String,
    pub all_brands: bool,
    /// Empty when `all_brands`.
    pub brands: Vec<Uuid>,
    pub created_at: DateTime<Utc>,
    pub last_used_at: Option<DateTime<Utc>>,
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key to be made.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    pub id: Uuid,
    pub organization_id: Uuid,
    pub name: String,
    pub role: &'static str,
    /// `None`: every brand.
    pub brands: Option<Vec<Uuid>>,
    pub secret_hash: Vec<u8>,
    pub expires_at: Option<DateTime<Utc>>,
}

/// Makes a key.
///
/// # Errors
/// When a statement fails; a violation of `api_keys_live_name`: a live key has this name.
pub async fn insert_api_key(tx: &mut Tx, key: &NewApiKey) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into api_keys (id, organization_id, name, role, all_brands, secret_hash, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        key.id,
        key.organization_id,
        key.name,
        key.role,
        key.brands.is_none(),
        key.secret_hash,
        key.expires_at,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "insert into api_key_brands (organization_id, api_key_id, brand_id)
         select $1, $2, brand from unnest($3::uuid[]) as brand on conflict do nothing",
        key.organization_id,
        key.id,
        key.brands.as_deref().unwrap_or_default(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The live keys of an organisation, newest first, 100 at the most.
///
/// # Errors
/// When the statement fails.
pub async fn api_keys_of(tx: &mut Tx, organization: Uuid) -> Result<Vec<ApiKeyRow>, StoreError> {
    let rows = sqlx::query_as!(
        ApiKeyRow,
        r#"select id, organization_id, name, role, all_brands, created_at, last_used_at, expires_at,
                  array(select brand_id from api_key_brands kb where kb.api_key_id = k.id) as "brands!"
             from api_keys k where organization_id = $1 and revoked_at is null
            order by created_at desc, id desc limit 100"#,
        organization,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Reads keys of the scope's organisation by id, revoked ones included, in no order.
///
/// # Errors
/// When the statement fails.
pub async fn api_keys_by_id(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<ApiKeyRow>, StoreError> {
    let rows = sqlx::query_as!(
        ApiKeyRow,
        r#"select id, organization_id, name, role, all_brands, created_at, last_used_at, expires_at,
                  array(select brand_id from api_key_brands kb where kb.api_key_id = k.id) as "brands!"
             from api_keys k where id = any($1)"#,
        ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Ends a key; fine when it ended before.
///
/// # Errors
/// When the statement fails.
pub async fn revoke_api_key(tx: &mut Tx, id: Uuid) -> Result<(), StoreError> {
    sqlx::query!("update api_keys set revoked_at = coalesce(revoked_at, now()) where id = $1", id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// How many live keys an organisation has.
///
/// # Errors
/// When the statement fails.
pub async fn count_api_keys(tx: &mut Tx, organization: Uuid) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from api_keys where organization_id = $1 and revoked_at is null"#,
        organization,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(count)
}
