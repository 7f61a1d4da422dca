//! What a resolver may use: who asks, their rows, and the parts of the system.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_graphql::dataloader::DataLoader;
use async_graphql::{Context, ID};
use backplane::store::{Scope, Tx};
use domain::id::Noun;
use uuid::Uuid;

use super::failure::{Answer, Failure};
use super::id;
use super::loaders::Loaders;
use super::user_error::{Path, Stop, UserError};
use crate::auth::{Actor, Asker, Right};
use crate::system::System;

/// Who asks, shared by everything that serves one request. Signing in changes it half-way.
#[derive(Clone, Debug, Default)]
pub struct AskerCell(Arc<RwLock<Option<Arc<Asker>>>>);

impl AskerCell {
    /// Who asks, if anybody is signed in.
    #[must_use]
    pub fn get(&self) -> Option<Arc<Asker>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on this one asks.
    pub fn set(&self, asker: Option<Asker>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = asker.map(Arc::new);
    }
}

/// How long a load waits for others of its kind: longer than it takes to come to all objects of a
/// page of 100, so that each kind is read with one statement.
const BATCH_DELAY: Duration = Duration::from_millis(2);

/// What came with the request beside the query.
#[derive(Clone, Debug, Default)]
pub struct Envelope {
    /// W3C trace context, for the jobs that this request enqueues.
    pub traceparent: Option<String>,
    /// The session came in a cookie.
    pub by_cookie: bool,
}

/// Everything that a resolver may use.
pub struct Cx {
    pub system: Arc<System>,
    pub envelope: Envelope,
    pub loaders: DataLoader<Loaders>,
    asker: AskerCell,
    /// The `Set-Cookie` header of the reply.
    cookie: RwLock<Option<String>>,
}

/// The [`Cx`] of a request.
#[must_use]
pub fn cx<'a>(ctx: &Context<'a>) -> &'a Arc<Cx> {
    // Every request is made by `Cx::new`'s callers, which put it there.
    ctx.data_unchecked::<Arc<Cx>>()
}

impl Cx {
    /// Makes what serves one request.
    #[must_use]
    pub fn new(system: Arc<System>, asker: Option<Asker>, envelope: Envelope) -> Arc<Self> {
        let cell = AskerCell::default();
        cell.set(asker);
        Self::shared(system, cell, envelope)
    }

    /// Makes what serves one operation on a socket, whose asker is renewed from time to time.
    #[must_use]
    pub fn shared(system: Arc<System>, cell: AskerCell, envelope: Envelope) -> Arc<Self> {
        let loaders = Loaders::new(system.store.clone(), cell.clone());
        let loaders = DataLoader::new(loaders, tokio::spawn).max_batch_size(5_000).delay(BATCH_DELAY);
        Arc::new(Self { system, envelope, loaders, asker: cell, cookie: RwLock::default() })
    }

    /// Who asks, if anybody is signed in.
    #[must_use]
    pub fn asker_if_any(&self) -> Option<Arc<Asker>> {
        self.asker.get()
    }

    /// Who asks.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    pub fn asker(&self) -> Answer<Arc<Asker>> {
        self.asker.get().ok_or(Failure::Unauthenticated)
    }

    /// From now on `asker` asks: somebody signed in or out, or their brands changed.
    pub fn set_asker(&self, asker: Option<Asker>) {
        self.asker.set(asker);
    }

    /// Reads again what the asker may do, after a change of it.
    ///
    /// # Errors
    /// When Postgres cannot be asked.
    pub async fn renew_asker(&self) -> Answer<()> {
        if let Some(asker) = self.asker.get() {
            self.asker.set(asker.renewed(&self.system.store).await?);
        }
        Ok(())
    }

    /// Opens a reading transaction over all brands of the asker.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, or when Postgres cannot be asked.
    pub async fn read(&self) -> Answer<Tx> {
        Ok(self.system.store.begin(&self.asker()?.reading()).await?)
    }

    /// Opens a transaction in exactly one brand, if the asker may do `right` there.
    ///
    /// # Errors
    /// `NOT_FOUND` or `FORBIDDEN` at `path`.
    pub async fn write(&self, brand: Uuid, right: Right, path: &Path) -> Result<Tx, Stop> {
        let asker = self.allow(brand, right, path)?;
        let scope = Scope::Brand { brand, actor: Some(asker.actor.id()) };
        Ok(self.system.store.begin(&scope).await?)
    }

    /// Opens a transaction on an organisation itself. Check first what the asker may do there.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, or when Postgres cannot be asked.
    pub async fn organization(&self, organization: Uuid) -> Answer<Tx> {
        let asker = self.asker()?;
        let scope = Scope::Organization { organization, actor: Some(asker.actor.id()) };
        Ok(self.system.store.begin(&scope).await?)
    }

    /// Reads a brand's id in an input and checks what the asker may do there.
    ///
    /// # Errors
    /// `BAD_ID`, `NOT_FOUND` or `FORBIDDEN` at `path`.
    pub fn brand_in(&self, brand: &ID, right: Right, path: &Path) -> Result<Uuid, Stop> {
        let brand = id::parse_input(Noun::Brand, brand, path)?;
        self.allow(brand, right, path)?;
        Ok(brand)
    }

    /// Checks what the asker may do in a brand.
    ///
    /// # Errors
    /// `NOT_FOUND` for a brand that they do not see, `FORBIDDEN` when their role is not enough.
    pub fn allow(&self, brand: Uuid, right: Right, path: &Path) -> Result<Arc<Asker>, Stop> {
        let asker = self.asker()?;
        let Some(access) = asker.brands.get(&brand) else {
            return Err(UserError::not_found("brand", path).into());
        };
        if !access.role.may(right) {
            return Err(UserError::forbidden(path).into());
        }
        Ok(asker)
    }

    /// The user who asks; `None` for a key.
    #[must_use]
    pub fn user(&self) -> Option<Uuid> {
        match self.asker.get()?.actor {
            Actor::User { user, .. } => Some(user),
            Actor::ApiKey { .. } => None,
        }
    }

    /// Sets a header `Set-Cookie` on the reply.
    pub fn set_cookie(&self, cookie: String) {
        *self.cookie.write().unwrap_or_else(PoisonError::into_inner) = Some(cookie);
    }

    /// The header to send.
    #[must_use]
    pub fn cookie(&self) -> Option<String> {
        self.cookie.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
