//! Rows by their id, read together: one statement for all objects of a kind on a page.

use std::sync::Arc;

use backplane::store::{Scope, Store, StoreError, Tx};

use super::scope::AskerCell;

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
}
