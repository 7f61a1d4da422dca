//! A private cluster gets its database, its migrations and its logins; doing so again changes nothing.
#![expect(clippy::unwrap_used, reason = "a test may stop at a surprise")]

use std::os::unix::fs::PermissionsExt as _;

use backplane::migrate::{Role, create_database, migrate};
use cli::local::{Postgres, postgres::Durability};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{Connection as _, PgConnection};

#[tokio::test]
async fn a_new_cluster_is_migrated_as_its_owner_and_every_role_logs_in_with_its_own_password() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
    let postgres = Postgres::start(&folder.path().join("postgres"), Durability::None).await.unwrap();
    let admin = postgres.admin_url("postgres");
    let owner_password = SecretString::from("an owner's 'password'");
    let seed = SecretString::from("seed");
    let logins = Role::ALL.map(|role| (role, role.password(&seed)));

    let mut owner = SecretString::from("");
    for _ in 0..2 {
        owner = create_database(&admin, "reelmill", &owner_password).await.unwrap();
        migrate(&owner, &logins).await.unwrap();
    }
    for (role, password) in &logins {
        let url = role.url(&owner, password).unwrap();
        let mut connection = PgConnection::connect(url.expose_secret()).await.unwrap();
        let who: (String, bool) =
            sqlx::query_as("select current_user::text, pg_has_role('reelmill_owner', 'member')")
                .fetch_one(&mut connection)
                .await
                .unwrap();
        assert_eq!(who, (role.name().to_owned(), false));
        let wrong = role.url(&owner, &SecretString::from("wrong")).unwrap();
        assert!(PgConnection::connect(wrong.expose_secret()).await.is_err());
    }
    let mut owner = PgConnection::connect(owner.expose_secret()).await.unwrap();
    let superuser: bool = sqlx::query_scalar("select rolsuper from pg_roles where rolname = current_user")
        .fetch_one(&mut owner)
        .await
        .unwrap();
    assert!(!superuser, "migrations run without the superuser's rights");
    postgres.stop().await.unwrap();
}
