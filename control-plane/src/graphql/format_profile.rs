//! What one network accepts for one placement.

use async_graphql::{Object, SimpleObject};

use super::failure::Answer;
use super::platform::{MediaKind, Placement, Platform};

/// What one network accepts for one placement, e.g. instagram.reel.
#[derive(Clone, Debug, SimpleObject)]
pub struct FormatProfile {
    /// Stable, e.g. instagram.reel.
    pub name: String,
    /// The network.
    pub platform: Platform,
    /// Where on it.
    pub placement: Placement,
    /// What for.
    pub kind: MediaKind,
}

impl From<&domain::profile::Profile> for FormatProfile {
    fn from(profile: &domain::profile::Profile) -> Self {
        Self {
            name: profile.name.clone(),
            platform: profile.platform.into(),
            placement: profile.placement.into(),
            kind: profile.kind().into(),
        }
    }
}

/// The profiles that this release has.
#[derive(Default)]
pub struct FormatProfileQuery;

#[Object]
impl FormatProfileQuery {
    /// What each network accepts; of one network, or of all.
    async fn format_profiles(&self, platform: Option<Platform>) -> Answer<Vec<FormatProfile>> {
        let all = domain::profile::profiles().iter().map(FormatProfile::from);
        Ok(all.filter(|profile| platform.is_none_or(|wanted| profile.platform == wanted)).collect())
    }
}
