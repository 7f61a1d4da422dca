//! All files of one post: each is planned for itself, but for the items of a carousel that its network
//! shows in one shape.

use super::{Fit, SharedShape, Style, Want, fit};
use crate::conformance::ratio_holds;
use crate::media_info::MediaInfo;
use crate::operation::Framing;
use crate::problem::Problem;
use crate::profile::{Accepts, OneShape, Overrides, Profile, Ratio, choose_item};

/// How one file of a post meets its profile, or why it cannot.
#[derive(Clone, Debug, PartialEq)]
pub struct FilePlan {
    /// The post's, or that of an item of its kind.
    pub profile: &'static Profile,
    pub fit: Result<Fit, Problem>,
}

/// What a person, an account and a brand want of a post, beside its profile.
#[derive(Clone, Copy, Debug)]
pub struct PostWish<'a> {
    /// `None`: as the profile prefers.
    pub framing: Option<Framing>,
    pub overrides: Overrides,
    /// What is longer than allowed may be cut.
    pub trim: bool,
    pub style: &'a Style,
}

impl Default for PostWish<'_> {
    fn default() -> Self {
        Self { framing: None, overrides: Overrides::default(), trim: false, style: Style::PLAIN }
    }
}

/// Plans the files of a post for `profile`, in their order. Depends on its arguments alone.
///
/// Where the network shows all items of a carousel in the shape of the first, it would cut the others
/// by itself: they get that shape here, as the framing asks.
#[must_use]
pub fn fit_post(profile: &'static Profile, files: &[&MediaInfo], wish: &PostWish<'_>) -> Vec<FilePlan> {
    let PostWish { framing, overrides, trim, style } = *wish;
    let want = Want { framing, overrides, trim, style, ..Want::new(profile) };
    let Accepts::Carousel(limits) = &profile.accepts else {
        return files.iter().map(|info| FilePlan { profile, fit: fit(info, &want) }).collect();
    };
    let item = |info: &&MediaInfo, shape| match choose_item(profile.platform, info.kind) {
        Ok(profile) => FilePlan { profile, fit: fit(info, &Want { profile, shape, ..want }) },
        Err(problem) => FilePlan { profile, fit: Err(problem) },
    };
    let Some((rule, (first, others))) = limits.one_shape.as_ref().zip(files.split_first()) else {
        return files.iter().map(|info| item(info, None)).collect();
    };
    let mut leader = item(first, None);
    let mut shape = shape_of(rule, &leader);
    if leader.fit.as_ref().is_ok_and(|fit| !ratio_holds(&rule.ratio, fit.width, fit.height)) {
        // The network takes the first as it is as well, and shows it in another shape.
        leader = item(first, shape);
        shape = shape_of(rule, &leader);
    }
    let plans: Vec<FilePlan> =
        std::iter::once(leader).chain(others.iter().map(|info| item(info, shape))).collect();
    let fits: Vec<&Fit> = plans.iter().filter_map(|plan| plan.fit.as_ref().ok()).collect();
    let Some(size) = shape.filter(|_| limits.equal_size).and_then(|shape| size_for_all(&fits, shape.ratio))
    else {
        return plans;
    };
    let resized = |(info, plan): (&&MediaInfo, FilePlan)| {
        let want = Want { profile: plan.profile, shape, size: Some(size), ..want };
        FilePlan { fit: plan.fit.and_then(|_| fit(info, &want)), ..plan }
    };
    files.iter().zip(plans).map(resized).collect()
}

/// The largest size of this shape for which none of `fits` is enlarged, px.
fn size_for_all(fits: &[&Fit], ratio: Ratio) -> Option<(u32, u32)> {
    let (wide, high) = (u64::from(ratio.0), u64::from(ratio.1));
    let width = |fit: &&Fit| u64::from(fit.width).min(u64::from(fit.height) * wide / high.max(1));
    let width = fits.iter().map(width).min()?.max(1);
    let height = ((width * high + wide / 2) / wide.max(1)).max(1);
    Some((u32::try_from(width).ok()?, u32::try_from(height).ok()?))
}

/// The shape that a carousel which begins with `leader` is shown in; `None` when nothing is made of it.
fn shape_of<'a>(rule: &'a OneShape, leader: &FilePlan) -> Option<SharedShape<'a>> {
    let fit = leader.fit.as_ref().ok()?;
    let ratio = Ratio(fit.width, fit.height);
    let ratio = match (rule.ratio.min, rule.ratio.max) {
        (Some(min), _) if ratio.value() < min.value() => min,
        (_, Some(max)) if ratio.value() > max.value() => max,
        _ => ratio,
    };
    Some(SharedShape { ratio, rule })
}
