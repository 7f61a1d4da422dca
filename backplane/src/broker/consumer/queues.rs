//! The queues of one connection: opened, paused and listened to together.

use futures_util::stream::{BoxStream, SelectAll};
use futures_util::{StreamExt, stream};
use lapin::message::Delivery as Message;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Acker, Channel, Connection};
use tokio::time::timeout;

use crate::broker::{BrokerConfig, BrokerError, link};
use crate::job_kind::{JobKind, Lane};
use crate::store::jobs::Doorbell;

/// A doorbell that was heard on a channel that still lives.
pub(super) struct Heard {
    pub(super) kind: JobKind,
    pub(super) lane: Lane,
    pub(super) doorbell: Doorbell,
    pub(super) acker: Acker,
}

/// One queue, on a channel of its own.
struct Queue {
    kind: JobKind,
    name: String,
    channel: Channel,
    /// Set while it is listened to.
    tag: Option<ShortString>,
}

/// What a stream of one queue gives.
enum Item {
    Message(JobKind, Box<lapin::Result<Message>>),
    /// Its consumer ended, by our own cancel or behind our back.
    End,
}

/// The queues of one lane.
struct LaneQueues {
    lane: Lane,
    queues: Vec<Queue>,
    streams: SelectAll<BoxStream<'static, Item>>,
}

/// All queues of a consumer.
pub(super) struct Queues {
    now: LaneQueues,
    bulk: LaneQueues,
}

impl Queues {
    /// Declares the queues of `kinds`, each with its prefetch: 1 for long kinds, else the slots.
    pub(super) async fn open(
        connection: &Connection,
        config: &BrokerConfig,
        kinds: &[JobKind],
        slots: u32,
    ) -> Result<Self, BrokerError> {
        Ok(Self {
            now: LaneQueues::open(connection, config, kinds, (Lane::Now, slots)).await?,
            bulk: LaneQueues::open(connection, config, kinds, (Lane::Bulk, slots)).await?,
        })
    }

    fn lane(&mut self, lane: Lane) -> &mut LaneQueues {
        match lane {
            Lane::Now => &mut self.now,
            Lane::Bulk => &mut self.bulk,
        }
    }

    /// Whether any queue is listened to.
    pub(super) fn any_open(&self) -> bool {
        self.now.queues.iter().chain(&self.bulk.queues).any(|queue| queue.tag.is_some())
    }

    /// The next usable doorbell: *now* first, and *bulk* only when asked for.
    pub(super) async fn next(&mut self, bulk: bool) -> Result<Heard, BrokerError> {
        tokio::select! {
            biased;
            heard = self.now.next() => heard,
            heard = self.bulk.next(), if bulk => heard,
        }
    }

    /// Listens to `lane` again where it does not.
    pub(super) async fn resume(&mut self, lane: Lane) -> Result<(), BrokerError> {
        self.lane(lane).resume().await
    }

    /// Stops listening to `lane`, or to both, and gives back what was prefetched.
    pub(super) async fn pause(&mut self, lane: Option<Lane>) -> Result<(), BrokerError> {
        for lane in Lane::ALL.into_iter().filter(|one| lane.is_none_or(|lane| lane == *one)) {
            self.lane(lane).pause().await?;
        }
        Ok(())
    }

    /// A channel can die while its connection lives, without a word to a quiet consumer.
    pub(super) fn check(&self) -> Result<(), BrokerError> {
        let mut queues = self.now.queues.iter().chain(&self.bulk.queues);
        let alive = queues.all(|queue| queue.channel.status().connected());
        if alive { Ok(()) } else { Err(BrokerError::Ended) }
    }
}

impl LaneQueues {
    async fn open(
        connection: &Connection,
        config: &BrokerConfig,
        kinds: &[JobKind],
        (lane, slots): (Lane, u32),
    ) -> Result<Self, BrokerError> {
        let mut queues = Vec::with_capacity(kinds.len());
        for kind in kinds.iter().copied() {
            let channel = link::answer("a channel", connection.create_channel()).await?;
            let name = link::declare_queue(&channel, config, kind, lane).await?;
            let prefetch = if kind.handling().long { 1 } else { u16::try_from(slots).unwrap_or(u16::MAX) };
            link::answer("prefetch", channel.basic_qos(prefetch, BasicQosOptions::default())).await?;
            queues.push(Queue { kind, name, channel, tag: None });
        }
        Ok(Self { lane, queues, streams: SelectAll::new() })
    }

    async fn resume(&mut self) -> Result<(), BrokerError> {
        for queue in self.queues.iter_mut().filter(|queue| queue.tag.is_none()) {
            let consumed = queue.channel.basic_consume(
                queue.name.as_str().into(),
                "".into(),
                BasicConsumeOptions::default(),
                FieldTable::default(),
            );
            let consumer = link::answer("a consumer", consumed).await?;
            queue.tag = Some(consumer.tag());
            let kind = queue.kind;
            let messages = consumer.map(move |message| Item::Message(kind, Box::new(message)));
            self.streams.push(messages.chain(stream::once(async { Item::End })).boxed());
        }
        Ok(())
    }

    async fn pause(&mut self) -> Result<(), BrokerError> {
        let mut paused = false;
        for queue in &mut self.queues {
            if let Some(tag) = queue.tag.take() {
                paused = true;
                let cancelled = queue.channel.basic_cancel(tag, BasicCancelOptions::default());
                link::answer("a cancel", cancelled).await?;
            }
        }
        if paused {
            let late = |_| BrokerError::Timeout { what: "a cancel", seconds: link::ANSWER_LIMIT.as_secs() };
            timeout(link::ANSWER_LIMIT, self.give_back()).await.map_err(late)??;
        }
        Ok(())
    }

    /// Streams of cancelled consumers end after what they had prefetched.
    async fn give_back(&mut self) -> Result<(), BrokerError> {
        while let Some(item) = self.streams.next().await {
            if let Item::Message(_, message) = item {
                let options = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
                (*message)?.acker.nack(options).await?;
            }
        }
        Ok(())
    }

    async fn next(&mut self) -> Result<Heard, BrokerError> {
        if self.streams.is_empty() {
            return std::future::pending().await;
        }
        loop {
            let (kind, message) = match self.streams.next().await {
                Some(Item::Message(kind, message)) => (kind, (*message)?),
                Some(Item::End) | None => return Err(BrokerError::Ended),
            };
            // A dead channel still hands out what it had prefetched: others were given it as well.
            if !message.acker.usable() {
                continue;
            }
            if let Ok(doorbell) = serde_json::from_slice::<Doorbell>(&message.data) {
                return Ok(Heard { kind, lane: self.lane, doorbell, acker: message.acker });
            }
            // Not a doorbell of ours: acknowledged, so that it does not come back for ever.
            message.acker.ack(lapin::options::BasicAckOptions::default()).await?;
        }
    }
}
