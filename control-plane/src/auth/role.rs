//! What a role may do.

use std::str::FromStr;

use async_graphql::Enum;
use domain::platform::UnknownName;

/// What somebody may do in an organisation or in some of its brands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
pub enum Role {
    /// All, of the whole organisation, and who the other owners are.
    Owner,
    /// All of a brand: its settings, accounts, members, keys and audit log.
    Admin,
    /// Assets, captions and jobs; not their approval.
    Editor,
    /// Reads, and reviews targets.
    Approver,
    /// Reads.
    Viewer,
}

/// What an operation needs of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    Read,
    /// Assets, captions, jobs.
    Edit,
    /// Approving targets or sending them back.
    Review,
    /// Settings, accounts, members, keys, audit log.
    Administer,
    /// Who the owners are.
    Own,
}

impl Role {
    /// Every role, the widest first.
    pub const ALL: [Self; 5] = [Self::Owner, Self::Admin, Self::Editor, Self::Approver, Self::Viewer];

    /// The name stored in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "OWNER",
            Self::Admin => "ADMIN",
            Self::Editor => "EDITOR",
            Self::Approver => "APPROVER",
            Self::Viewer => "VIEWER",
        }
    }

    /// Whether this role is enough for `right`.
    #[must_use]
    pub const fn may(self, right: Right) -> bool {
        match right {
            Right::Read => true,
            Right::Edit => matches!(self, Self::Owner | Self::Admin | Self::Editor),
            Right::Review => matches!(self, Self::Owner | Self::Admin | Self::Approver),
            Right::Administer => matches!(self, Self::Owner | Self::Admin),
            Right::Own => matches!(self, Self::Owner),
        }
    }

    /// Whether this role may do all that `other` may: nobody hands out more than they have.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        [Right::Read, Right::Edit, Right::Review, Right::Administer, Right::Own]
            .into_iter()
            .all(|right| self.may(right) || !other.may(right))
    }
}

impl FromStr for Role {
    type Err = UnknownName;
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|role| role.as_str() == name).ok_or_else(|| UnknownName::new("role", name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_exactly_this() {
        let rights = [Right::Read, Right::Edit, Right::Review, Right::Administer, Right::Own];
        for (role, expected) in [
            (Role::Owner, [true, true, true, true, true]),
            (Role::Admin, [true, true, true, true, false]),
            (Role::Editor, [true, true, false, false, false]),
            (Role::Approver, [true, false, true, false, false]),
            (Role::Viewer, [true, false, false, false, false]),
        ] {
            assert_eq!(rights.map(|right| role.may(right)), expected, "{role:?}");
        }
    }

    #[test]
    fn nobody_hands_out_more_than_they_have() {
        assert!(Role::Owner.covers(Role::Owner) && Role::Admin.covers(Role::Admin));
        assert!(!Role::Admin.covers(Role::Owner));
        assert!(!Role::Editor.covers(Role::Approver) && !Role::Approver.covers(Role::Editor));
        assert!(Role::Editor.covers(Role::Viewer));
    }
}
