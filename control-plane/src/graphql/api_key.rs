//! Keys for scripts.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use backplane::store::people::{self, ApiKeyRow, NewApiKey};
use chrono::{DateTime, Utc};
use domain::id::Noun;
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use super::audit::{self, Entry, Place};
use super::brand::{Brand, BrandKey};
use super::failure::Answer;
use super::grant::{self, Grant};
use super::id;
use super::loaders::{LoadError, Loaders};
use super::scope::{Cx, cx};
use super::user_error::{Code, Path, Stop, UserError, change, payloads};
use crate::auth::Role;
use crate::auth::token::{self, TokenKind};

/// Most live keys of an organisation.
const KEYS_MAX: i64 = 100;

/// For scripts: `Authorization: Bearer <secret>`. The secret is shown once.
#[derive(Clone, Debug)]
pub struct ApiKey(pub ApiKeyRow);

/// For scripts: `Authorization: Bearer <secret>`. The secret is shown once.
#[Object]
impl ApiKey {
    /// Global id.
    pub async fn id(&self) -> ID {
        id::of(Noun::ApiKey, self.0.id)
    }

    /// What it is called; unique among live keys.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it may do.
    async fn role(&self) -> Role {
        self.0.role.parse().unwrap_or(Role::Viewer)
    }

    /// Null: every brand of the organisation.
    async fn brands(&self, ctx: &Context<'_>) -> Answer<Option<Vec<Brand>>> {
        if self.0.all_brands {
            return Ok(None);
        }
        let keys = self.0.brands.iter().copied().map(BrandKey);
        Ok(Some(cx(ctx).loaders.load_many(keys).await?.into_values().collect()))
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last used, within five minutes.
    async fn last_used_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_used_at
    }

    /// When it ends by itself.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
    }
}

/// Loads a key of an organisation that the asker administers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ApiKeyKey(pub Uuid);

impl Loader<ApiKeyKey> for Loaders {
    type Value = ApiKey;
    type Error = LoadError;

    async fn load(&self, keys: &[ApiKeyKey]) -> Result<HashMap<ApiKeyKey, ApiKey>, LoadError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let mut found = HashMap::new();
        // Somebody administers one organisation, seldom a few.
        for organization in self.administered() {
            let mut tx = self.organization(organization).await?;
            let rows = people::api_keys_by_id(&mut tx, &ids).await.map_err(Arc::new)?;
            let seen = rows.into_iter().filter(|row| self.sees(organization, row.all_brands, &row.brands));
            found.extend(seen.map(|row| (ApiKeyKey(row.id), ApiKey(row))));
        }
        Ok(found)
    }
}

/// The live keys of an organisation, newest first; null for who is not an admin.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn of_organization(cx: &Cx, organization: Uuid) -> Answer<Option<Vec<ApiKey>>> {
    let asker = cx.asker()?;
    if !grant::administers(&asker, organization) {
        return Ok(None);
    }
    let rows = people::api_keys_of(&mut cx.organization(organization).await?, organization).await?;
    let seen = rows.into_iter().filter(|row| grant::sees(&asker, organization, row.all_brands, &row.brands));
    Ok(Some(seen.map(ApiKey).collect()))
}

/// A key to be made.
#[derive(Clone, InputObject)]
pub struct CreateApiKeyInput {
    /// The organisation.
    organization_id: ID,
    /// What it is called: 1 to 200 characters.
    name: String,
    /// What it may do; not more than the asker may.
    role: Role,
    /// Null: every brand.
    brand_ids: Option<Vec<ID>>,
    /// When it ends by itself; null: never.
    expires_at: Option<DateTime<Utc>>,
}

/// The key, and its secret this once.
#[derive(SimpleObject, Default)]
pub struct CreateApiKeyPayload {
    /// The key.
    pub api_key: Option<ApiKey>,
    /// What scripts send; never shown again.
    pub secret: Option<String>,
    /// Why no key was made.
    pub user_errors: Vec<UserError>,
}

/// A key that ends.
#[derive(Clone, InputObject)]
pub struct RevokeApiKeyInput {
    /// The key.
    api_key_id: ID,
}

/// The key that has ended.
#[derive(SimpleObject, Default)]
pub struct RevokeApiKeyPayload {
    /// Its id.
    pub revoked_api_key_id: Option<ID>,
    /// Why it has not.
    pub user_errors: Vec<UserError>,
}

payloads!(CreateApiKeyPayload, RevokeApiKeyPayload);

/// Keys for scripts.
#[derive(Default)]
pub struct ApiKeyMutation;

#[Object]
impl ApiKeyMutation {
    /// No key may do more than who makes it. Names are unique among live keys.
    async fn create_api_key(
        &self,
        ctx: &Context<'_>,
        input: CreateApiKeyInput,
    ) -> Answer<CreateApiKeyPayload> {
        change(input, |input| create(cx(ctx), input)).await
    }

    /// Ends a key at once.
    async fn revoke_api_key(
        &self,
        ctx: &Context<'_>,
        input: RevokeApiKeyInput,
    ) -> Answer<RevokeApiKeyPayload> {
        change(input, |input| revoke(cx(ctx), input)).await
    }
}

async fn create(cx: &Cx, input: CreateApiKeyInput) -> Result<CreateApiKeyPayload, Stop> {
    let path = Path::input();
    let grant = Grant::read(cx, &input.organization_id, input.role, input.brand_ids.as_deref())?;
    let name = input.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > 200 {
        return Err(UserError::invalid("a name has 1 to 200 characters", &path.field("name")).into());
    }
    let mut tx = cx.organization(grant.organization).await?;
    if people::count_api_keys(&mut tx, grant.organization).await? >= KEYS_MAX {
        let message = format!("an organisation has {KEYS_MAX} keys at most: revoke one first");
        return Err(UserError::new(Code::LimitExceeded, message, &path).into());
    }
    let secret = token::fresh(TokenKind::ApiKey);
    let key = NewApiKey {
        id: Uuid::now_v7(),
        organization_id: grant.organization,
        name,
        role: grant.role.as_str(),
        brands: grant.brands,
        secret_hash: token::hash(&secret),
        expires_at: input.expires_at,
    };
    people::insert_api_key(&mut tx, &key).await.map_err(|error| {
        if error.violates("api_keys_live_name") {
            UserError::conflict("a live key of this name exists: choose another name", &path.field("name"))
                .into()
        } else {
            Stop::from(error)
        }
    })?;
    let entry = Entry::new("api_key.created", Noun::ApiKey, key.id)
        .change("name", None, Some(key.name.clone()))
        .change("role", None, Some(key.role.to_owned()));
    audit::write(&mut tx, &grant.asker, Place::Organization(grant.organization), &[entry]).await?;
    let row = people::api_keys_by_id(&mut tx, &[key.id]).await?.pop();
    tx.commit().await?;
    let secret = Some(secret.expose_secret().to_owned());
    Ok(CreateApiKeyPayload { api_key: row.map(ApiKey), secret, user_errors: vec![] })
}

async fn revoke(cx: &Cx, input: RevokeApiKeyInput) -> Result<RevokeApiKeyPayload, Stop> {
    let path = Path::input().field("apiKeyId");
    let key = id::parse_input(Noun::ApiKey, &input.api_key_id, &path)?;
    let asker = cx.asker()?;
    // A key that the asker does not administer looks like one that does not exist.
    let found = cx.loaders.load_one(ApiKeyKey(key)).await.map_err(super::failure::Failure::from)?;
    let row = found.ok_or_else(|| UserError::not_found("key", &path))?.0;
    let role: Role = row.role.parse().unwrap_or(Role::Owner);
    if !grant::may_change(&asker, row.organization_id, role, row.all_brands, &row.brands) {
        return Err(UserError::forbidden(&path).into());
    }
    let mut tx = cx.organization(row.organization_id).await?;
    people::revoke_api_key(&mut tx, key).await?;
    let entry = Entry::new("api_key.revoked", Noun::ApiKey, key).change("name", Some(row.name), None);
    audit::write(&mut tx, &asker, Place::Organization(row.organization_id), &[entry]).await?;
    tx.commit().await?;
    let revoked = Some(id::of(Noun::ApiKey, key));
    Ok(RevokeApiKeyPayload { revoked_api_key_id: revoked, user_errors: vec![] })
}
