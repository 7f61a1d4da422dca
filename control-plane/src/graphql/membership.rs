//! Places in an organisation: inviting, accepting, removing.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use backplane::store::Scope;
use backplane::store::access::CredentialRow;
use backplane::store::people::{self, MembershipRow, NewMembership};
use backplane::store::tenants::{self, NewUser};
use chrono::{DateTime, Utc};
use domain::id::Noun;
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::audit::{self, Entry, Place};
use super::brand::{Brand, BrandKey};
use super::connection::{Connection, PageArgs};
use super::failure::Answer;
use super::grant::{self, Grant};
use super::id;
use super::loaders::{LoadError, Loaders};
use super::scalars::Url;
use super::scope::{Cx, cx};
use super::session::{SessionKind, begin_session, check_password, count_try, hash_password};
use super::user::{User, UserKey};
use super::user_error::{Path, Stop, UserError, change, payloads};
use super::viewer::Viewer;
use crate::admin::{is_address, is_password};
use crate::auth::Role;
use crate::auth::token::{self, TokenKind};

/// A place in an organisation: what somebody may do, and in which brands.
#[derive(Clone, Debug)]
pub struct Membership(pub MembershipRow);

/// A place in an organisation: what somebody may do, and in which brands.
#[Object]
impl Membership {
    /// Global id.
    pub async fn id(&self) -> ID {
        id::of(Noun::Membership, self.0.id)
    }

    /// The address that was invited, in lower case.
    async fn email(&self) -> &str {
        &self.0.email
    }

    /// Null until the invitation is accepted.
    async fn user(&self, ctx: &Context<'_>) -> Answer<Option<User>> {
        match self.0.user_id {
            Some(user) => Ok(cx(ctx).loaders.load_one(UserKey(user)).await?),
            None => Ok(None),
        }
    }

    /// What they may do.
    async fn role(&self) -> Role {
        self.0.role.parse().unwrap_or(Role::Viewer)
    }

    /// Null: every brand of the organisation.
    async fn brands(&self, ctx: &Context<'_>) -> Answer<Option<Vec<Brand>>> {
        if self.0.all_brands {
            return Ok(None);
        }
        let keys = self.0.brands.iter().copied().map(BrandKey);
        Ok(Some(cx(ctx).loaders.load_many(keys).await?.into_values().collect()))
    }
}

/// Loads a place of an organisation that the asker administers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MembershipKey(pub Uuid);

impl Loader<MembershipKey> for Loaders {
    type Value = Membership;
    type Error = LoadError;

    async fn load(&self, keys: &[MembershipKey]) -> Result<HashMap<MembershipKey, Membership>, LoadError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let mut found = HashMap::new();
        // Somebody administers one organisation, seldom a few.
        for organization in self.administered() {
            let mut tx = self.organization(organization).await?;
            let rows = people::memberships_by_id(&mut tx, &ids).await.map_err(Arc::new)?;
            let seen = rows.into_iter().filter(|row| {
                row.organization_id == organization && self.sees(organization, row.all_brands, &row.brands)
            });
            found.extend(seen.map(|row| (MembershipKey(row.id), Membership(row))));
        }
        Ok(found)
    }
}

/// Places by address, as far as the asker administers the brands they are for.
///
/// # Errors
/// `BAD_REQUEST` for wrong arguments of the page.
pub async fn of_organization(
    cx: &Cx,
    organization: Uuid,
    args: &PageArgs,
) -> Answer<Option<Connection<Membership>>> {
    let page = args.page::<(String, Uuid)>()?;
    let asker = cx.asker()?;
    if !grant::administers(&asker, organization) {
        return Ok(None);
    }
    let mut tx = cx.organization(organization).await?;
    let mut rows = people::memberships_of(&mut tx, organization).await?;
    rows.retain(|row| grant::sees(&asker, organization, row.all_brands, &row.brands));
    let total = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let rows = page.cut(rows, |row| (row.email.clone(), row.id));
    let key = |row: &MembershipRow| (row.email.clone(), row.id);
    let count = Box::new(move || -> futures_util::future::BoxFuture<'static, Answer<i64>> {
        Box::pin(async move { Ok(total) })
    });
    Ok(Some(Connection::of(&page, rows, key, Membership, count)?))
}

/// Who is invited to what.
#[derive(Clone, InputObject)]
pub struct InviteMemberInput {
    /// The organisation.
    organization_id: ID,
    /// Their address.
    email: String,
    /// What they may do; not more than the asker may.
    role: Role,
    /// Null: every brand.
    brand_ids: Option<Vec<ID>>,
}

/// `inviteUrl` is good for seven days, once: hand it over.
#[derive(SimpleObject, Default)]
pub struct InviteMemberPayload {
    /// The place that waits for them.
    pub membership: Option<Membership>,
    /// Where they accept; null when they have accepted before.
    pub invite_url: Option<Url>,
    /// Why nobody was invited.
    pub user_errors: Vec<UserError>,
}

/// An accepted invitation.
#[derive(Clone, InputObject)]
pub struct AcceptInviteInput {
    /// The `token` of the invitation's address.
    token: String,
    /// What a new user is called.
    name: Option<String>,
    /// Of a new user it is set; of one who exists it is checked. 8 to 256 characters.
    password: String,
    /// How the client keeps its session.
    #[graphql(default_with = "SessionKind::Token")]
    session: SessionKind,
}

/// Somebody who is signed in now.
#[derive(SimpleObject, Default)]
pub struct AcceptInvitePayload {
    /// All that they may see.
    pub viewer: Option<Viewer>,
    /// The session's secret, shown once; null for a cookie.
    pub token: Option<String>,
    /// When the session ends unless it is used.
    pub expires_at: Option<DateTime<Utc>>,
    /// Why the invitation was not accepted.
    pub user_errors: Vec<UserError>,
}

/// A place that is taken away.
#[derive(Clone, InputObject)]
pub struct RemoveMemberInput {
    /// The place.
    membership_id: ID,
}

/// The place that is gone.
#[derive(SimpleObject, Default)]
pub struct RemoveMemberPayload {
    /// Its id.
    pub removed_membership_id: Option<ID>,
    /// Why it is not.
    pub user_errors: Vec<UserError>,
}

payloads!(InviteMemberPayload, AcceptInvitePayload, RemoveMemberPayload);

/// Who belongs to an organisation.
#[derive(Default)]
pub struct MembershipMutation;

#[Object]
impl MembershipMutation {
    /// Inviting the same address again replaces what it was invited to.
    async fn invite_member(
        &self,
        ctx: &Context<'_>,
        input: InviteMemberInput,
    ) -> Answer<InviteMemberPayload> {
        change(input, |input| invite(cx(ctx), input)).await
    }

    /// Takes the place that an invitation offers, and signs in.
    async fn accept_invite(
        &self,
        ctx: &Context<'_>,
        input: AcceptInviteInput,
    ) -> Answer<AcceptInvitePayload> {
        change(input, |input| accept(cx(ctx), input)).await
    }

    /// Takes a place away, an invited one too; the last owner stays.
    async fn remove_member(
        &self,
        ctx: &Context<'_>,
        input: RemoveMemberInput,
    ) -> Answer<RemoveMemberPayload> {
        change(input, |input| remove(cx(ctx), input)).await
    }
}

async fn invite(cx: &Cx, input: InviteMemberInput) -> Result<InviteMemberPayload, Stop> {
    let path = Path::input();
    let grant = Grant::read(cx, &input.organization_id, input.role, input.brand_ids.as_deref())?;
    let email = input.email.trim().to_lowercase();
    if !is_address(&email) {
        let message = "the address of mail has to be like name@example.com";
        return Err(UserError::invalid(message, &path.field("email")).into());
    }
    let mut tx = cx.organization(grant.organization).await?;
    let before = people::membership_of_email(&mut tx, grant.organization, &email).await?;
    if let Some(before) = &before {
        let role: Role = before.role.parse().unwrap_or(Role::Owner);
        if !grant::may_change(&grant.asker, grant.organization, role, before.all_brands, &before.brands) {
            return Err(UserError::forbidden(&path.field("email")).into());
        }
        let keeps = grant.role == Role::Owner || role != Role::Owner;
        if !keeps && !people::has_other_owner(&mut tx, grant.organization, before.id).await? {
            let message = "this is the last owner: make somebody else an owner first";
            return Err(UserError::conflict(message, &path.field("role")).into());
        }
    }
    let membership = NewMembership {
        id: Uuid::now_v7(),
        organization_id: grant.organization,
        user_id: None,
        email,
        role: grant.role.as_str(),
        brands: grant.brands.clone(),
    };
    let id = people::put_membership(&mut tx, &membership).await?;
    let accepted = before.as_ref().is_some_and(|before| before.user_id.is_some());
    let secret = token::fresh(TokenKind::Invitation);
    if !accepted {
        people::put_invitation(&mut tx, grant.organization, id, &token::hash(&secret)).await?;
    }
    let entry = Entry::new("membership.invited", Noun::Membership, id).change(
        "role",
        before.map(|before| before.role),
        Some(membership.role.to_owned()),
    );
    audit::write(&mut tx, &grant.asker, Place::Organization(grant.organization), &[entry]).await?;
    let row = people::memberships_by_id(&mut tx, &[id]).await?.pop();
    tx.commit().await?;
    cx.renew_asker().await?;
    let invite_url = (!accepted).then(|| {
        let mut url = cx.system.config.dashboard_url.clone();
        url.set_path("/invite");
        url.query_pairs_mut().append_pair("token", secret.expose_secret());
        Url(url)
    });
    Ok(InviteMemberPayload { membership: row.map(Membership), invite_url, user_errors: vec![] })
}

async fn accept(cx: &Cx, input: AcceptInviteInput) -> Result<AcceptInvitePayload, Stop> {
    let path = Path::input();
    count_try(cx, &input.token)?;
    let password = SecretString::from(input.password);
    let hash = token::hash(&input.token.into());
    let mut tx = cx.system.store.begin(&Scope::SignIn).await?;
    let found = people::invitation(&mut tx, &hash).await?;
    // No connection is held while argon2 works.
    drop(tx);
    let spent =
        || UserError::invalid("this invitation is spent or over: ask for a new one", &path.field("token"));
    let invitation = found.ok_or_else(spent)?;
    count_try(cx, &invitation.email)?;
    let (user, new) = match invitation.user {
        Some(user) => {
            if !check_password(cx, password, Some(user.password_hash.clone())).await? {
                let message = "you have a password here already, and this is not it: try again";
                return Err(UserError::invalid(message, &path.field("password")).into());
            }
            (user, None)
        }
        None => {
            let user = new_user(cx, &invitation.email, input.name, password).await?;
            let row = CredentialRow {
                id: user.id,
                name: user.name.clone(),
                password_hash: user.password_hash.clone(),
            };
            (row, Some(user))
        }
    };
    let mut tx = cx.system.store.begin(&Scope::SignIn).await?;
    if let Some(new) = &new {
        tenants::insert_user(&mut tx, new).await?;
    }
    if !people::spend_invitation(&mut tx, &hash, user.id).await? {
        return Err(spent().into());
    }
    let session = begin_session(cx, &mut tx, &user, input.session).await?;
    let entry = Entry::new("membership.accepted", Noun::Membership, invitation.membership_id);
    let place = Place::Organization(invitation.organization_id);
    audit::write(&mut tx, &*cx.asker()?, place, &[entry]).await?;
    tx.commit().await?;
    Ok(AcceptInvitePayload {
        viewer: session.viewer,
        token: session.token,
        expires_at: session.expires_at,
        user_errors: vec![],
    })
}

async fn new_user(
    cx: &Cx,
    email: &str,
    name: Option<String>,
    password: SecretString,
) -> Result<NewUser, Stop> {
    let path = Path::input();
    let name = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    let name = name.filter(|name| name.chars().count() <= 200);
    let Some(name) = name else {
        return Err(UserError::invalid(
            "say what you are called, in 1 to 200 characters",
            &path.field("name"),
        )
        .into());
    };
    if !is_password(&password) {
        return Err(UserError::invalid("a password has 8 to 256 characters", &path.field("password")).into());
    }
    let password_hash = hash_password(cx, password).await?;
    Ok(NewUser { id: Uuid::now_v7(), email: email.to_owned(), name, password_hash })
}

async fn remove(cx: &Cx, input: RemoveMemberInput) -> Result<RemoveMemberPayload, Stop> {
    let path = Path::input().field("membershipId");
    let membership = id::parse_input(Noun::Membership, &input.membership_id, &path)?;
    let asker = cx.asker()?;
    let none = || UserError::not_found("member", &path);
    let organization = people::organization_of_membership(&mut cx.read().await?, membership).await?;
    let organization = organization.ok_or_else(none)?;
    let mut tx = cx.organization(organization).await?;
    let row = people::memberships_by_id(&mut tx, &[membership]).await?.pop().ok_or_else(none)?;
    let own = row.user_id.is_some() && row.user_id == cx.user();
    let role: Role = row.role.parse().unwrap_or(Role::Owner);
    // Everybody may leave.
    if !own && !grant::may_change(&asker, organization, role, row.all_brands, &row.brands) {
        return Err(UserError::forbidden(&path).into());
    }
    if !people::remove_membership(&mut tx, organization, membership).await? {
        return Err(
            UserError::conflict("the last owner stays: make somebody else an owner first", &path).into()
        );
    }
    let entry = Entry::new("membership.removed", Noun::Membership, membership)
        .change("email", Some(row.email), None)
        .change("role", Some(row.role), None);
    audit::write(&mut tx, &asker, Place::Organization(organization), &[entry]).await?;
    tx.commit().await?;
    cx.renew_asker().await?;
    let removed = Some(id::of(Noun::Membership, membership));
    Ok(RemoveMemberPayload { removed_membership_id: removed, user_errors: vec![] })
}
