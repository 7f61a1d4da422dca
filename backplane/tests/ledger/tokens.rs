//! Tokens: written by the control plane, read by publishers, at their own place only.

use backplane::store::Scope;
use backplane::store::secrets::{
    SecretError, SecretName, confirm_secrets, data_key, open_secrets, place, put_secret, rotate_secret,
};
use backplane::vault::{Vault, VaultError};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::world::World;

async fn connected(world: &World, vault: &Vault, brand: Uuid, token: &str) -> Uuid {
    let account = world.account(brand).await;
    let mut tx = world.api.begin(&Scope::brand(brand)).await.unwrap();
    let key = data_key(&mut tx, vault, brand).await.unwrap();
    let place = place(brand, account, "telegram", SecretName::Access);
    for _ in 0..2 {
        // Connecting again replaces it.
        let sealed = key.seal(&place, &SecretString::from(token)).unwrap();
        put_secret(&mut tx, &place, &sealed, None).await.unwrap();
    }
    tx.commit().await.unwrap();
    account
}

#[tokio::test]
async fn a_renewed_token_keeps_the_one_before_it_until_it_has_worked() {
    let world = World::new().await;
    let vault = Vault::parse(&Vault::generate_master_key("a").unwrap()).unwrap();
    let brand = world.brand().await;
    let account = connected(&world, &vault, brand, "first").await;
    let place = place(brand, account, "telegram", SecretName::Access);

    let mut tx = world.publisher.begin(&Scope::brand(brand)).await.unwrap();
    let key = data_key(&mut tx, &vault, brand).await.unwrap();
    let opened = open_secrets(&mut tx, &vault, brand, account, "telegram").await.unwrap();
    assert!(opened.refresh.is_none());
    let read = opened.access.unwrap();
    assert_eq!(read.current.expose_secret(), "first");
    assert!(read.previous.is_none());

    let renewed = key.seal(&place, &SecretString::from("second")).unwrap();
    rotate_secret(&mut tx, &place, &renewed, None).await.unwrap();
    let read = open_secrets(&mut tx, &vault, brand, account, "telegram").await.unwrap().access.unwrap();
    assert_eq!(read.current.expose_secret(), "second");
    assert_eq!(read.previous.unwrap().expose_secret(), "first");
    confirm_secrets(&mut tx, account).await.unwrap();
    let read = open_secrets(&mut tx, &vault, brand, account, "telegram").await.unwrap().access.unwrap();
    assert!(read.previous.is_none());
}

#[tokio::test]
async fn a_row_copied_to_another_account_or_brand_does_not_open() {
    let world = World::new().await;
    let vault = Vault::parse(&Vault::generate_master_key("a").unwrap()).unwrap();
    let (brand, other) = (world.brand().await, world.brand().await);
    let account = connected(&world, &vault, brand, "mine").await;
    let neighbour = connected(&world, &vault, brand, "yours").await;
    let foreign = connected(&world, &vault, other, "theirs").await;
    world
        .sql(&format!(
            "update account_secrets set sealed = (select sealed from account_secrets where account_id = '{account}')"
        ))
        .await;
    for (brand, account) in [(brand, neighbour), (other, foreign)] {
        let mut tx = world.publisher.begin(&Scope::brand(brand)).await.unwrap();
        let opened = open_secrets(&mut tx, &vault, brand, account, "telegram").await;
        assert!(matches!(opened, Err(SecretError::Vault(VaultError::DoesNotOpen))), "{opened:?}");
    }
}
