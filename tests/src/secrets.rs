//! The search for secrets that got out: in logs, metrics, replies, messages, and every row outside their own table.

use backplane::{
    store::secrets::{SecretName, place},
    vault::{Sealed, Vault, WrappedKey},
};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::Row as _;
use uuid::Uuid;

use crate::{database::Database, firehose::Message, world::World};

/// Fails when a token of a connected account, or the master key, is to be read anywhere.
///
/// # Panics
/// When one is; the message says where and not what.
pub async fn assert_kept(world: &World, master_keys: &SecretString, metrics: &str) {
    let mut needles = tokens(&world.database, master_keys).await;
    needles.extend(master_keys.expose_secret().split(':').nth(1).map(|key| key.trim().to_owned()));
    let logs = world.logs();
    let heard = world.heard.all();
    let messages = match &world.firehose {
        Some(firehose) => firehose.messages().await,
        None => Vec::new(),
    };
    messages.iter().for_each(Message::assert_names_only_ids);
    let messages = format!("{messages:?}");
    let rows = world.database.dump(&["account_secrets", "brand_keys"]).await;
    for needle in &needles {
        assert!(needle.len() >= 16, "a secret is too short to be searched for");
        assert!(!logs.contains(needle), "a secret is in a log");
        assert!(!heard.contains(needle), "a secret is in a reply");
        assert!(!metrics.contains(needle), "a secret is among the metrics");
        assert!(!messages.contains(needle), "a secret is in a message");
        for (table, row) in &rows {
            assert!(!row.contains(needle), "a secret is in a row of {table}");
        }
    }
}

/// Every token that is stored now, opened with the master key.
async fn tokens(database: &Database, master_keys: &SecretString) -> Vec<String> {
    let vault = Vault::parse(master_keys).unwrap();
    let stored = "select s.brand_id, s.account_id, s.name, s.sealed, s.previous, a.platform, k.master_key_id, k.wrapped \
         from account_secrets s join social_accounts a on a.id = s.account_id join brand_keys k on k.brand_id = s.brand_id";
    let mut tokens = Vec::new();
    for row in sqlx::query(stored).fetch_all(&database.pool).await.unwrap() {
        let (brand, account): (Uuid, Uuid) = (row.get("brand_id"), row.get("account_id"));
        let wrapped = WrappedKey { master_key_id: row.get("master_key_id"), bytes: row.get("wrapped") };
        let key = vault.unwrap(brand, &wrapped).unwrap();
        let name = match row.get("name") {
            "refresh" => SecretName::Refresh,
            _ => SecretName::Access,
        };
        let platform: String = row.get("platform");
        let place = place(brand, account, &platform, name);
        let sealed: Option<Vec<u8>> = row.get("previous");
        for sealed in sealed.into_iter().chain([row.get("sealed")]) {
            let opened = key.open(&place, &Sealed::from_bytes(sealed)).unwrap();
            tokens.push(opened.expose_secret().to_owned());
        }
    }
    tokens
}
