//! Agencies: people, keys and brands.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, ID, Object};
use backplane::store::audit::AuditOf;
use backplane::store::tenants::{self, OrganizationRow};
use domain::id::Noun;
use uuid::Uuid;

use super::api_key::{self, ApiKey};
use super::audit_entry::{self, AuditEntry, AuditFilter};
use super::brand::{self, Brand};
use super::connection::{Connection, PageArgs};
use super::failure::Answer;
use super::id;
use super::loaders::{LoadError, Loaders};
use super::membership::{self, Membership};
use super::scope::cx;
use crate::auth::Right;

/// An agency: it has people with roles, keys, and brands.
#[derive(Clone, Debug)]
pub struct Organization(pub OrganizationRow);

/// An agency: it has people with roles, keys, and brands.
#[Object]
impl Organization {
    /// Global id.
    pub async fn id(&self) -> ID {
        id::of(Noun::Organization, self.0.id)
    }

    /// What it is called.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Those of its brands that the asker sees, by name.
    async fn brands(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Answer<Connection<Brand>> {
        let asker = cx(ctx).asker()?;
        let mine = asker.brands.iter().filter(|(_, access)| access.organization == self.0.id);
        let ids = mine.map(|(id, _)| *id).collect();
        brand::by_name(cx(ctx), ids, &PageArgs::new(first, after, last, before)).await
    }

    /// Null, like the next two, for who is not an admin. Invited ones included.
    async fn members(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Answer<Option<Connection<Membership>>> {
        membership::of_organization(cx(ctx), self.0.id, &PageArgs::new(first, after, last, before)).await
    }

    /// At most 100.
    async fn api_keys(&self, ctx: &Context<'_>) -> Answer<Option<Vec<ApiKey>>> {
        api_key::of_organization(cx(ctx), self.0.id).await
    }

    /// Of the organisation and of all its brands, newest first.
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        filter: Option<AuditFilter>,
    ) -> Answer<Option<Connection<AuditEntry>>> {
        // A log of the whole organisation is for those who administer the whole of it.
        if !cx(ctx).asker()?.may_everywhere(self.0.id, Right::Administer) {
            return Ok(None);
        }
        let args = PageArgs::new(first, after, last, before);
        Ok(Some(audit_entry::log(cx(ctx), AuditOf::Organization(self.0.id), &args, filter).await?))
    }
}

/// Loads an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OrganizationKey(pub Uuid);

impl Loader<OrganizationKey> for Loaders {
    type Value = Organization;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[OrganizationKey],
    ) -> Result<HashMap<OrganizationKey, Organization>, LoadError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows = tenants::organizations_by_id(&mut self.read().await?, &ids).await.map_err(Arc::new)?;
        Ok(rows.into_iter().map(|row| (OrganizationKey(row.id), Organization(row))).collect())
    }
}
