//! Rows by their id, read together: one statement for all objects of a kind on a page.

use std::sync::Arc;

use backplane::store::{Scope, Store, StoreError, Tx};

use uuid::Uuid;

use super::grant;
use super::scope::AskerCell;
use crate::auth::Asker;

/// Reads rows by id in the asker's scope. Each noun's file implements `Loader` for its own key.
#[derive(Debug)]
pub struct Loaders {
    store: Store,
    asker: AskerCell,
}

/// A failed load, shared by all who waited for it.
pub type LoadError = Arc<StoreError>;

impl Loaders {
    /// Reads for whoever `asker` says.
    #[must_use]
    pub const fn new(store: Store, asker: AskerCell) -> Self {
        Self { store, asker }
    }

    /// Opens a reading transaction over all brands of the asker; of nobody, it sees nothing.
    ///
    /// # Errors
    /// When Postgres cannot be asked.
    pub async fn read(&self) -> Result<Tx, LoadError> {
        let nothing = Scope::Brands { brands: vec![], colleagues: vec![], actor: None };
        let scope = self.asker.get().map_or(nothing, |asker| asker.reading());
        self.store.begin(&scope).await.map_err(Arc::new)
    }

    /// Who asks, if anybody is signed in.
    #[must_use]
    pub fn asker(&self) -> Option<Arc<Asker>> {
        self.asker.get()
    }

    /// Opens a transaction on an organisation itself, of those that [`Self::administered`] names.
    ///
    /// # Errors
    /// When Postgres cannot be asked.
    pub async fn organization(&self, organization: Uuid) -> Result<Tx, LoadError> {
        let actor = self.asker.get().map(|asker| asker.actor.id());
        self.store.begin(&Scope::Organization { organization, actor }).await.map_err(Arc::new)
    }

    /// The organisations of which the asker administers all or some brands.
    #[must_use]
    pub fn administered(&self) -> Vec<Uuid> {
        let Some(asker) = self.asker.get() else { return Vec::new() };
        let ids = asker.organizations.keys().copied();
        ids.filter(|organization| grant::administers(&asker, *organization)).collect()
    }

    /// Whether the asker sees a place or a key that is for these brands.
    #[must_use]
    pub fn sees(&self, organization: Uuid, all_brands: bool, brands: &[Uuid]) -> bool {
        self.asker.get().is_some_and(|asker| grant::sees(&asker, organization, all_brands, brands))
    }
}
