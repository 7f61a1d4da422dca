//! Those who write captions: what they are told and what they give back.
//!
//! The `Author` trait does input and output and lives with the workers; the author that needs
//! neither, [`rules`], is here. Whoever writes, [`crate::caption::check`] has the last word.

pub mod rules;

use serde::{Deserialize, Serialize};

/// How a brand speaks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrandVoice {
    /// What a model is told first.
    pub system_prompt: String,
    /// With or without their sign.
    pub default_hashtags: Vec<String>,
    pub forbidden_phrases: Vec<String>,
    /// e.g. `uk` or `en-GB`.
    pub language: Option<String>,
}

/// A text that an author wrote, before it is checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Where the network has titles.
    pub title: Option<String>,
    pub text: String,
}
