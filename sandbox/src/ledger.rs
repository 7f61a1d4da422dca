//! The ledger: every post that a network made through its API, at the moment it became real.
//!
//! It is the judge of "exactly once", so it is appended to and never changed, and a network answers
//! for a post only after its line is on the disk. Whether a container or an upload was published is
//! read from here and stored nowhere else.

use std::collections::HashMap;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use domain::platform::Platform;
use serde::{Deserialize, Serialize};

use crate::journal::{Journal, StorageError};
use crate::media_store::Stored;
use crate::probe::Facts;

/// One post.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Post {
    /// 1, 2, 3 …; 0 for a post made by hand, which is in no ledger.
    pub seq: u64,
    pub platform: Platform,
    /// External id of the account.
    pub account: String,
    pub remote_id: String,
    pub kind: PostKind,
    pub caption: String,
    pub media: Vec<PostMedia>,
    pub at: DateTime<Utc>,
    /// The container or publish id that became this post; Telegram has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// Telegram: the message that this one answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// TikTok's privacy level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy: Option<String>,
    /// Instagram: shown in the feed besides the Reels tab.
    pub share_to_feed: bool,
    /// From when on the network's lists show it.
    pub listed_at: DateTime<Utc>,
}

/// What a post is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostKind {
    #[serde(alias = "image")]
    Photo,
    Reel,
    Carousel,
    Video,
    Album,
    Document,
    Message,
}

/// One file of a post.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PostMedia {
    /// The id of this item on the network: a carousel child, a message of an album.
    pub id: String,
    #[serde(flatten)]
    pub file: Stored,
    pub content_type: String,
    pub width: u32,
    pub height: u32,
    pub duration_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alt_text: Option<String>,
}

impl PostMedia {
    /// Describes a file that was looked at.
    pub fn new(id: String, file: Stored, facts: &Facts) -> Self {
        let (width, height) = facts.video.as_ref().map_or((0, 0), |video| (video.width, video.height));
        Self {
            id,
            file,
            content_type: facts.content_type.to_owned(),
            width,
            height,
            duration_ms: facts.duration_ms,
            alt_text: None,
        }
    }

    pub fn is_video(&self) -> bool {
        self.content_type.starts_with("video/")
    }
}

/// All posts, in order, with what the networks look them up by.
pub struct Ledger {
    posts: Vec<Post>,
    by_handle: HashMap<(Platform, String), usize>,
    by_account: HashMap<(Platform, String), Vec<usize>>,
    journal: Journal,
}

impl Ledger {
    pub fn open(path: PathBuf) -> Result<Self, StorageError> {
        let (journal, posts) = Journal::open::<Post>(path)?;
        let mut ledger =
            Self { posts: Vec::new(), by_handle: HashMap::new(), by_account: HashMap::new(), journal };
        for post in posts {
            ledger.index(post);
        }
        Ok(ledger)
    }

    /// Makes a post real and numbers it. Await the sync of [`Ledger::handle`] before answering.
    pub fn append(&mut self, mut post: Post) -> Result<u64, StorageError> {
        post.seq = self.posts.len() as u64 + 1;
        self.journal.append(&post)?;
        let seq = post.seq;
        self.index(post);
        Ok(seq)
    }

    fn index(&mut self, post: Post) {
        let at = self.posts.len();
        if let Some(handle) = &post.handle {
            self.by_handle.insert((post.platform, handle.clone()), at);
        }
        self.by_account.entry((post.platform, post.account.clone())).or_default().push(at);
        self.posts.push(post);
    }

    /// The file, for `journal::sync`.
    pub fn handle(&self) -> (std::sync::Arc<std::fs::File>, PathBuf) {
        self.journal.handle()
    }

    /// The posts after entry `seq`, oldest first.
    pub fn since(&self, seq: u64) -> &[Post] {
        let from = usize::try_from(seq).unwrap_or(usize::MAX).min(self.posts.len());
        &self.posts[from..]
    }

    /// What a container or publish id became.
    pub fn of_handle(&self, platform: Platform, handle: &str) -> Option<&Post> {
        self.by_handle.get(&(platform, handle.to_owned())).map(|at| &self.posts[*at])
    }

    /// The posts of one account, oldest first.
    pub fn of_account(&self, platform: Platform, account: &str) -> impl DoubleEndedIterator<Item = &Post> {
        let found = self.by_account.get(&(platform, account.to_owned()));
        found.into_iter().flatten().map(|at| &self.posts[*at])
    }
}
