//! People.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use async_graphql::{ID, Object};
use backplane::store::tenants::{self, UserRow};
use domain::id::Noun;
use uuid::Uuid;

use super::id;
use super::loaders::{LoadError, Loaders};

/// A person who can sign in. Seen by those who share an organisation with them.
#[derive(Clone, Debug)]
pub struct User(pub UserRow);

/// A person who can sign in. Seen by those who share an organisation with them.
#[Object]
impl User {
    /// Global id.
    pub async fn id(&self) -> ID {
        id::of(Noun::User, self.0.id)
    }

    /// The address that they sign in with, in lower case.
    async fn email(&self) -> &str {
        &self.0.email
    }

    /// What they are called.
    async fn name(&self) -> &str {
        &self.0.name
    }
}

/// Loads a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UserKey(pub Uuid);

impl Loader<UserKey> for Loaders {
    type Value = User;
    type Error = LoadError;

    async fn load(&self, keys: &[UserKey]) -> Result<HashMap<UserKey, User>, LoadError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows = tenants::users_by_id(&mut self.read().await?, &ids).await.map_err(Arc::new)?;
        Ok(rows.into_iter().map(|row| (UserKey(row.id), User(row))).collect())
    }
}
