//! The ids of what changes, for one subscriber: as the broker tells, and read again every 5 s; of
//! one object at most twice a second.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_graphql::ID;
use backplane::broker::Change;
use backplane::store::changes::{self, Watched};
use domain::id::Noun;
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};
use uuid::Uuid;

use super::failure::Answer;
use super::id;
use super::scope::Cx;
use crate::auth::Role;

/// How often what changed is read again.
const REREAD_EVERY: Duration = Duration::from_secs(5);
/// An object is sent at most once in this time: twice a second, and a little less, so that what moves is told of at
/// least as often.
const APART: Duration = Duration::from_millis(480);
/// How long it is remembered that an object was sent: longer than changes are read again.
const SENT_FOR: Duration = Duration::from_secs(30);

/// What one subscriber waits for. It ends with the session, and with the role in any of its brands.
pub struct Watch {
    cx: Arc<Cx>,
    what: Watched,
    /// The role in each brand when the stream was opened.
    roles: BTreeMap<Uuid, Role>,
    changes: Receiver<Change>,
    reread: Interval,
    /// The next reading was brought forward.
    hurried: bool,
    pending: HashMap<Uuid, Instant>,
    sent: HashMap<Uuid, Instant>,
}

impl Watch {
    /// Begins to watch `brands`, or all that the asker sees. Brands that they do not see are as if
    /// they did not exist.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, or `BAD_ID`.
    pub fn open(cx: &Arc<Cx>, what: Watched, brands: Option<&[ID]>) -> Answer<Self> {
        let asker = cx.asker()?;
        let wanted = brands.map(|ids| id::parse_all(Noun::Brand, ids)).transpose()?;
        let seen = asker.brands.iter().filter(|(id, _)| wanted.as_ref().is_none_or(|ids| ids.contains(id)));
        let roles = seen.map(|(id, access)| (*id, access.role)).collect();
        let mut reread = interval(REREAD_EVERY);
        reread.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Changes from now on.
        reread.reset();
        Ok(Self {
            cx: Arc::clone(cx),
            what,
            roles,
            changes: cx.system.live.subscribe(),
            reread,
            hurried: false,
            pending: HashMap::new(),
            sent: HashMap::new(),
        })
    }

    /// The ids, until the stream ends.
    pub fn ids(self) -> impl Stream<Item = Uuid> {
        unfold(self, |mut watch| async move { watch.next().await.map(|id| (id, watch)) })
    }

    async fn next(&mut self) -> Option<Uuid> {
        while self.is_allowed() {
            let first = self.pending.iter().min_by_key(|(_, due)| **due).map(|(id, due)| (*id, *due));
            let due = first.map_or_else(Instant::now, |(_, due)| due);
            tokio::select! {
                () = sleep_until(due), if first.is_some() => {
                    let (id, _) = first?;
                    self.pending.remove(&id);
                    self.sent.insert(id, Instant::now());
                    return Some(id);
                }
                change = self.changes.recv() => match change {
                    Ok(change) => self.note(change),
                    Err(RecvError::Lagged(_)) => self.hurry(),
                    Err(RecvError::Closed) => return None,
                },
                _ = self.reread.tick() => self.read_again().await,
            }
        }
        None
    }

    /// The role in every brand is the one that the stream was opened with.
    fn is_allowed(&self) -> bool {
        let Some(asker) = self.cx.asker_if_any() else { return false };
        self.roles.iter().all(|(brand, role)| asker.brands.get(brand).is_some_and(|now| now.role == *role))
    }

    fn note(&mut self, change: Change) {
        if !self.roles.contains_key(&change.brand) {
            return;
        }
        match (self.what, change.object.noun) {
            (Watched::PublishJobs, Noun::PublishJob)
            | (Watched::PublishTargets, Noun::PublishTarget)
            | (Watched::MediaAssets, Noun::MediaAsset)
            | (Watched::SocialAccounts, Noun::SocialAccount) => self.expect(change.object.uuid),
            // The job of a target is in the database.
            (Watched::PublishJobs, Noun::PublishTarget) => self.hurry(),
            _ => {}
        }
    }

    /// `id` is sent as soon as it may be.
    fn expect(&mut self, id: Uuid) {
        let due = self.sent.get(&id).map_or_else(Instant::now, |sent| *sent + APART);
        self.pending.entry(id).or_insert(due);
    }

    fn hurry(&mut self) {
        if !self.hurried {
            self.hurried = true;
            self.reread.reset_after(APART);
        }
    }

    async fn read_again(&mut self) {
        self.hurried = false;
        self.sent.retain(|_, sent| sent.elapsed() < SENT_FOR);
        let brands: Vec<Uuid> = self.roles.keys().copied().collect();
        let read =
            async { Answer::Ok(changes::changed(&mut self.cx.read().await?, self.what, &brands).await?) };
        match read.await {
            Ok(rows) => {
                for row in rows {
                    let age = Duration::from_millis(u64::try_from(row.age_ms).unwrap_or(0));
                    // Sent after it changed: known already.
                    if self.sent.get(&row.id).is_none_or(|sent| sent.elapsed() >= age) {
                        self.expect(row.id);
                    }
                }
            }
            Err(failure) => tracing::warn!(code = failure.code(), "watch.read_failed"),
        }
    }
}
