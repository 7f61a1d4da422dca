//! A broker of one story's own that tells every message published through it, and can deliver doorbells twice.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use cli::local::RabbitMq;
use domain::id::{GlobalId, Noun};
use futures_util::StreamExt as _;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, Consumer,
    message::Delivery,
    options::{BasicConsumeOptions, BasicPublishOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use secrecy::{ExposeSecret as _, SecretString};
use tempfile::TempDir;
use uuid::Uuid;

use crate::wait::eventually;

/// How long a message may take through the firehose.
const LIMIT: Duration = Duration::from_secs(60);
/// Where the broker tells what is published.
const TRACE: &str = "amq.rabbitmq.trace";
/// The routing key of what a story itself publishes.
const MARK: &str = "story.mark";

/// A message as it was published.
#[derive(Clone, Debug)]
pub struct Message {
    /// Empty for doorbells, which go straight to their queue.
    pub exchange: String,
    pub routing_key: String,
    pub body: String,
    /// Whatever else came with it.
    pub properties: String,
    headers: BTreeMap<String, String>,
    /// Of its properties.
    names: Vec<String>,
}

/// The broker and what was published through it so far.
pub struct Firehose {
    broker: RabbitMq,
    channel: Channel,
    seen: Arc<Mutex<Vec<Message>>>,
    _folder: TempDir,
    _connection: Connection,
}

impl Firehose {
    /// Starts a broker. With `again_after`, every doorbell is delivered a second time so much later.
    ///
    /// # Panics
    /// When the broker does not start or does not tell.
    pub async fn start(again_after: Option<Duration>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let broker = RabbitMq::start_traced(&folder.path().join("rabbitmq")).await.unwrap();
        let address = broker.url();
        let connected = Connection::connect(address.expose_secret(), ConnectionProperties::default());
        let connection = connected.await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let queue = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
        let queue = channel.queue_declare("".into(), queue, FieldTable::default()).await.unwrap();
        let (bound, none) = (QueueBindOptions::default(), FieldTable::default());
        let name = queue.name().clone();
        channel
            .queue_bind(name.clone(), TRACE.into(), "publish.#".into(), bound, none.clone())
            .await
            .unwrap();
        let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let told = channel.basic_consume(name, "".into(), options, none).await.unwrap();
        let seen = Arc::default();
        tokio::spawn(listen(told, Arc::clone(&seen), channel.clone(), again_after));
        Self { broker, channel, seen, _folder: folder, _connection: connection }
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> SecretString {
        self.broker.url()
    }

    /// Everything that the processes have published until now.
    ///
    /// # Panics
    /// When the broker is gone.
    pub async fn messages(&self) -> Vec<Message> {
        // What is told after this was published after it.
        let mark = Uuid::now_v7().to_string();
        publish(&self.channel, MARK, &mark).await;
        let told = eventually("the broker tells what is published", LIMIT, async || {
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.iter().any(|message| message.body == mark).then(|| seen.clone())
        });
        told.await.into_iter().filter(|message| message.routing_key != MARK).collect()
    }

    /// Ends the broker.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn stop(self) {
        self.broker.stop().await.unwrap();
    }
}

impl Message {
    fn read(told: &Delivery) -> Self {
        let headers = told.properties.headers().clone().unwrap_or_default();
        let field = |name: &str| headers.inner().get(name).cloned();
        let keys = match field("routing_keys") {
            Some(AMQPValue::FieldArray(keys)) => keys.as_slice().iter().map(text).collect(),
            _ => Vec::new(),
        };
        let properties = match field("properties") {
            Some(AMQPValue::FieldTable(properties)) => properties,
            _ => FieldTable::default(),
        };
        let own = match properties.inner().get("headers") {
            Some(AMQPValue::FieldTable(own)) => own.clone(),
            _ => FieldTable::default(),
        };
        Self {
            exchange: field("exchange_name").as_ref().map(text).unwrap_or_default(),
            routing_key: keys.concat(),
            body: String::from_utf8_lossy(&told.data).into_owned(),
            properties: format!("{properties:?}"),
            headers: own.inner().iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
            names: properties.inner().keys().map(ToString::to_string).collect(),
        }
    }

    /// Fails when it says more than a message may: a doorbell the ids of a job and its brand, a change those of a
    /// brand and an object; and with them a trace, which is random numbers.
    ///
    /// # Panics
    /// When it does.
    pub fn assert_names_only_ids(&self) {
        if self.exchange.is_empty() {
            let body: BTreeMap<String, Uuid> = serde_json::from_str(&self.body)
                .unwrap_or_else(|_| panic!("a doorbell is two ids: {self:?}"));
            assert!(body.keys().eq(["brand", "job"]), "a doorbell names a job and its brand: {self:?}");
        } else {
            assert!(self.exchange.ends_with(".live"), "nothing else is published: {self:?}");
            let ids: Option<Vec<_>> = self.body.split(' ').map(|id| GlobalId::parse(id).ok()).collect();
            let ids = ids.unwrap_or_else(|| panic!("a change is two ids: {self:?}"));
            assert!(ids.len() == 2 && ids[0].noun == Noun::Brand, "of a brand and an object: {self:?}");
        }
        assert!(
            self.names.iter().all(|name| ["delivery_mode", "headers"].contains(&name.as_str())),
            "{self:?}"
        );
        for (name, value) in &self.headers {
            let random = value.len() == 55 && value.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
            assert!(name == "traceparent" && random, "the only header is a trace: {self:?}");
        }
    }
}

fn text(value: &AMQPValue) -> String {
    match value {
        AMQPValue::LongString(text) => text.to_string(),
        AMQPValue::ShortString(text) => text.to_string(),
        other => format!("{other:?}"),
    }
}

async fn listen(
    mut told: Consumer,
    seen: Arc<Mutex<Vec<Message>>>,
    channel: Channel,
    again_after: Option<Duration>,
) {
    while let Some(Ok(delivery)) = told.next().await {
        let message = Message::read(&delivery);
        // A message that says "again" is the second of a doorbell.
        if message.names.iter().any(|name| name == "message_id") && message.routing_key != MARK {
            continue;
        }
        if let Some(after) =
            again_after.filter(|_| message.exchange.is_empty() && message.routing_key != MARK)
        {
            let (channel, message) = (channel.clone(), message.clone());
            tokio::spawn(async move {
                // Not a wait for something: this is the fault that is played.
                tokio::time::sleep(after).await;
                publish(&channel, &message.routing_key, &message.body).await;
            });
        }
        seen.lock().unwrap_or_else(PoisonError::into_inner).push(message);
    }
}

async fn publish(channel: &Channel, queue: &str, body: &str) {
    let properties = BasicProperties::default().with_message_id("story".into());
    let options = BasicPublishOptions::default();
    let sent = channel.basic_publish("".into(), queue.into(), options, body.as_bytes(), properties);
    // Fails when the story is over and its broker gone.
    let _ = sent.await;
}
