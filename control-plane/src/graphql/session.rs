//! Signing in and out.

use std::time::Duration;

use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use backplane::store::access::{self, CredentialRow, NewSession, SESSION_DAYS};
use backplane::store::{Scope, Tx};
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;
use uuid::Uuid;

use super::failure::{Answer, Failure};
use super::scope::{Cx, cx};
use super::user_error::{Path, Stop, UserError, change, payloads};
use super::viewer::Viewer;
use crate::auth::token::{self, TokenKind};
use crate::auth::{Actor, Asker, PasswordError};

/// Longest address of mail (RFC 5321, with room).
const EMAIL_MAX: usize = 320;
/// When to come again if too many passwords are checked at once.
const BUSY: Duration = Duration::from_secs(5);

/// How the client keeps its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum SessionKind {
    /// For phones and scripts: `token` goes into `Authorization: Bearer …`.
    Token,
    /// HttpOnly, for browsers; no token is answered.
    Cookie,
}

impl SessionKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "TOKEN",
            Self::Cookie => "COOKIE",
        }
    }
}

/// Who signs in.
#[derive(Clone, InputObject)]
pub struct SignInInput {
    /// The address, in any case.
    email: String,
    /// The password.
    password: String,
    /// How the client keeps its session.
    #[graphql(default_with = "SessionKind::Token")]
    session: SessionKind,
}

/// `expiresAt` moves on while the session is used.
#[derive(SimpleObject, Default)]
pub struct SignInPayload {
    /// All that they may see.
    pub viewer: Option<Viewer>,
    /// The session's secret, shown once; null for a cookie.
    pub token: Option<String>,
    /// When the session ends unless it is used.
    pub expires_at: Option<DateTime<Utc>>,
    /// Why nobody was signed in.
    pub user_errors: Vec<UserError>,
}

/// Which sessions end.
#[derive(Clone, InputObject)]
pub struct SignOutInput {
    /// true: every session of this user, on every device.
    #[graphql(default = false)]
    everywhere: bool,
}

/// Nobody is signed in any more.
#[derive(SimpleObject, Default)]
pub struct SignOutPayload {
    /// Why it did not work.
    pub user_errors: Vec<UserError>,
}

payloads!(SignInPayload, SignOutPayload);

/// Signing in and out.
#[derive(Default)]
pub struct SessionMutation;

#[Object]
impl SessionMutation {
    /// A wrong address and a wrong password are the same INVALID.
    async fn sign_in(&self, ctx: &Context<'_>, input: SignInInput) -> Answer<SignInPayload> {
        change(input, |input| sign_in(cx(ctx), input)).await
    }

    /// Ends this session, or all of this user.
    async fn sign_out(&self, ctx: &Context<'_>, input: SignOutInput) -> Answer<SignOutPayload> {
        change(input, |input| sign_out(cx(ctx), input)).await
    }
}

async fn sign_in(cx: &Cx, input: SignInInput) -> Result<SignInPayload, Stop> {
    let email = input.email.trim().to_lowercase();
    let wrong = || UserError::invalid("the address or the password is wrong: try again", &Path::input());
    count_try(cx, &email)?;
    if email.len() > EMAIL_MAX {
        return Err(wrong().into());
    }
    let mut tx = cx.system.store.begin(&Scope::SignIn).await?;
    let found = access::user_by_email(&mut tx, &email).await?;
    // No connection is held while argon2 works.
    drop(tx);
    let stored = found.as_ref().map(|user| user.password_hash.clone());
    if !check_password(cx, input.password.into(), stored).await? {
        return Err(wrong().into());
    }
    let user = found.ok_or_else(wrong)?;
    let mut tx = cx.system.store.begin(&Scope::SignIn).await?;
    let payload = begin_session(cx, &mut tx, &user, input.session).await?;
    tx.commit().await?;
    Ok(payload)
}

/// Takes one of the tries that `who` (an address of mail, or an invitation) has.
///
/// # Errors
/// `RATE_LIMITED` with the time to wait.
pub(super) fn count_try(cx: &Cx, who: &str) -> Answer<()> {
    let now = Instant::now();
    let attempts = &cx.system.attempts;
    // A digest: the address may be of any length.
    let who = hex::encode(token::hash(&SecretString::from(who)));
    let taken = attempts.take(&format!("who {who}"), now);
    taken.map_err(|retry_after| Failure::RateLimited { retry_after })
}

/// Checks a password in its turn.
///
/// # Errors
/// `RATE_LIMITED` when too many are checked at once.
pub(super) async fn check_password(cx: &Cx, password: SecretString, stored: Option<String>) -> Answer<bool> {
    match cx.system.passwords.check(password, stored).await {
        Err(PasswordError::Busy) => Err(Failure::RateLimited { retry_after: BUSY }),

        checked => Ok(checked?),
    }
}

/// Hashes a password in its turn.
///
/// # Errors
/// `RATE_LIMITED` when too many are hashed at once.
pub(super) async fn hash_password(cx: &Cx, password: SecretString) -> Answer<String> {
    match cx.system.passwords.hash(password).await {
        Err(PasswordError::Busy) => Err(Failure::RateLimited { retry_after: BUSY }),
        hashed => Ok(hashed?),
    }
}

/// Makes a session for `user` and answers with it. From now on they ask.
///
/// # Errors
/// When a statement fails.
pub(super) async fn begin_session(
    cx: &Cx,
    tx: &mut Tx,
    user: &CredentialRow,
    kind: SessionKind,
) -> Result<SignInPayload, Stop> {
    let secret = token::fresh(TokenKind::Session);
    let session = NewSession {
        id: Uuid::now_v7(),
        user_id: user.id,
        token_hash: token::hash(&secret),
        kind: kind.as_str(),
    };
    let expires_at = access::insert_session(tx, &session).await?;
    let grants = access::grants_of_user(tx, user.id).await?;
    let actor = Actor::User { user: user.id, session: session.id };
    cx.set_asker(Some(Asker::new(actor, user.name.clone(), grants)));
    let token = match kind {
        SessionKind::Token => Some(secret.expose_secret().to_owned()),
        SessionKind::Cookie => {
            let age_s = i64::from(SESSION_DAYS) * 24 * 60 * 60;
            cx.set_cookie(cookie(cx, secret.expose_secret(), age_s));
            None
        }
    };
    Ok(SignInPayload { viewer: Some(Viewer), token, expires_at: Some(expires_at), user_errors: vec![] })
}

async fn sign_out(cx: &Cx, input: SignOutInput) -> Result<SignOutPayload, Stop> {
    if let Actor::User { user, session } = cx.asker()?.actor {
        let mut tx = cx.system.store.begin(&Scope::SignIn).await?;
        access::end_sessions(&mut tx, user, (!input.everywhere).then_some(session)).await?;
        tx.commit().await?;
    }
    cx.set_asker(None);
    if cx.envelope.by_cookie {
        cx.set_cookie(cookie(cx, "", 0));
    }
    Ok(SignOutPayload::default())
}

/// The header that keeps a session in a browser. Over https its name binds it to this very host.
fn cookie(cx: &Cx, value: &str, age_s: i64) -> String {
    let name = cx.system.config.cookie_name();
    let secure = if cx.system.config.is_https() { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age_s}{secure}")
}
