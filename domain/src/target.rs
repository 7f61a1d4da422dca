//! The states of a target and of its job, and what a person may do to a target in each.

use std::str::FromStr;

use crate::platform::UnknownName;

/// Where a target is on its way to its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TargetState {
    Draft,
    Preparing,
    AwaitingApproval,
    Scheduled,
    Publishing,
    Published,
    Failed,
    Unconfirmed,
    NeedsAttention,
    Cancelled,
}

impl TargetState {
    /// Every state, in the order of the public enum.
    pub const ALL: [Self; 10] = [
        Self::Draft,
        Self::Preparing,
        Self::AwaitingApproval,
        Self::Scheduled,
        Self::Publishing,
        Self::Published,
        Self::Failed,
        Self::Unconfirmed,
        Self::NeedsAttention,
        Self::Cancelled,
    ];

    /// The name stored in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Preparing => "PREPARING",
            Self::AwaitingApproval => "AWAITING_APPROVAL",
            Self::Scheduled => "SCHEDULED",
            Self::Publishing => "PUBLISHING",
            Self::Published => "PUBLISHED",
            Self::Failed => "FAILED",
            Self::Unconfirmed => "UNCONFIRMED",
            Self::NeedsAttention => "NEEDS_ATTENTION",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// Nothing more happens to it by itself.
    #[must_use]
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Published | Self::Failed | Self::Cancelled)
    }

    /// What is posted, and when, may be changed: until it is `PUBLISHING`, and once `FAILED`.
    #[must_use]
    pub const fn may_change(self) -> bool {
        matches!(
            self,
            Self::Draft | Self::Preparing | Self::AwaitingApproval | Self::Scheduled | Self::Failed
        )
    }

    /// A change of what is posted sends it through preparation again; drafts and failed ones wait
    /// for a person to send them on.
    #[must_use]
    pub const fn is_on_its_way(self) -> bool {
        matches!(self, Self::Preparing | Self::AwaitingApproval | Self::Scheduled)
    }

    /// A call may be out: it goes on to its end whatever a person wishes.
    #[must_use]
    pub const fn is_leaving(self) -> bool {
        matches!(self, Self::Publishing | Self::Unconfirmed)
    }
}

impl FromStr for TargetState {
    type Err = UnknownName;
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == name)
            .ok_or_else(|| UnknownName::new("target state", name))
    }
}

/// Where a whole job is: computed from its targets, never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobState {
    Draft,
    Active,
    Done,
    Cancelled,
}

impl JobState {
    /// Computes it from the states that the targets have. A job sent back for changes as a whole is
    /// `Active`: somebody has to act.
    #[must_use]
    pub fn of(submitted: bool, cancelled: bool, mut targets: impl Iterator<Item = TargetState>) -> Self {
        let all_ended = targets.all(TargetState::is_end);
        match (all_ended, cancelled, submitted) {
            (true, true, _) => Self::Cancelled,
            (true, false, _) => Self::Done,
            (false, false, false) => Self::Draft,
            (false, _, _) => Self::Active,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_reads_back() {
        for state in TargetState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!("draft".parse::<TargetState>().is_err());
    }

    #[test]
    fn what_may_be_live_can_neither_be_changed_nor_is_it_at_its_end() {
        for state in [TargetState::Publishing, TargetState::Unconfirmed, TargetState::NeedsAttention] {
            assert!(!state.may_change() && !state.is_end() && !state.is_on_its_way(), "{state:?}");
        }
        for state in [TargetState::Published, TargetState::Cancelled] {
            assert!(!state.may_change() && state.is_end(), "{state:?}");
        }
    }

    #[test]
    fn a_job_is_what_its_targets_are() {
        use TargetState::{Cancelled, Draft, Failed, Published, Publishing};
        let cases: [(bool, bool, &[TargetState], JobState); 7] = [
            (false, false, &[Draft, Draft], JobState::Draft),
            (true, false, &[Draft, Published], JobState::Active),
            (true, false, &[Publishing], JobState::Active),
            (true, false, &[Published, Failed, Cancelled], JobState::Done),
            (true, true, &[Cancelled, Publishing], JobState::Active),
            (true, true, &[Cancelled, Published], JobState::Cancelled),
            (false, true, &[Cancelled], JobState::Cancelled),
        ];
        for (submitted, cancelled, targets, state) in cases {
            assert_eq!(JobState::of(submitted, cancelled, targets.iter().copied()), state, "{targets:?}");
        }
    }
}
