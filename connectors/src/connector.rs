//! The boundary that every network implements, and the plain data that crosses it.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use domain::platform::{MediaKind, Placement, Platform};
use domain::profile::Overrides;
use domain::publishing::{Attempt, Evidence, SendOutcome, SendingRules, Step, StepPlan};
use secrecy::SecretString;
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use crate::error::ConnectorError;

/// Secrets of an account. `Debug` shows none of them.
#[derive(Clone)]
pub struct Credentials {
    /// Access token, bot token or signing secret.
    pub access: SecretString,
    pub refresh: Option<SecretString>,
    /// When `access` stops working; `None`: it does not expire.
    pub expires_at: Option<DateTime<Utc>>,
    /// When `refresh` stops working.
    pub refresh_expires_at: Option<DateTime<Utc>>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Who an account is at its network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountProfile {
    pub external_id: String,
    pub handle: String,
    pub avatar_url: Option<Url>,
}

/// An account that OAuth or credentials gave access to.
#[derive(Clone, Debug)]
pub struct Connected {
    pub profile: AccountProfile,
    pub credentials: Credentials,
}

/// What a network says of an account whose token works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub profile: AccountProfile,
    /// What there is to choose now.
    pub settings: Vec<SettingSpec>,
    /// Where the account is allowed less than its network.
    pub overrides: Overrides,
}

/// One account, ready to be spoken for.
#[derive(Clone, Debug)]
pub struct Session {
    pub account_id: Uuid,
    pub profile: AccountProfile,
    pub credentials: Credentials,
    /// What a person chose, by [`SettingSpec::key`].
    pub settings: BTreeMap<String, String>,
}

/// A choice that the network lets, or makes, a person take once per account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingSpec {
    pub key: &'static str,
    pub label: &'static str,
    /// Targets wait until it is chosen.
    pub required: bool,
    /// `None`: free text.
    pub choices: Option<Vec<String>>,
}

/// What is to be posted: frozen when the first attempt starts.
#[derive(Clone, Debug)]
pub struct Post {
    pub target_id: Uuid,
    pub placement: Placement,
    pub kind: MediaKind,
    pub title: Option<String>,
    /// The whole text; a connector splits it into parts where its network needs that.
    pub text: String,
    /// One, or one for each item of a carousel.
    pub media: Vec<PostMedia>,
}

/// One file of a post.
#[derive(Clone, Debug)]
pub struct PostMedia {
    pub kind: MediaKind,
    /// Where the network fetches it: public, unguessable, without a redirect, for hours.
    pub public_url: Url,
    /// Where this process reads it, ranges included.
    pub read_url: Url,
    pub content_type: String,
    pub bytes: u64,
    pub width: u32,
    pub height: u32,
    pub duration_ms: Option<u64>,
    /// SHA-256 of the file, hex.
    pub sha256: String,
}

/// How far a step of preparation came.
#[derive(Clone, Debug, PartialEq)]
pub enum Prepared {
    Done(Step),
    /// The network works on it. `step`, when given, is stored so that the work is not begun again.
    NotYet {
        poll_at: DateTime<Utc>,
        step: Option<Step>,
    },
}

/// What `send` needs beside the post.
#[derive(Clone, Debug)]
pub struct SendContext<'a> {
    pub part: u16,
    /// All steps done, and proofs of earlier parts as steps named `sent`.
    pub steps: &'a [Step],
    /// On the monotonic clock: checked right before the first byte, which never leaves after it.
    pub deadline: Instant,
}

/// A rate that the network counts, reserved before a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// By what the network counts, e.g. `telegram/chat/-100…` or `tiktok/app`.
    pub key: String,
    /// Mean distance of two calls.
    pub every: Duration,
    /// Calls that may go at once after a rest.
    pub burst: u32,
    /// Units that this post takes (an album of n counts as n on Telegram).
    pub cost: u32,
}

/// Where to go on in a network's list of media.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageRequest {
    pub after: Option<String>,
    pub since: Option<DateTime<Utc>>,
    /// At most as many as the network allows.
    pub limit: u32,
}

/// A page of posts, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaPage {
    pub media: Vec<FoundMedia>,
    pub next: Option<String>,
}

/// A post found at the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundMedia {
    pub external_id: String,
    pub kind: MediaKind,
    pub caption: Option<String>,
    pub posted_at: DateTime<Utc>,
    pub url: Option<Url>,
    /// One, or one for each item of a carousel, in order.
    pub items: Vec<FoundItem>,
}

/// One file of a found post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundItem {
    pub external_id: String,
    pub kind: MediaKind,
    /// Short-lived: fetched at once, never stored. `None`: the network does not hand it out.
    pub download_url: Option<Url>,
}

/// One network.
///
/// No method repeats a call, follows a redirect, or logs. Every method ends within its client's
/// deadlines.
#[async_trait]
pub trait Connector: Send + Sync + fmt::Debug {
    fn platform(&self) -> Platform;

    // What the network is like, as data.

    fn sending_rules(&self, post: &Post) -> SendingRules;
    /// How many parts `post` has; part 0 is the post itself, the others are replies to it.
    fn parts(&self, post: &Post) -> u16;
    /// Every step of every part, in order.
    fn steps(&self, post: &Post, session: &Session) -> Vec<StepPlan>;
    /// Budgets that sending `part` takes from.
    fn budgets(&self, post: &Post, session: &Session, part: u16) -> Vec<Budget>;
    /// Settings of an account, without asking the network.
    fn settings(&self) -> Vec<SettingSpec>;

    // Accounts.

    /// Where to send the user. `None`: this network has no OAuth.
    fn authorize_url(&self, state: &str, redirect_url: &Url) -> Option<Url>;
    /// Exchanges what the network sent the user back with.
    async fn connect(&self, callback: &Url, redirect_url: &Url) -> Result<Vec<Connected>, ConnectorError>;
    /// Checks pasted credentials; `place` is e.g. a Telegram chat.
    async fn connect_with_credentials(
        &self,
        secret: SecretString,
        place: &str,
    ) -> Result<Connected, ConnectorError>;
    /// Fresh credentials. The caller stores them before anything uses them.
    async fn refresh(&self, session: &Session) -> Result<Credentials, ConnectorError>;
    /// Revokes at the network, as far as it can.
    async fn disconnect(&self, session: &Session) -> Result<(), ConnectorError>;
    /// Asks who the account is, which choices it has and what it is allowed: proves that the token works.
    async fn check(&self, session: &Session) -> Result<Checked, ConnectorError>;
    /// When credentials should be refreshed; `None`: never.
    fn refresh_at(&self, credentials: &Credentials, issued_at: DateTime<Utc>) -> Option<DateTime<Utc>>;

    // Ingest. `None` from `ingests` means the others are never called.

    fn ingests(&self) -> bool;
    async fn list_media(&self, session: &Session, page: &PageRequest) -> Result<MediaPage, ConnectorError>;
    /// Reads one post again, for fresh addresses.
    async fn found_media(&self, session: &Session, external_id: &str) -> Result<FoundMedia, ConnectorError>;

    // Publishing.

    /// Does one step, or goes on with it (`begun` is what `NotYet` stored). Free to repeat.
    async fn prepare(
        &self,
        session: &Session,
        post: &Post,
        step: &StepPlan,
        done: &[Step],
        begun: Option<&Step>,
    ) -> Result<Prepared, ConnectorError>;
    /// The single-use handle that sending `part` will spend; `None` on networks without one.
    fn handle(&self, part: u16, steps: &[Step]) -> Option<String>;
    /// The irreversible call, once.
    ///
    /// A proof may lack its id or address: they follow later, and are no reason to delay storing it.
    /// [`Self::look_up`] of the created attempt completes it.
    async fn send(&self, session: &Session, post: &Post, context: SendContext<'_>) -> SendOutcome;
    /// Did it happen? Reads only. Also completes the proof of an attempt that is known to have.
    async fn look_up(&self, session: &Session, post: &Post, attempt: &Attempt, steps: &[Step]) -> Evidence;
}
