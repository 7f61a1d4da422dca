//! Handing out places and keys: nobody gives more than they have, and an admin of some brands sees
//! and changes only what concerns those.

use std::sync::Arc;

use async_graphql::ID;
use domain::id::Noun;
use uuid::Uuid;

use super::id;
use super::scope::Cx;
use super::user_error::{Path, Stop, UserError};
use crate::auth::{Asker, Right, Role};

/// A role in an organisation that the asker may hand out.
#[derive(Debug)]
pub struct Grant {
    pub asker: Arc<Asker>,
    pub organization: Uuid,
    pub role: Role,
    /// `None`: every brand.
    pub brands: Option<Vec<Uuid>>,
}

impl Grant {
    /// Reads and checks the input that a place and a key have in common.
    ///
    /// # Errors
    /// `BAD_ID`, `NOT_FOUND`, `FORBIDDEN`, or `INVALID` for an empty list of brands.
    pub fn read(cx: &Cx, organization: &ID, role: Role, brands: Option<&[ID]>) -> Result<Self, Stop> {
        let path = Path::input();
        let organization = id::parse_input(Noun::Organization, organization, &path.field("organizationId"))?;
        let asker = cx.asker()?;
        let Some(seat) = asker.organizations.get(&organization).copied() else {
            return Err(UserError::not_found("organisation", &path.field("organizationId")).into());
        };
        if !seat.role.may(Right::Administer) || !seat.role.covers(role) {
            return Err(UserError::forbidden(&path.field("role")).into());
        }
        let Some(ids) = brands else {
            if !seat.all_brands {
                return Err(UserError::forbidden(&path.field("brandIds")).into());
            }
            return Ok(Self { asker, organization, role, brands: None });
        };
        if ids.is_empty() {
            let message = "name at least one brand, or leave it out for every brand";
            return Err(UserError::invalid(message, &path.field("brandIds")).into());
        }
        if role == Role::Owner {
            let message = "an owner is one of the whole organisation: leave the brands out";
            return Err(UserError::invalid(message, &path.field("brandIds")).into());
        }
        let mut brands = Vec::with_capacity(ids.len());
        for (index, brand) in ids.iter().enumerate() {
            let path = path.field("brandIds").index(index);
            let brand = id::parse_input(Noun::Brand, brand, &path)?;
            let access = asker.brands.get(&brand);
            if access.is_none_or(|access| access.organization != organization) {
                return Err(UserError::not_found("brand", &path).into());
            }
            brands.push(brand);
        }
        Ok(Self { asker, organization, role, brands: Some(brands) })
    }
}

/// Whether the asker is an admin of the organisation, or of some of its brands.
#[must_use]
pub fn administers(asker: &Asker, organization: Uuid) -> bool {
    asker.organizations.get(&organization).is_some_and(|seat| seat.role.may(Right::Administer))
}

/// Whether an admin sees a place or a key that is for these brands.
#[must_use]
pub fn sees(asker: &Asker, organization: Uuid, all_brands: bool, brands: &[Uuid]) -> bool {
    let Some(seat) = asker.organizations.get(&organization) else { return false };
    let covered = seat.all_brands
        || (!all_brands && !brands.is_empty() && brands.iter().all(|brand| asker.brands.contains_key(brand)));
    seat.role.may(Right::Administer) && covered
}

/// Whether an admin may change or take away a place or a key of this role for these brands.
#[must_use]
pub fn may_change(asker: &Asker, organization: Uuid, role: Role, all_brands: bool, brands: &[Uuid]) -> bool {
    let covers = asker.organizations.get(&organization).is_some_and(|seat| seat.role.covers(role));
    covers && sees(asker, organization, all_brands, brands)
}

#[cfg(test)]
mod tests {
    use backplane::store::access::GrantRow;

    use super::*;
    use crate::auth::Actor;

    fn asker(role: &str, all_brands: bool, brands: &[u128]) -> Asker {
        let row =
            |brand_id| GrantRow { organization_id: Uuid::nil(), role: role.to_owned(), all_brands, brand_id };
        let rows = brands.iter().map(|brand| row(Some(Uuid::from_u128(*brand)))).collect();
        Asker::new(Actor::ApiKey { key: Uuid::nil() }, "k".to_owned(), rows)
    }

    #[test]
    fn an_admin_of_some_brands_sees_and_changes_what_concerns_those() {
        let whole = asker("ADMIN", true, &[1, 2, 3]);
        let some = asker("ADMIN", false, &[1, 2]);
        let editor = asker("EDITOR", true, &[1, 2, 3]);
        let ids =
            |brands: &[u128]| -> Vec<Uuid> { brands.iter().map(|brand| Uuid::from_u128(*brand)).collect() };
        for (who, role, all, brands, may) in [
            (&whole, Role::Editor, true, &[][..], true),
            (&whole, Role::Owner, true, &[], false),
            (&some, Role::Editor, false, &[1, 2], true),
            (&some, Role::Editor, false, &[1, 3], false),
            (&some, Role::Editor, true, &[], false),
            (&some, Role::Editor, false, &[], false),
            (&editor, Role::Viewer, false, &[1], false),
        ] {
            assert_eq!(
                may_change(who, Uuid::nil(), role, all, &ids(brands)),
                may,
                "{role:?} {all} {brands:?}"
            );
        }
    }
}
