//! A broker that is killed, restarted, and robbed of its disk: doorbells ring again by themselves.
#![expect(clippy::unwrap_used, reason = "a test may stop at a surprise")]

use std::{os::unix::fs::PermissionsExt as _, time::Duration};

use backplane::broker::{BrokerConfig, Change, Consumer, LiveFeed, Publisher};
use backplane::job_kind::{JobKind, Lane};
use backplane::store::jobs::Doorbell;
use cli::local::{RabbitMq, rabbitmq};
use domain::id::{GlobalId, Noun};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(60);

/// Rings until the broker confirms, as the relay does, and then hears it.
async fn rings_through(publisher: &Publisher, consumer: &Consumer, job: u128) {
    let bell = Doorbell { job: Uuid::from_u128(job), brand: Uuid::nil() };
    let rung = async {
        while !publisher.ring(JobKind::Probe, Lane::Now, &[(bell, None)]).await.is_empty() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(SOON, rung).await.unwrap();
    let heard = async {
        loop {
            let delivery = consumer.next().await.unwrap();
            assert!(delivery.bell.ack().await);
            if delivery.doorbell == bell {
                return;
            }
        }
    };
    timeout(SOON, heard).await.unwrap();
}

#[tokio::test]
async fn doorbells_survive_a_killed_broker_and_the_loss_of_its_disk() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
    let dir = folder.path().join("rabbitmq");
    let broker = RabbitMq::start(&dir).await.unwrap();
    let config = BrokerConfig::parse(&broker.url(), "reelmill.").unwrap();
    let stop = CancellationToken::new();
    let publisher = Publisher::start(config.clone(), stop.clone());
    let consumer = Consumer::start(config.clone(), &[JobKind::Probe, JobKind::Publish], 2, stop.clone());
    let feed = LiveFeed::start(config, stop.clone());
    let ready = futures_util::future::join3(publisher.ready(), consumer.ready(), feed.ready());
    timeout(SOON, ready).await.unwrap();
    rings_through(&publisher, &consumer, 1).await;

    broker.kill().await.unwrap();
    let unheard = Doorbell { job: Uuid::from_u128(2), brand: Uuid::nil() };
    let failed = publisher.ring(JobKind::Probe, Lane::Now, &[(unheard, None)]).await;
    assert_eq!(failed, [unheard.job], "what is not confirmed is said so, within seconds");
    let broker = RabbitMq::start(&dir).await.unwrap();
    rings_through(&publisher, &consumer, 3).await;

    broker.stop().await.unwrap();
    rabbitmq::wipe(&dir).unwrap();
    let broker = RabbitMq::start(&dir).await.unwrap();
    rings_through(&publisher, &consumer, 4).await;
    timeout(SOON, feed.ready()).await.unwrap();
    let mut changes = feed.subscribe();
    let change = Change { brand: Uuid::nil(), object: GlobalId::new(Noun::MediaAsset, Uuid::nil()) };
    publisher.announce(change);
    assert_eq!(timeout(SOON, changes.recv()).await.unwrap().unwrap(), change);

    stop.cancel();
    while timeout(SOON, consumer.next()).await.unwrap().is_some() {}
    broker.stop().await.unwrap();
}
