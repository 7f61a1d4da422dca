//! How a text is spread over a caption and replies.

use domain::caption::cut;
use domain::platform::Platform;
use domain::profile::text_rules;

use crate::connector::Post;

/// The caption, then one text for each reply. Never empty.
pub(super) fn parts(post: &Post) -> Vec<String> {
    let rules = text_rules(Platform::Telegram).expect("the data file of `domain` has Telegram's rules");
    let message_max = rules.reply_max.unwrap_or(rules.caption_max);
    let mut limit = if post.media.is_empty() { message_max } else { rules.caption_max };
    let mut parts = Vec::new();
    let mut rest = post.text.trim();
    loop {
        let (part, more) = rest.split_at(cut(rest, limit, rules.unit));
        parts.push(part.trim_end().to_owned());
        rest = more.trim_start();
        if rest.is_empty() {
            return parts;
        }
        limit = message_max;
    }
}
