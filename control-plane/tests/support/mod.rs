//! What the tests over HTTP and those of the schema share: a running system with a database of its own.

use std::sync::Arc;

use backplane::blobs::BlobConfig;
use backplane::broker::BrokerConfig;
use backplane::migrate::Role;
use connectors::ConnectorsConfig;
use control_plane::config::{ApiConfig, ControlPlaneConfig};
use control_plane::system::System;
use domain::id::{GlobalId, Noun};
use secrecy::SecretString;
use test_database::TestDatabase;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Whence a browser may ask.
pub const DASHBOARD: &str = "http://dashboard.example";

/// A global id.
pub fn id(noun: Noun, uuid: Uuid) -> String {
    GlobalId::new(noun, uuid).to_string()
}

/// A control plane without a network in front of it. It ends when it is dropped.
pub struct Running {
    pub system: Arc<System>,
    pub database: TestDatabase,
    pub stop: CancellationToken,
}

impl Running {
    pub async fn start() -> Self {
        // Another test of this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let database = TestDatabase::create().await;
        let stop = CancellationToken::new();
        let system = System::start(config(&database), &stop).unwrap();
        Self { system, database, stop }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn config(database: &TestDatabase) -> ControlPlaneConfig {
    let url = |text: &str| text.parse().unwrap();
    ControlPlaneConfig {
        api: ApiConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            public_url: url("http://api.example"),
            dashboard_url: url(DASHBOARD),
            dashboard_origins: vec![DASHBOARD.to_owned()],
            redirect_urls: vec![],
            local: false,
            passwords_at_once: 2,
        },
        store: database.store_config(Role::Api, 8),
        // Nobody listens there: an announcement that cannot be made is only late.
        broker: BrokerConfig::parse(&SecretString::from("amqp://guest:guest@127.0.0.1:9/%2f"), "test.")
            .unwrap(),
        blobs: BlobConfig {
            endpoint: url("http://127.0.0.1:9"),
            public_endpoint: None,
            media_endpoint: None,
            region: "us-east-1".to_owned(),
            bucket: "test".to_owned(),
            access_key_id: "key".to_owned(),
            secret_access_key: SecretString::from("secret"),
        },
        connectors: ConnectorsConfig::production(),
        master_keys: SecretString::from(format!("test:{}", "5a".repeat(32))),
    }
}
