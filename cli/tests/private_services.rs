//! The private Postgres and RabbitMQ: they start, keep their data, refuse strangers, and leave nothing running.
#![expect(clippy::unwrap_used, reason = "a test may stop at a surprise")]

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use cli::local::{Postgres, RabbitMq, postgres::Durability, rabbitmq};
use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions},
    types::FieldTable,
};
use secrecy::ExposeSecret as _;
use sqlx::{Connection as _, PgConnection};

/// A folder that Postgres' own user may enter, too.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
    folder
}

fn assert_private(path: &Path) {
    let mode = std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "{} is open to others: {mode:o}", path.display());
}

#[tokio::test]
async fn postgres_keeps_its_data_and_wants_a_password() {
    let folder = folder();
    let dir = folder.path().join("postgres");
    let first = Postgres::start(&dir, Durability::None).await.unwrap();
    let mut connection = PgConnection::connect(first.admin_url("postgres").expose_secret()).await.unwrap();
    sqlx::raw_sql("create table kept (n int); insert into kept values (7)")
        .execute(&mut connection)
        .await
        .unwrap();
    let stranger = format!("postgres://postgres:guess@127.0.0.1:{}/postgres", first.port());
    assert!(PgConnection::connect(&stranger).await.is_err());
    assert_private(&dir.join("password"));
    assert_private(first.data());
    let address = first.admin_url("postgres");
    first.stop().await.unwrap();
    assert!(PgConnection::connect(address.expose_secret()).await.is_err(), "it must be gone");

    let second = Postgres::start(&dir, Durability::None).await.unwrap();
    assert_eq!(second.admin_url("postgres").expose_secret(), address.expose_secret(), "its address survives");
    let mut connection = PgConnection::connect(address.expose_secret()).await.unwrap();
    let n: i32 = sqlx::query_scalar("select n from kept").fetch_one(&mut connection).await.unwrap();
    assert_eq!(n, 7);
    second.stop().await.unwrap();
}

#[tokio::test]
async fn rabbitmq_keeps_messages_until_it_is_wiped_and_knows_no_guest() {
    let folder = folder();
    let dir = folder.path().join("rabbitmq");
    let first = RabbitMq::start(&dir).await.unwrap();
    publish(first.url().expose_secret()).await;
    let guest = first.url().expose_secret().replacen("reelmill:", "guest:", 1);
    assert!(Connection::connect(&guest, ConnectionProperties::default()).await.is_err());
    assert_private(&dir);
    let address = first.url();
    first.kill().await.unwrap();

    let second = RabbitMq::start(&dir).await.unwrap();
    assert_eq!(second.url().expose_secret(), address.expose_secret(), "its address survives");
    assert!(take(address.expose_secret()).await, "a confirmed message survives a kill");
    publish(address.expose_secret()).await;
    second.stop().await.unwrap();

    rabbitmq::wipe(&dir).unwrap();
    let third = RabbitMq::start(&dir).await.unwrap();
    assert!(!take(address.expose_secret()).await, "a wiped node holds nothing and still knows its user");
    third.stop().await.unwrap();
}

async fn channel(url: &str) -> lapin::Channel {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare("kept".into(), durable, FieldTable::default()).await.unwrap();
    channel
}

async fn publish(url: &str) {
    let channel = channel(url).await;
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let persistent = BasicProperties::default().with_delivery_mode(2);
    let sent =
        channel.basic_publish("".into(), "kept".into(), BasicPublishOptions::default(), b"x", persistent);
    sent.await.unwrap().await.unwrap();
}

async fn take(url: &str) -> bool {
    let options = BasicGetOptions { no_ack: true };
    channel(url).await.basic_get("kept".into(), options).await.unwrap().is_some()
}
