//! Who writes captions. The validator in `domain::caption` checks what any of them wrote.

use std::fmt;

use async_trait::async_trait;
use domain::author::{self, BrandVoice, Draft};
use domain::problem::Problem;
use domain::profile::TextRules;

/// What is to be written, and from what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Assignment<'a> {
    pub(crate) rules: &'a TextRules,
    pub(crate) voice: &'a BrandVoice,
    /// The text that the post came with; may be empty.
    pub(crate) original: &'a str,
}

/// Writes the text of one post for one network.
#[async_trait]
pub(crate) trait Author: Send + Sync + fmt::Debug {
    /// As stored with the caption: `RULES` or `MODEL`.
    fn name(&self) -> &'static str;
    /// Writes, or says why it cannot.
    async fn adapt(&self, assignment: &Assignment<'_>) -> Result<Draft, Problem>;
}

/// Deterministic: the brand's hashtags and forbidden phrases, the network's limits.
#[derive(Debug)]
pub(crate) struct Rules;

#[async_trait]
impl Author for Rules {
    fn name(&self) -> &'static str {
        "RULES"
    }

    async fn adapt(&self, assignment: &Assignment<'_>) -> Result<Draft, Problem> {
        author::rules::adapt(assignment.original, assignment.voice, assignment.rules)
    }
}
