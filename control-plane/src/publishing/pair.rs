//! The pairs of a new job: every post with every destination, judged one by one.

use std::collections::{HashMap, HashSet};

use backplane::store::publishing::{DestinationRow, EarlierTarget, PlanSource};
use chrono::{DateTime, Utc};
use domain::caption::{self, CaptionFacts};
use domain::operation::Framing;
use domain::platform::{Placement, Platform};
use domain::problem::Problem;
use domain::profile::{self, Overrides};
use uuid::Uuid;

use super::fit::{self, Choice};

/// A post of the request with its asset as it is stored.
#[derive(Clone, Debug)]
pub struct Post {
    pub source: PlanSource,
    /// To adapt, or to send: of the post, else of the asset.
    pub text: Option<String>,
    /// `None`: as soon as it is ready.
    pub at: Option<DateTime<Utc>>,
}

/// A destination of the request with its account as it is stored.
#[derive(Clone, Debug)]
pub struct Destination {
    pub account: DestinationRow,
    pub placement: Option<Placement>,
}

/// A text that is sent as it came, checked for its network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginalText {
    pub text: String,
    pub facts: CaptionFacts,
}

/// One post on one account.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// Indices into the request.
    pub post: usize,
    pub destination: usize,
    pub content_key: Vec<u8>,
    pub profile: Option<String>,
    /// `None` when the caption is adapted later, or cannot be sent as it came.
    pub text: Option<OriginalText>,
    /// Why it cannot be.
    pub problem: Option<Problem>,
}

/// What every pair of a job is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// Captions are sent as they came.
    pub original: bool,
    pub forbidden_phrases: &'a [String],
    pub framing: Option<Framing>,
    /// Videos that are too long may be cut.
    pub trim: bool,
}

/// Judges all pairs, in the order of the posts, then of the destinations. What is the same for
/// several accounts of a network is judged once: the limits of their own included.
#[must_use]
pub fn judge(posts: &[Post], destinations: &[Destination], rules: Rules<'_>) -> Vec<Pair> {
    let mut pairs = Vec::with_capacity(posts.len() * destinations.len());
    for (index, post) in posts.iter().enumerate() {
        let content_key = fit::key_of(&post.source);
        let mut judged: HashMap<(Platform, Option<Placement>, Overrides), Pair> = HashMap::new();
        for (destination, to) in destinations.iter().enumerate() {
            let (platform, overrides) = (to.account.platform, to.account.overrides);
            let pair = judged.entry((platform, to.placement, overrides)).or_insert_with(|| {
                let choice = Choice { framing: rules.framing, trim: rules.trim, overrides };
                let verdict = fit::verdict(&post.source, platform, to.placement, choice);
                let text = rules.original.then(|| original_text(post, platform, rules.forbidden_phrases));
                let (text, text_problem) = match text.transpose() {
                    Ok(text) => (text, None),
                    Err(problem) => (None, Some(problem)),
                };
                let profile = verdict.as_ref().ok().map(|profile| profile.name.clone());
                let problem = verdict.err().or(text_problem);
                Pair { post: index, destination, content_key: content_key.clone(), profile, text, problem }
            });
            pairs.push(Pair { destination, ..pair.clone() });
        }
    }
    pairs
}

fn original_text(post: &Post, platform: Platform, phrases: &[String]) -> Result<OriginalText, Problem> {
    let text = caption::accept(post.text.as_deref().unwrap_or_default())?;
    let Some(rules) = profile::text_rules(platform) else {
        let length = text.chars().count();
        return Ok(OriginalText { text, facts: CaptionFacts { length, max_length: length } });
    };
    let facts = caption::check(&text, rules, phrases)?;
    Ok(OriginalText { text, facts })
}

/// What repeats something that is on its account already.
#[derive(Clone, Debug, Default)]
pub struct Repeats {
    /// Targets that posted it, post it, or may have.
    pub earlier: HashMap<(Uuid, Vec<u8>), Uuid>,
    /// Contents that were ingested from the account: (account, content hash).
    pub ingested: HashSet<(Uuid, Vec<u8>)>,
}

impl Repeats {
    /// Puts together what the database knows.
    #[must_use]
    pub fn new(earlier: Vec<EarlierTarget>, ingested: Vec<(Uuid, Vec<u8>)>) -> Self {
        let earlier =
            earlier.into_iter().map(|row| ((row.account_id, row.content_key), row.target_id)).collect();
        Self { earlier, ingested: ingested.into_iter().collect() }
    }

    /// Whether `source` on `account` repeats something, and which target, if it is one.
    #[must_use]
    pub fn find(&self, source: &PlanSource, key: &[u8], account: Uuid) -> Option<Option<Uuid>> {
        if let Some(target) = self.earlier.get(&(account, key.to_vec())) {
            return Some(Some(*target));
        }
        let came_from_there = source.account_id == Some(account)
            || source
                .content_hash
                .as_ref()
                .is_some_and(|hash| self.ingested.contains(&(account, hash.clone())));
        came_from_there.then_some(None)
    }
}
