//! What an asset becomes for one destination: known once it is probed, before anything is made.

use backplane::store::publishing::{PlanFile, PlanSource};
use connectors::Connectors;
use domain::content::content_key;
use domain::media_info::MediaInfo;
use domain::operation::Framing;
use domain::plan::{self, FilePlan, Fit, PostWish, Want};
use domain::platform::{MediaKind, Placement, Platform};
use domain::problem::{Problem, Remedy};
use domain::profile::{self, Overrides, Profile, Role};
use uuid::Uuid;

/// What a person chose of how files are fitted, and what the account allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Choice {
    /// `None`: as the network prefers.
    pub framing: Option<Framing>,
    /// A video that is too long may be cut.
    pub trim: bool,
    pub overrides: Overrides,
}

/// How one file meets its profile, or why it cannot.
#[derive(Clone, Debug, PartialEq)]
pub struct FileFit {
    /// The asset, or the item of a carousel.
    pub asset_id: Uuid,
    pub profile: &'static Profile,
    pub fit: Result<Fit, Problem>,
    /// It is too long: so much of its beginning would do, ms.
    pub trim_ms: Option<u64>,
}

/// The profile of a whole post for this `choice`.
///
/// # Errors
/// Why the pair cannot be, as far as that is known: from the kind alone before the asset is probed,
/// and from its files after.
pub fn verdict(
    source: &PlanSource,
    platform: Platform,
    placement: Option<Placement>,
    choice: Choice,
) -> Result<&'static Profile, Problem> {
    if matches!(source.state.as_str(), "REJECTED" | "DELETED") {
        return Err(Problem::new(
            "media.gone",
            "Its file could not be used or was deleted. Choose other media.",
            Remedy::ChangeMedia,
        ));
    }
    if !Connectors::SUPPORTED.contains(&platform) {
        return Err(Problem::new(
            "media.unsupported_network",
            format!("Reelmill cannot post to {} yet. Choose another account.", platform.display_name()),
            Remedy::ChangeMedia,
        ));
    }
    let profile = profile::choose(platform, placement, source.kind, choice.overrides.tier)?;
    if source.kind == MediaKind::Carousel {
        let kinds: Vec<MediaKind> = source.files.iter().map(|file| file.kind).collect();
        profile::check_carousel(profile, &kinds)?;
    }
    for file in file_fits(source, profile, choice) {
        file.fit?;
    }
    Ok(profile)
}

/// How each file of `source` meets `profile` for this `choice`. Empty until all of them are probed.
#[must_use]
pub fn file_fits(source: &PlanSource, profile: &'static Profile, choice: Choice) -> Vec<FileFit> {
    let infos: Option<Vec<&MediaInfo>> = source.files.iter().map(|file| file.info.as_ref()).collect();
    let Some(infos) = infos else { return Vec::new() };
    let Choice { framing, trim, overrides } = choice;
    let plans = plan::fit_post(profile, &infos, &PostWish { framing, overrides, trim, style: &source.style });
    let fit = |((file, info), plan): ((&PlanFile, &MediaInfo), FilePlan)| {
        let want = Want { overrides, ..Want::new(plan.profile) };
        let trim_ms = plan.fit.as_ref().err().and_then(|_| plan::trim_to(info, &want));
        FileFit { asset_id: file.asset_id, profile: plan.profile, fit: plan.fit, trim_ms }
    };
    source.files.iter().zip(infos).zip(plans).map(fit).collect()
}

/// How the files of an asset meet each profile of its kind on these networks, or on all, as far as every account
/// there is allowed: profile by profile, the files in their order. Empty until all of them are probed.
#[must_use]
pub fn fits_on(source: &PlanSource, networks: Option<&[Platform]>) -> Vec<FileFit> {
    let wanted = |row: &&'static Profile| {
        let there = networks.is_none_or(|networks| networks.contains(&row.platform));
        there && row.kind() == source.kind && row.role != Role::Item
    };
    profile::profiles().iter().filter(wanted).flat_map(|row| fits_of(source, row)).collect()
}

/// How files meet one profile; those of a carousel that is refused as a whole share its problem.
fn fits_of(source: &PlanSource, profile: &'static Profile) -> Vec<FileFit> {
    let mut fits = file_fits(source, profile, Choice::default());
    if profile.kind() == MediaKind::Carousel {
        let kinds: Vec<MediaKind> = source.files.iter().map(|file| file.kind).collect();
        if let Err(problem) = profile::check_carousel(profile, &kinds) {
            fits.iter_mut().for_each(|file| file.fit = Err(problem.clone()));
        }
    }
    fits
}

/// Names the content for the guard against posting it twice: its files once all are known, until
/// then the asset.
#[must_use]
pub fn key_of(source: &PlanSource) -> Vec<u8> {
    let hash = |file: &PlanFile| file.content_hash.as_ref().and_then(|hash| hash.as_slice().try_into().ok());
    let hashes: Option<Vec<[u8; 32]>> = source.files.iter().map(hash).collect();
    match hashes {
        Some(hashes) => content_key(source.kind, &hashes).to_vec(),
        None => source.asset_id.as_bytes().to_vec(),
    }
}
