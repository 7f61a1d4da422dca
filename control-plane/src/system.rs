//! The parts that every request works with, made once.

use std::sync::Arc;

use backplane::blobs::Blobs;
use backplane::broker::{Change, LiveFeed, Publisher};
use backplane::store::Store;
use backplane::vault::Vault;
use connectors::Connectors;
use domain::id::{GlobalId, Noun};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::auth::{Attempts, Passwords};
use crate::config::{ApiConfig, ControlPlaneConfig};

/// What resolvers reach the world with.
#[derive(Debug)]
pub struct System {
    pub config: ApiConfig,
    pub store: Store,
    pub blobs: Blobs,
    pub vault: Vault,
    pub connectors: Connectors,
    pub publisher: Publisher,
    pub live: LiveFeed,
    pub passwords: Passwords,
    pub attempts: Attempts,
    /// Turns of those who hold one connection to Postgres and need a second one.
    pub two_connections: Semaphore,
    /// Told when work was enqueued that may be due: the relay need not wait for its next turn.
    pub enqueued: Arc<Notify>,
}

impl System {
    /// Puts the parts together. Connections are made when they are needed; those to the broker are
    /// kept up by tasks that end with `stop`.
    ///
    /// # Errors
    /// When the master keys do not read as such.
    pub fn start(
        config: ControlPlaneConfig,
        stop: &CancellationToken,
    ) -> Result<Arc<Self>, backplane::vault::VaultError> {
        Ok(Arc::new(Self {
            store: Store::connect(config.store),
            blobs: Blobs::new(&config.blobs),
            vault: Vault::parse(&config.master_keys)?,
            connectors: Connectors::new(config.connectors),
            publisher: Publisher::start(config.broker.clone(), stop.clone()),
            live: LiveFeed::start(config.broker, stop.clone()),
            passwords: Passwords::new(config.api.passwords_at_once),
            attempts: Attempts::default(),
            two_connections: Semaphore::new(2),
            enqueued: Arc::default(),
            config: config.api,
        }))
    }

    /// Tells every control plane that a row changed. Call it after the commit.
    pub fn announce(&self, brand: Uuid, noun: Noun, id: Uuid) {
        self.publisher.announce(Change { brand, object: GlobalId::new(noun, id) });
    }
}
