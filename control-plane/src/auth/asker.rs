//! Who asks, and all that they may see: resolved once for each request.

use std::collections::BTreeMap;

use backplane::store::Scope;
use backplane::store::access::{self, GrantRow};
use backplane::store::{Store, StoreError};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::role::{Right, Role};
use super::token::{self, TokenKind};

/// A user in a session, or an API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    User { user: Uuid, session: Uuid },
    ApiKey { key: Uuid },
}

impl Actor {
    /// Whose idempotency keys and OAuth states these are.
    #[must_use]
    pub const fn id(self) -> Uuid {
        match self {
            Self::User { user, .. } => user,
            Self::ApiKey { key } => key,
        }
    }
}

/// A place in an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    pub role: Role,
    /// Of every brand, those to come included; else of some.
    pub all_brands: bool,
}

/// What the asker may do in one brand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrandAccess {
    pub organization: Uuid,
    pub role: Role,
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Asker {
    pub actor: Actor,
    /// As it is written into the audit log.
    pub name: String,
    pub organizations: BTreeMap<Uuid, Seat>,
    pub brands: BTreeMap<Uuid, BrandAccess>,
}

impl Asker {
    /// Finds out whose session or key `secret` is. `None`: nobody's, or no longer.
    ///
    /// # Errors
    /// When Postgres cannot be asked.
    pub async fn resolve(store: &Store, secret: &SecretString) -> Result<Option<Self>, StoreError> {
        let kind = TokenKind::of(secret.expose_secret());
        let hash = token::hash(secret);
        let mut tx = store.begin(&Scope::SignIn).await?;
        let asker = match kind {
            Some(TokenKind::Session) => match access::use_session(&mut tx, &hash).await? {
                Some(found) => {
                    let grants = access::grants_of_user(&mut tx, found.user_id).await?;
                    let actor = Actor::User { user: found.user_id, session: found.session_id };
                    Some(Self::new(actor, found.name, grants))
                }
                None => None,
            },
            Some(TokenKind::ApiKey) => match access::use_api_key(&mut tx, &hash).await? {
                Some(found) => {
                    let grants = access::grants_of_api_key(&mut tx, found.id).await?;
                    Some(Self::new(Actor::ApiKey { key: found.id }, found.name, grants))
                }
                None => None,
            },
            _ => None,
        };
        tx.commit().await?;
        Ok(asker)
    }

    /// Reads again what the same actor may do now. `None`: the session or key has ended.
    ///
    /// # Errors
    /// When Postgres cannot be asked.
    pub async fn renewed(&self, store: &Store) -> Result<Option<Self>, StoreError> {
        let mut tx = store.begin(&Scope::SignIn).await?;
        let grants = match self.actor {
            Actor::User { user, session } if access::session_lives(&mut tx, session).await? => {
                Some(access::grants_of_user(&mut tx, user).await?)
            }
            Actor::ApiKey { key } if access::api_key_lives(&mut tx, key).await? => {
                Some(access::grants_of_api_key(&mut tx, key).await?)
            }
            _ => None,
        };
        Ok(grants.map(|grants| Self::new(self.actor, self.name.clone(), grants)))
    }

    /// Puts together what the rows grant.
    #[must_use]
    pub fn new(actor: Actor, name: String, grants: Vec<GrantRow>) -> Self {
        let mut asker = Self { actor, name, organizations: BTreeMap::new(), brands: BTreeMap::new() };
        for grant in grants {
            // The schema's CHECK admits these names only; a role of a later release reads only.
            let role = grant.role.parse().unwrap_or(Role::Viewer);
            asker.organizations.insert(grant.organization_id, Seat { role, all_brands: grant.all_brands });
            if let Some(brand) = grant.brand_id {
                asker.brands.insert(brand, BrandAccess { organization: grant.organization_id, role });
            }
        }
        asker
    }

    /// What the asker may read: all of their brands.
    #[must_use]
    pub fn reading(&self) -> Scope {
        Scope::Brands {
            brands: self.brands.keys().copied().collect(),
            colleagues: self.organizations.keys().copied().collect(),
            actor: Some(self.actor.id()),
        }
    }

    /// Whether the asker may do `right` in `brand`.
    #[must_use]
    pub fn may(&self, brand: Uuid, right: Right) -> bool {
        self.brands.get(&brand).is_some_and(|access| access.role.may(right))
    }

    /// Whether the asker may do `right` in the whole organisation, brands to come included.
    #[must_use]
    pub fn may_everywhere(&self, organization: Uuid, right: Right) -> bool {
        self.organizations.get(&organization).is_some_and(|seat| seat.all_brands && seat.role.may(right))
    }
}
