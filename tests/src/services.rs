//! What all stories share: the Postgres cluster, a migrated template database, and the broker.

use std::env;

use backplane::migrate::{self, Role};
use secrecy::SecretString;
use tokio::sync::OnceCell;

/// Passwords of this throw-away cluster follow from this text.
const SEED: &str = "stories";
/// The database that every story's own is a copy of.
const TEMPLATE: &str = "stories_template";

/// Where they are.
pub struct Services {
    /// A superuser's address.
    pub admin_url: SecretString,
    pub amqp_url: SecretString,
    /// The password of each role that a process logs in as.
    pub logins: Vec<(Role, SecretString)>,
    pub template: &'static str,
}

static SERVICES: OnceCell<Services> = OnceCell::const_new();

/// Migrates the template once, then hands out the same to every story.
///
/// # Panics
/// When the environment does not name the services, or the migrations fail.
pub async fn services() -> &'static Services {
    SERVICES.get_or_init(prepare).await
}

async fn prepare() -> Services {
    // Fails only when a provider is there already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let admin_url = needed("TEST_DATABASE_URL");
    let amqp_url = needed("TEST_AMQP_URL");
    let seed = SecretString::from(SEED);
    let logins: Vec<_> = Role::ALL.into_iter().map(|role| (role, role.password(&seed))).collect();
    let owner = migrate::create_database(&admin_url, TEMPLATE, &seed).await.unwrap();
    migrate::migrate(&owner, &logins).await.unwrap();
    Services { admin_url, amqp_url, logins, template: TEMPLATE }
}

fn needed(name: &str) -> SecretString {
    env::var(name).map(SecretString::from).unwrap_or_else(|_| {
        panic!(
            "{name} is not set: run the stories with `make test`, or as `reelmill dev-services -- cargo test -p tests`"
        )
    })
}
