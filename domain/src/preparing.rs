//! When a target is prepared: the one decision that moves it out of DRAFT's and PREPARING's waiting.

use crate::content::content_key;
use crate::media_info::MediaInfo;
use crate::operation::{Framing, Operation};
use crate::plan::{PostWish, Style, fit_post};
use crate::platform::{MediaKind, Placement, Platform};
use crate::problem::{Problem, Remedy};
use crate::profile::{Overrides, Profile, check_carousel, choose};

/// An asset as far as it is known.
#[derive(Clone, Debug)]
pub enum Source {
    /// Being uploaded, fetched or probed.
    Underway,
    Rejected(Problem),
    /// Its files were deleted.
    Gone,
    Ready {
        kind: MediaKind,
        files: Vec<SourceFile>,
    },
}

/// One file of an asset: the asset itself, or an item of a carousel.
#[derive(Clone, Debug)]
pub struct SourceFile {
    pub info: MediaInfo,
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
}

/// What a person and the network want of a target.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    pub platform: Platform,
    pub placement: Option<Placement>,
    pub framing: Option<Framing>,
    pub overrides: Overrides,
    /// A video that is too long may be cut.
    pub trim: bool,
}

/// What is to be made for a target, once its source is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    pub profile: &'static Profile,
    pub content_key: [u8; 32],
    /// For each file of the source, in order.
    pub files: Vec<RecipeFile>,
}

/// What one file must become.
#[derive(Clone, Debug, PartialEq)]
pub struct RecipeFile {
    pub profile: &'static Profile,
    pub operation: Operation,
}

/// Plans a target. `Ok(None)`: its source is not known yet.
///
/// # Errors
/// Why nothing can be made of it that the network takes.
pub fn recipe(source: &Source, wish: &Wish, style: &Style) -> Result<Option<Recipe>, Problem> {
    match source {
        Source::Underway => Ok(None),
        Source::Rejected(problem) => Err(problem.clone()),
        Source::Gone => Err(Problem::new(
            "media.deleted",
            "Its media was deleted. Choose other media.",
            Remedy::ChangeMedia,
        )),
        Source::Ready { kind, files } => ready(*kind, files, wish, style).map(Some),
    }
}

fn ready(kind: MediaKind, files: &[SourceFile], wish: &Wish, style: &Style) -> Result<Recipe, Problem> {
    let profile = choose(wish.platform, wish.placement, kind)?;
    if kind == MediaKind::Carousel {
        let kinds: Vec<MediaKind> = files.iter().map(|file| file.info.kind).collect();
        check_carousel(profile, &kinds)?;
    }
    let hashes: Vec<[u8; 32]> = files.iter().map(|file| file.sha256).collect();
    let infos: Vec<&MediaInfo> = files.iter().map(|file| &file.info).collect();
    let wish = PostWish { framing: wish.framing, overrides: wish.overrides, trim: wish.trim, style };
    let plans = fit_post(profile, &infos, &wish).into_iter();
    let files = plans.map(|plan| Ok(RecipeFile { profile: plan.profile, operation: plan.fit?.operation }));
    Ok(Recipe {
        profile,
        content_key: content_key(kind, &hashes),
        files: files.collect::<Result<_, Problem>>()?,
    })
}

/// How far the files of a target are.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaState {
    /// At least one is still to be made.
    Underway,
    Failed(Problem),
    Done,
}

/// Where a prepared target goes.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Wait,
    Fail(Problem),
    AskApproval(Problem),
    Schedule,
}

/// Moves a target on that was submitted: everything has to be there to be seen.
#[must_use]
pub fn next(media: &MediaState, has_caption: bool, needs_approval: bool) -> Step {
    match media {
        MediaState::Failed(problem) => Step::Fail(problem.clone()),
        MediaState::Underway => Step::Wait,
        MediaState::Done if !has_caption => Step::Wait,
        MediaState::Done if needs_approval => Step::AskApproval(awaiting_approval()),
        MediaState::Done => Step::Schedule,
    }
}

/// What an asset that was rejected without a stored reason says.
#[must_use]
pub fn rejected() -> Problem {
    Problem::new("media.rejected", "Its media was refused. Choose other media.", Remedy::ChangeMedia)
}

/// What a target says while it waits for a reviewer.
#[must_use]
pub fn awaiting_approval() -> Problem {
    Problem::new("target.awaiting_approval", "It waits for an approval.", Remedy::Approve)
}

/// What a target says whose content turns out to be on its account, or on its way there, already.
#[must_use]
pub fn duplicate() -> Problem {
    Problem::new(
        "target.duplicate",
        "The same content is on this account, or on its way there, already. Cancel this one, or allow duplicates in a new job.",
        Remedy::ChangeMedia,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_moves_only_when_media_and_caption_are_there() {
        let failed = Problem::new("media.unprocessable", "No.", Remedy::ChangeMedia);
        let cases = [
            (MediaState::Underway, true, false, Step::Wait),
            (MediaState::Done, false, false, Step::Wait),
            (MediaState::Done, false, true, Step::Wait),
            (MediaState::Done, true, true, Step::AskApproval(awaiting_approval())),
            (MediaState::Done, true, false, Step::Schedule),
            (MediaState::Failed(failed.clone()), true, false, Step::Fail(failed.clone())),
            (MediaState::Failed(failed.clone()), false, true, Step::Fail(failed)),
        ];
        for (media, caption, approval, step) in cases {
            assert_eq!(next(&media, caption, approval), step, "{media:?} {caption} {approval}");
        }
    }

    #[test]
    fn an_unknown_source_is_waited_for_and_a_refused_one_is_passed_on() {
        let wish = Wish {
            platform: Platform::Telegram,
            placement: None,
            framing: None,
            overrides: Overrides::default(),
            trim: false,
        };
        assert_eq!(recipe(&Source::Underway, &wish, Style::PLAIN), Ok(None));
        let problem = Problem::new("media.empty", "It is empty.", Remedy::ChangeMedia);
        assert_eq!(recipe(&Source::Rejected(problem.clone()), &wish, Style::PLAIN), Err(problem));
        assert_eq!(
            recipe(&Source::Gone, &wish, Style::PLAIN).map_err(|p| p.code),
            Err("media.deleted".to_owned())
        );
    }
}
