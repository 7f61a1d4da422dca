//! Sessions, API keys and what they grant. All of it in [`super::Scope::SignIn`].

use uuid::Uuid;

use super::{StoreError, Tx};

/// One organisation that somebody belongs to, once for each brand that they see of it.
#[derive(Clone, Debug)]
pub struct GrantRow {
    pub organization_id: Uuid,
    pub role: String,
    pub all_brands: bool,
    pub brand_id: Option<Uuid>,
}

/// A live session.
#[derive(Clone, Debug)]
pub struct SessionRow {
    pub session_id: Uuid,
    pub user_id: Uuid,
    pub name: String,
}

/// A live API key.
#[derive(Clone, Debug)]
pub struct ApiKeyUseRow {
    pub id: Uuid,
    pub name: String,
}

/// Days that a session lives after it was last used.
pub const SESSION_DAYS: i32 = 14;

/// Finds a live session by the hash of its token and moves its end on, at most every five minutes.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn use_session(tx: &mut Tx, token_hash: &[u8]) -> Result<Option<SessionRow>, StoreError> {
    sqlx::query!(
        "update sessions set last_used_at = now(), expires_at = now() + make_interval(days => $2)
          where token_hash = $1 and expires_at > now() and last_used_at < now() - interval '5 min'",
        token_hash,
        SESSION_DAYS,
    )
    .execute(&mut **tx)
    .await?;
    let row = sqlx::query_as!(
        SessionRow,
        "select s.id as session_id, s.user_id, u.name
           from sessions s join users u on u.id = s.user_id
          where s.token_hash = $1 and s.expires_at > now()",
        token_hash,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row)
}

/// Finds a live key by the hash of its secret and notes its use, at most every five minutes.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn use_api_key(tx: &mut Tx, secret_hash: &[u8]) -> Result<Option<ApiKeyUseRow>, StoreError> {
    sqlx::query!(
        "update api_keys set last_used_at = now()
          where secret_hash = $1 and revoked_at is null and (expires_at is null or expires_at > now())
            and (last_used_at is null or last_used_at < now() - interval '5 min')",
        secret_hash,
    )
    .execute(&mut **tx)
    .await?;
    let row = sqlx::query_as!(
        ApiKeyUseRow,
        "select id, name from api_keys
          where secret_hash = $1 and revoked_at is null and (expires_at is null or expires_at > now())",
        secret_hash,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row)
}

/// Whether a session has not ended.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn session_lives(tx: &mut Tx, session: Uuid) -> Result<bool, StoreError> {
    let found = sqlx::query_scalar!("select 1 from sessions where id = $1 and expires_at > now()", session)
        .fetch_optional(&mut **tx)
        .await?;
    Ok(found.is_some())
}

/// Whether a key is neither revoked nor expired.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn api_key_lives(tx: &mut Tx, key: Uuid) -> Result<bool, StoreError> {
    let found = sqlx::query_scalar!(
        "select 1 from api_keys
          where id = $1 and revoked_at is null and (expires_at is null or expires_at > now())",
        key,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(found.is_some())
}

/// What a user's memberships grant.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn grants_of_user(tx: &mut Tx, user: Uuid) -> Result<Vec<GrantRow>, StoreError> {
    let rows = sqlx::query_as!(
        GrantRow,
        r#"select m.organization_id, m.role, m.all_brands, b.id as "brand_id?"
             from memberships m
             left join brands b on b.organization_id = m.organization_id
              and (m.all_brands or exists (select from membership_brands mb
                                            where mb.membership_id = m.id and mb.brand_id = b.id))
            where m.user_id = $1"#,
        user,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// What a key grants.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn grants_of_api_key(tx: &mut Tx, key: Uuid) -> Result<Vec<GrantRow>, StoreError> {
    let rows = sqlx::query_as!(
        GrantRow,
        r#"select k.organization_id, k.role, k.all_brands, b.id as "brand_id?"
             from api_keys k
             left join brands b on b.organization_id = k.organization_id
              and (k.all_brands or exists (select from api_key_brands kb
                                            where kb.api_key_id = k.id and kb.brand_id = b.id))
            where k.id = $1"#,
        key,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Who an address belongs to, and the hash of their password.
#[derive(Clone, Debug)]
pub struct CredentialRow {
    pub id: Uuid,
    pub name: String,
    pub password_hash: String,
}

/// Finds a user by the address that they sign in with, in lower case.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn user_by_email(tx: &mut Tx, email: &str) -> Result<Option<CredentialRow>, StoreError> {
    let row =
        sqlx::query_as!(CredentialRow, "select id, name, password_hash from users where email = $1", email)
            .fetch_optional(&mut **tx)
            .await?;
    Ok(row)
}

/// A session to be made.
#[derive(Clone, Debug)]
pub struct NewSession {
    pub id: Uuid,
    pub user_id: Uuid,
    pub token_hash: Vec<u8>,
    /// TOKEN or COOKIE
    pub kind: &'static str,
}

/// Makes a session; answers with its end.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn insert_session(
    tx: &mut Tx,
    session: &NewSession,
) -> Result<chrono::DateTime<chrono::Utc>, StoreError> {
    let expires_at = sqlx::query_scalar!(
        "insert into sessions (id, user_id, token_hash, kind, expires_at)
         values ($1, $2, $3, $4, now() + make_interval(days => $5)) returning expires_at",
        session.id,
        session.user_id,
        session.token_hash,
        session.kind,
        SESSION_DAYS,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(expires_at)
}

/// Ends one session of a user, or all of them.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn end_sessions(tx: &mut Tx, user: Uuid, session: Option<Uuid>) -> Result<(), StoreError> {
    sqlx::query!("delete from sessions where user_id = $1 and ($2::uuid is null or id = $2)", user, session,)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
