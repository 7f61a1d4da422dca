//! Doorbells through a real broker: rung with confirms, heard with a slot, told to everybody.

use std::time::Duration;

use backplane::broker::{BrokerConfig, Change, Consumer, LiveFeed, Publisher};
use backplane::job_kind::{JobKind, Lane};
use backplane::store::jobs::Doorbell;
use domain::id::{GlobalId, Noun};
use secrecy::SecretString;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(15);

struct Broker {
    config: BrokerConfig,
    stop: CancellationToken,
}

impl Broker {
    fn new() -> Self {
        let url = SecretString::from(std::env::var("TEST_AMQP_URL").unwrap());
        let prefix = format!("test.{}.", Uuid::now_v7().simple());
        Self { config: BrokerConfig::parse(&url, &prefix).unwrap(), stop: CancellationToken::new() }
    }

    async fn publisher(&self) -> Publisher {
        let publisher = Publisher::start(self.config.clone(), self.stop.clone());
        timeout(SOON, publisher.ready()).await.unwrap();
        publisher
    }

    async fn consumer(&self, kinds: &[JobKind], slots: u32) -> Consumer {
        let consumer = Consumer::start(self.config.clone(), kinds, slots, self.stop.clone());
        timeout(SOON, consumer.ready()).await.unwrap();
        consumer
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn bells(count: u128) -> Vec<(Doorbell, Option<String>)> {
    (1..=count).map(|n| (Doorbell { job: Uuid::from_u128(n), brand: Uuid::from_u128(n) }, None)).collect()
}

#[tokio::test]
async fn what_is_rung_is_heard_with_a_slot_and_not_again_once_acknowledged() {
    let broker = Broker::new();
    let publisher = broker.publisher().await;
    assert!(publisher.is_up());
    assert!(publisher.ring(JobKind::Probe, Lane::Now, &bells(3)).await.is_empty(), "all are confirmed");
    let consumer = broker.consumer(&[JobKind::Probe, JobKind::Caption], 2).await;
    let first = timeout(SOON, consumer.next()).await.unwrap().unwrap();
    let second = timeout(SOON, consumer.next()).await.unwrap().unwrap();
    assert_eq!((first.kind, first.lane), (JobKind::Probe, Lane::Now));
    let third = timeout(Duration::from_millis(500), consumer.next()).await;
    assert!(third.is_err(), "there is no third slot");
    assert!(first.bell.ack().await);
    assert!(second.bell.give_back().await);
    drop((first.slot, second.slot));
    let mut heard = Vec::new();
    for _ in 0..2 {
        let delivery = timeout(SOON, consumer.next()).await.unwrap().unwrap();
        heard.push(delivery.doorbell.job);
        assert!(delivery.bell.ack().await);
    }
    assert!(heard.contains(&second.doorbell.job), "what was given back rings again");
    assert!(timeout(Duration::from_millis(500), consumer.next()).await.is_err(), "nothing rings twice");
}

#[tokio::test]
async fn one_slot_of_two_never_takes_bulk_and_urgent_work_goes_first() {
    let broker = Broker::new();
    let publisher = broker.publisher().await;
    publisher.ring(JobKind::Probe, Lane::Bulk, &bells(4)).await;
    let consumer = broker.consumer(&[JobKind::Probe], 2).await;
    let bulk = timeout(SOON, consumer.next()).await.unwrap().unwrap();
    assert_eq!(bulk.lane, Lane::Bulk);
    assert!(bulk.bell.ack().await);
    let more = timeout(Duration::from_millis(500), consumer.next()).await;
    assert!(more.is_err(), "the other slot waits for what is urgent");
    publisher.ring(JobKind::Probe, Lane::Now, &bells(1)).await;
    let urgent = timeout(SOON, consumer.next()).await.unwrap().unwrap();
    assert_eq!(urgent.lane, Lane::Now);
    assert!(urgent.bell.ack().await);
}

#[tokio::test]
async fn without_a_slot_bells_go_to_another_worker() {
    let broker = Broker::new();
    let publisher = broker.publisher().await;
    let busy = broker.consumer(&[JobKind::Probe], 1).await;
    publisher.ring(JobKind::Probe, Lane::Now, &bells(1)).await;
    let held = timeout(SOON, busy.next()).await.unwrap().unwrap();
    assert!(held.bell.ack().await);
    publisher.ring(JobKind::Probe, Lane::Now, &bells(1)).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let free = broker.consumer(&[JobKind::Probe], 1).await;
    let other = timeout(SOON, free.next()).await.unwrap().unwrap();
    assert!(other.bell.ack().await, "the busy one gave it back after five seconds");
    drop(held.slot);
    drop(other.slot);
    publisher.ring(JobKind::Probe, Lane::Now, &bells(2)).await;
    tokio::select! {
        heard = busy.next() => assert!(heard.unwrap().bell.ack().await),
        heard = free.next() => assert!(heard.unwrap().bell.ack().await),
        () = tokio::time::sleep(SOON) => panic!("both are free and neither hears"),
    }
}

#[tokio::test]
async fn bells_that_cannot_be_delivered_are_named_and_queues_come_back() {
    let broker = Broker::new();
    let publisher = broker.publisher().await;
    let raw = lapin::Connection::connect(
        &std::env::var("TEST_AMQP_URL").unwrap(),
        lapin::ConnectionProperties::default(),
    )
    .await
    .unwrap();
    let channel = raw.create_channel().await.unwrap();
    let queue = queue_name(&broker);
    channel.queue_delete(queue.as_str().into(), lapin::options::QueueDeleteOptions::default()).await.unwrap();
    let failed = publisher.ring(JobKind::Probe, Lane::Now, &bells(2)).await;
    assert_eq!(failed.len(), 2, "a returned bell is not a confirmed one");
    // The supervisor builds everything anew, the queue among it.
    let rung = async {
        while !publisher.ring(JobKind::Probe, Lane::Now, &bells(1)).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(SOON, rung).await.unwrap();
}

/// The prefix is private to the crate's own configuration; its debug output names it.
fn queue_name(broker: &Broker) -> String {
    let shown = format!("{:?}", broker.config);
    let prefix = shown.split("prefix: \"").nth(1).unwrap().split('"').next().unwrap();
    format!("{prefix}probe.now")
}

#[tokio::test]
async fn a_change_reaches_every_control_plane() {
    let broker = Broker::new();
    let publisher = broker.publisher().await;
    let feeds = [0, 1].map(|_| LiveFeed::start(broker.config.clone(), broker.stop.clone()));
    for feed in &feeds {
        timeout(SOON, feed.ready()).await.unwrap();
    }
    let mut listeners = feeds.each_ref().map(LiveFeed::subscribe);
    let object = GlobalId::new(Noun::PublishTarget, Uuid::from_u128(5));
    let change = Change { brand: Uuid::from_u128(3), object };
    publisher.announce(change);
    for listener in &mut listeners {
        assert_eq!(timeout(SOON, listener.recv()).await.unwrap().unwrap(), change);
    }
}

#[tokio::test]
async fn a_stopped_consumer_ends_and_leaves_its_bells_to_others() {
    let broker = Broker::new();
    let publisher = broker.publisher().await;
    let stop = CancellationToken::new();
    let leaving = Consumer::start(broker.config.clone(), &[JobKind::Probe], 1, stop.clone());
    timeout(SOON, leaving.ready()).await.unwrap();
    stop.cancel();
    assert!(timeout(SOON, leaving.next()).await.unwrap().is_none());
    publisher.ring(JobKind::Probe, Lane::Now, &bells(1)).await;
    let staying = broker.consumer(&[JobKind::Probe], 1).await;
    assert!(timeout(SOON, staying.next()).await.unwrap().unwrap().bell.ack().await);
}
