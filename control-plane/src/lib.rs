//! The GraphQL control plane: tenants, accounts, assets and publish jobs, over HTTP.
//!
//! It accepts work in one transaction and does none of it: workers do, and they meet in a row. It
//! never publishes and never reads a token.

pub mod admin;
pub mod auth;
pub mod config;
pub mod graphql;
pub mod http;
pub mod publishing;
pub mod relay;
pub mod sweeper;
pub mod system;

use std::sync::Arc;

use backplane::store::Store;
use backplane::store::catalogue::{self, CatalogueError};
use backplane::vault::VaultError;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use relay::Relay;
use sweeper::Sweeper;
use system::System;

pub use config::{ApiConfig, ControlPlaneConfig};
pub use graphql::schema::sdl as schema_sdl;

/// Why the control plane does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("the master key is not usable")]
    Vault(#[from] VaultError),
    #[error("the database does not keep brands apart, so nothing is served")]
    Catalogue(#[from] CatalogueError),
    #[error("cannot listen")]
    Listen(#[from] std::io::Error),
}

/// Serves the API until `stop`, then lets requests end that run.
///
/// # Errors
/// When the database does not keep brands apart, or the address cannot be listened on.
pub async fn run(config: ControlPlaneConfig, stop: CancellationToken) -> Result<(), RunError> {
    let listener = TcpListener::bind(config.api.listen).await?;
    let relay_store = Store::connect(config.relay_store.clone());
    let system = System::start(config, &stop)?;
    catalogue::prove(&system.store).await?;
    let relay = Relay::new(relay_store.clone(), system.publisher.clone(), Arc::clone(&system.enqueued));
    let relay = tokio::spawn(relay.run(stop.clone()));
    let sweeper = tokio::spawn(Sweeper::new(relay_store, system.store.clone()).run(stop.clone()));
    let served = serve(listener, system, stop.clone()).await;
    // However serving ended, the others end with it.
    stop.cancel();
    let _ = tokio::join!(relay, sweeper);
    served
}

/// Serves the API on a listener that is open already.
///
/// # Errors
/// When listening fails.
pub async fn serve(
    listener: TcpListener,
    system: Arc<System>,
    stop: CancellationToken,
) -> Result<(), RunError> {
    let router = http::router(http::App { system, schema: graphql::schema::build() });
    tracing::info!(address = %listener.local_addr()?, "api.listening");
    axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await?;
    Ok(())
}
