//! Organisations, users and brands as the control plane reads and changes them.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{StoreError, Tx};
use crate::vault::WrappedKey;

/// An organisation as it is stored.
#[derive(Clone, Debug)]
pub struct OrganizationRow {
    pub id: Uuid,
    pub name: String,
}

/// A user as colleagues see them.
#[derive(Clone, Debug)]
pub struct UserRow {
    pub id: Uuid,
    pub email: String,
    pub name: String,
}

/// A brand as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrandRow {
    pub id: Uuid,
    pub organization_id: Uuid,
    pub name: String,
    pub timezone: String,
    pub voice_prompt: String,
    pub voice_hashtags: Vec<String>,
    pub voice_forbidden: Vec<String>,
    pub voice_language: Option<String>,
    pub approval_required: bool,
    pub paused: bool,
    pub max_lateness_minutes: i32,
    /// `#rrggbb` in lower case; `None`: the planner's.
    pub pad_color: Option<String>,
    /// The logo: all five or none. Its asset and the content of that.
    pub watermark_asset_id: Option<Uuid>,
    pub watermark_hash: Option<Vec<u8>>,
    /// `TOP_LEFT` …
    pub watermark_corner: Option<String>,
    pub watermark_width_permille: Option<i32>,
    pub watermark_margin_permille: Option<i32>,
    pub created_at: DateTime<Utc>,
}

/// Reads organisations by id, in no order.
///
/// # Errors
/// When the statement fails.
pub async fn organizations_by_id(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<OrganizationRow>, StoreError> {
    let rows = sqlx::query_as!(OrganizationRow, "select id, name from organizations where id = any($1)", ids)
        .fetch_all(&mut **tx)
        .await?;
    Ok(rows)
}

/// Reads users by id, in no order: those who share an organisation of the scope.
///
/// # Errors
/// When the statement fails.
pub async fn users_by_id(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<UserRow>, StoreError> {
    let rows = sqlx::query_as!(UserRow, "select id, email, name from users where id = any($1)", ids)
        .fetch_all(&mut **tx)
        .await?;
    Ok(rows)
}

/// Reads brands by id, in no order.
///
/// # Errors
/// When the statement fails.
pub async fn brands_by_id(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<BrandRow>, StoreError> {
    let rows = sqlx::query_as!(
        BrandRow,
        "select id, organization_id, name, timezone, voice_prompt, voice_hashtags, voice_forbidden, voice_language,
                approval_required, paused, max_lateness_minutes, pad_color, watermark_asset_id, watermark_hash,
                watermark_corner, watermark_width_permille, watermark_margin_permille, created_at
           from brands where id = any($1)",
        ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Which brands by name: strictly between two (name, id), from one end.
#[derive(Clone, Debug)]
pub struct BrandWindow {
    /// Among these.
    pub among: Vec<Uuid>,
    pub after: Option<(String, Uuid)>,
    pub before: Option<(String, Uuid)>,
    pub limit: i64,
    pub backward: bool,
}

/// Lists brands by name, then id; backward, the last ones come first.
///
/// # Errors
/// When the statement fails.
pub async fn brands_by_name(tx: &mut Tx, window: &BrandWindow) -> Result<Vec<(String, Uuid)>, StoreError> {
    let (after_name, after_id) = split(window.after.as_ref());
    let (before_name, before_id) = split(window.before.as_ref());
    let rows = sqlx::query!(
        r#"
        (select name as "name!", id as "id!" from brands
          where not $7 and id = any($1) and ($2::text is null or (name, id) > ($2, $3::uuid))
            and ($4::text is null or (name, id) < ($4, $5::uuid))
          order by name, id limit $6)
        union all
        (select name, id from brands
          where $7 and id = any($1) and ($2::text is null or (name, id) > ($2, $3::uuid))
            and ($4::text is null or (name, id) < ($4, $5::uuid))
          order by name desc, id desc limit $6)
        "#,
        &window.among,
        after_name,
        after_id,
        before_name,
        before_id,
        window.limit,
        window.backward,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.name, row.id)).collect())
}

fn split(key: Option<&(String, Uuid)>) -> (Option<&str>, Option<Uuid>) {
    (key.map(|(name, _)| name.as_str()), key.map(|(_, id)| *id))
}

/// Makes a brand and its data key. In the scope of its organisation the brand itself, then in the
/// scope of the brand the key: each table opens in its own scope only, so this takes the statement
/// that widens the transaction, too.
///
/// # Errors
/// When a statement fails.
pub async fn insert_brand(tx: &mut Tx, brand: &BrandRow, key: &WrappedKey) -> Result<(), StoreError> {
    sqlx::query!("select set_config('app.brands', $1, true)", format!("{{{}}}", brand.id))
        .fetch_one(&mut **tx)
        .await?;
    sqlx::query!(
        "insert into brands (id, organization_id, name, timezone, voice_prompt, voice_hashtags, voice_forbidden,
                             voice_language, approval_required, paused, max_lateness_minutes)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        brand.id,
        brand.organization_id,
        brand.name,
        brand.timezone,
        brand.voice_prompt,
        &brand.voice_hashtags,
        &brand.voice_forbidden,
        brand.voice_language,
        brand.approval_required,
        brand.paused,
        brand.max_lateness_minutes,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "insert into brand_keys (brand_id, master_key_id, wrapped) values ($1, $2, $3)",
        brand.id,
        key.master_key_id,
        key.bytes,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Locks a brand and reads it. `None`: no such brand in this scope.
///
/// # Errors
/// When the statement fails.
pub async fn lock_brand(tx: &mut Tx, id: Uuid) -> Result<Option<BrandRow>, StoreError> {
    let row = sqlx::query_as!(
        BrandRow,
        "select id, organization_id, name, timezone, voice_prompt, voice_hashtags, voice_forbidden, voice_language,
                approval_required, paused, max_lateness_minutes, pad_color, watermark_asset_id, watermark_hash,
                watermark_corner, watermark_width_permille, watermark_margin_permille, created_at
           from brands where id = $1 for no key update",
        id,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row)
}

/// Writes what may change of a brand that [`lock_brand`] has locked.
///
/// # Errors
/// When the statement fails.
pub async fn save_brand(tx: &mut Tx, brand: &BrandRow) -> Result<(), StoreError> {
    sqlx::query!(
        "update brands set name = $2, timezone = $3, voice_prompt = $4, voice_hashtags = $5, voice_forbidden = $6,
                voice_language = $7, approval_required = $8, paused = $9, max_lateness_minutes = $10, pad_color = $11,
                watermark_asset_id = $12, watermark_hash = $13, watermark_corner = $14, watermark_width_permille = $15,
                watermark_margin_permille = $16, updated_at = now()
          where id = $1",
        brand.id,
        brand.name,
        brand.timezone,
        brand.voice_prompt,
        &brand.voice_hashtags,
        &brand.voice_forbidden,
        brand.voice_language,
        brand.approval_required,
        brand.paused,
        brand.max_lateness_minutes,
        brand.pad_color,
        brand.watermark_asset_id,
        brand.watermark_hash.as_deref(),
        brand.watermark_corner,
        brand.watermark_width_permille,
        brand.watermark_margin_permille,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Makes an organisation. In [`super::Scope::SignIn`].
///
/// # Errors
/// When the statement fails.
pub async fn insert_organization(tx: &mut Tx, id: Uuid, name: &str) -> Result<(), StoreError> {
    sqlx::query!("insert into organizations (id, name) values ($1, $2)", id, name).execute(&mut **tx).await?;
    Ok(())
}

/// A user to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub id: Uuid,
    /// In lower case.
    pub email: String,
    pub name: String,
    pub password_hash: String,
}

/// Makes a user. In [`super::Scope::SignIn`].
///
/// # Errors
/// When the statement fails; a violation of `users_email_key`: the address has a user already.
pub async fn insert_user(tx: &mut Tx, user: &NewUser) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into users (id, email, name, password_hash) values ($1, $2, $3, $4)",
        user.id,
        user.email,
        user.name,
        user.password_hash,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The targets of a brand that would be sent if nothing held them, the oldest 5,000.
///
/// # Errors
/// When the statement fails.
pub async fn waiting_targets(tx: &mut Tx, brand: Uuid) -> Result<Vec<Uuid>, StoreError> {
    let ids = sqlx::query_scalar!(
        "select id from publish_targets where brand_id = $1 and state = 'SCHEDULED' and due_at <= now()
          order by listed_at, id limit 5000",
        brand,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(ids)
}
