//! What every way of connecting an account ends with: its row, its sealed tokens, and the jobs that
//! were waiting for it.

use backplane::job_kind::{JobKind, Lane};
use backplane::store::accounts::{self, NewAccount};
use backplane::store::jobs::{self, NewJob};
use backplane::store::secrets::{self, SecretName, place};
use backplane::store::{Tx, clock, rerun};
use connectors::{Connected, Connector, ConnectorError, Credentials, ErrorKind, Session};
use domain::id::Noun;
use domain::platform::Platform;
use domain::problem::{Problem, Remedy};
use domain::profile::Overrides;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use uuid::Uuid;

use super::audit::{self, Entry, Place};
use super::scope::Cx;
use super::user_error::{Code, Path, Stop, UserError};
use crate::auth::Right;

/// The connector of a network that this server has an app of.
///
/// # Errors
/// `NOT_CONFIGURED` at `path`.
pub fn connector<'a>(cx: &'a Cx, platform: Platform, path: &Path) -> Result<&'a dyn Connector, UserError> {
    let found = cx.system.connectors.get(platform).filter(|_| cx.system.connectors.is_configured(platform));
    found.ok_or_else(|| {
        let name = platform.display_name();
        UserError::new(
            Code::NotConfigured,
            format!("this server has no app of {name}: ask its operator"),
            path,
        )
    })
}

/// Turns what a network answered into what a person can do.
pub fn refused(error: &ConnectorError, path: &Path) -> Stop {
    let name = error.platform.display_name();
    let message = match &error.kind {
        ErrorKind::Permanent(problem) | ErrorKind::Reauthorize(problem) => problem.message.clone(),
        ErrorKind::Throttled(_) => format!("{name} wants fewer calls for now: try again in some minutes"),
        _ => format!("{name} could not be reached: try again"),
    };
    tracing::info!(%error, "a network did not connect an account");
    UserError::new(Code::PlatformRefused, message, path).into()
}

/// Asks the network what there is to choose for an account and what it allows, with the credentials
/// that just came. What it cannot say now is learnt at the next refresh.
async fn learn(connector: &dyn Connector, connected: &Connected) -> (Value, Overrides) {
    let session = Session {
        account_id: Uuid::nil(),
        profile: connected.profile.clone(),
        credentials: connected.credentials.clone(),
        settings: std::collections::BTreeMap::new(),
    };
    let (specs, overrides) = match connector.check(&session).await {
        Ok(checked) => (checked.settings, checked.overrides),
        Err(error) => {
            tracing::warn!(%error, "settings of a new account could not be asked for");
            (connector.settings(), Overrides::default())
        }
    };
    let spec = |spec: connectors::SettingSpec| json!({"key": spec.key, "label": spec.label, "required": spec.required, "choices": spec.choices});
    (Value::Array(specs.into_iter().map(spec).collect()), overrides)
}

/// Connects an account in one transaction, and wakes what waited for it. The transaction is run again by itself
/// when it met another one: what the network gave may be good for one time.
///
/// # Errors
/// `NOT_FOUND` or `FORBIDDEN` at `path`.
pub async fn store(
    cx: &Cx,
    brand: Uuid,
    connector: &dyn Connector,
    connected: &Connected,
    path: &Path,
) -> Result<Uuid, Stop> {
    let learnt = learn(connector, connected).await;
    let id = rerun(|| write(cx, brand, connector, connected, &learnt, path)).await?;
    cx.system.announce(brand, Noun::SocialAccount, id);
    Ok(id)
}

async fn write(
    cx: &Cx,
    brand: Uuid,
    connector: &dyn Connector,
    connected: &Connected,
    (setting_specs, overrides): &(Value, Overrides),
    path: &Path,
) -> Result<Uuid, Stop> {
    let mut tx = cx.write(brand, Right::Administer, path).await?;
    let (platform, external_id) = (connector.platform(), &connected.profile.external_id);
    if let Some(known) = accounts::account_named(&mut tx, brand, platform, external_id).await? {
        accounts::hold_work(&mut tx, brand, known).await?;
    }
    let now = clock::now(&mut tx).await?;
    let refresh_at = connector.refresh_at(&connected.credentials, now);
    let account = NewAccount {
        id: Uuid::now_v7(),
        platform,
        external_id,
        handle: &connected.profile.handle,
        avatar_url: connected.profile.avatar_url.as_ref().map(url::Url::as_str),
        setting_specs,
        overrides: *overrides,
        token_expires_at: connected.credentials.expires_at,
        refreshable: refresh_at.is_some(),
    };
    let id = accounts::upsert_account(&mut tx, brand, &account).await?;
    seal(cx, &mut tx, brand, id, platform, &connected.credentials).await?;
    settle_settings(&mut tx, brand, id).await?;
    let mut jobs = Vec::new();
    if connector.ingests() {
        accounts::begin_ingest(&mut tx, brand, id, None).await?;
        jobs.push(NewJob::now(JobKind::Ingest, Lane::Now, id));
    }
    jobs.extend(refresh_at.map(|at| NewJob::now(JobKind::Refresh, Lane::Now, id).at(at)));
    jobs::reschedule(&mut tx, brand, &jobs).await?;
    jobs::withdraw(&mut tx, JobKind::Revoke, &[id]).await?;
    wake(&mut tx, brand, id).await?;
    let entry = Entry::new("social_account.connected", Noun::SocialAccount, id).change(
        "handle",
        None,
        Some(connected.profile.handle.clone()),
    );
    audit::write(&mut tx, &*cx.asker()?, Place::Brand(brand), &[entry]).await?;
    tx.commit().await?;
    Ok(id)
}

async fn seal(
    cx: &Cx,
    tx: &mut Tx,
    brand: Uuid,
    account: Uuid,
    platform: Platform,
    credentials: &Credentials,
) -> Result<(), Stop> {
    let key = secrets::data_key(tx, &cx.system.vault, brand).await?;
    let access = place(brand, account, platform.as_str(), SecretName::Access);
    secrets::put_secret(tx, &access, &key.seal(&access, &credentials.access)?, credentials.expires_at)
        .await?;
    if let Some(refresh) = &credentials.refresh {
        let at = place(brand, account, platform.as_str(), SecretName::Refresh);
        secrets::put_secret(tx, &at, &key.seal(&at, refresh)?, credentials.refresh_expires_at).await?;
    }
    Ok(())
}

/// Says on the account which required choice is still to be taken.
///
/// # Errors
/// When a statement fails.
pub async fn settle_settings(tx: &mut Tx, brand: Uuid, account: Uuid) -> Result<(), Stop> {
    if let Some(row) = accounts::lock_account(tx, brand, account).await? {
        let missing = missing_setting(&super::social_account::specs(&row)?, &row.settings);
        accounts::save_settings(tx, account, row.paused, &row.settings, missing.as_ref()).await?;
    }
    Ok(())
}

/// The required choice that nobody took yet.
#[must_use]
pub fn missing_setting(specs: &[super::social_account::SettingSpec], chosen: &Value) -> Option<Problem> {
    let spec =
        specs.iter().find(|spec| spec.required && chosen[&spec.key].as_str().is_none_or(str::is_empty))?;
    Some(Problem::new(
        "account.setting_required",
        format!("Choose “{}” in the account's settings: its posts wait for it.", spec.label),
        Remedy::Reconnect,
    ))
}

/// Lets everything that waited for an account go on.
///
/// # Errors
/// When a statement fails.
pub async fn wake(tx: &mut Tx, brand: Uuid, account: Uuid) -> Result<(), Stop> {
    let (targets, assets) = accounts::waiting_on_account(tx, brand, account).await?;
    jobs::wake(tx, JobKind::Publish, &targets).await?;
    jobs::wake(tx, JobKind::Fetch, &assets).await?;
    Ok(())
}

/// Credentials that wait for a choice, sealed for nobody but this brand's choice.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Pending {
    pub external_id: String,
    pub handle: String,
    pub avatar_url: Option<url::Url>,
    access: String,
    refresh: Option<String>,
    expires_at: Option<chrono::DateTime<chrono::Utc>>,
    refresh_expires_at: Option<chrono::DateTime<chrono::Utc>>,
}

impl Pending {
    /// Seals what OAuth gave, for the time until somebody chooses.
    ///
    /// # Errors
    /// When the brand's key cannot be had.
    pub async fn seal(
        cx: &Cx,
        tx: &mut Tx,
        brand: Uuid,
        platform: Platform,
        connected: &Connected,
    ) -> Result<Self, Stop> {
        let key = secrets::data_key(tx, &cx.system.vault, brand).await?;
        let seal = |name: SecretName, secret: &SecretString| -> Result<String, Stop> {
            Ok(hex::encode(key.seal(&pending_place(brand, platform, name), secret)?.as_bytes()))
        };
        let credentials = &connected.credentials;
        Ok(Self {
            external_id: connected.profile.external_id.clone(),
            handle: connected.profile.handle.clone(),
            avatar_url: connected.profile.avatar_url.clone(),
            access: seal(SecretName::Access, &credentials.access)?,
            refresh: credentials
                .refresh
                .as_ref()
                .map(|refresh| seal(SecretName::Refresh, refresh))
                .transpose()?,
            expires_at: credentials.expires_at,
            refresh_expires_at: credentials.refresh_expires_at,
        })
    }

    /// Opens it for the choice.
    ///
    /// # Errors
    /// When it was sealed for another brand, or altered.
    pub async fn open(
        self,
        cx: &Cx,
        tx: &mut Tx,
        brand: Uuid,
        platform: Platform,
    ) -> Result<Connected, Stop> {
        let key = secrets::data_key(tx, &cx.system.vault, brand).await?;
        let open = |name: SecretName, sealed: &str| -> Result<SecretString, Stop> {
            let sealed = backplane::vault::Sealed::from_bytes(hex::decode(sealed)?);
            let opened = key.open(&pending_place(brand, platform, name), &sealed)?;
            Ok(opened.expose_secret().into())
        };
        Ok(Connected {
            credentials: Credentials {
                access: open(SecretName::Access, &self.access)?,
                refresh: self
                    .refresh
                    .as_deref()
                    .map(|sealed| open(SecretName::Refresh, sealed))
                    .transpose()?,
                expires_at: self.expires_at,
                refresh_expires_at: self.refresh_expires_at,
            },
            profile: connectors::AccountProfile {
                external_id: self.external_id,
                handle: self.handle,
                avatar_url: self.avatar_url,
            },
        })
    }
}

fn pending_place(brand: Uuid, platform: Platform, name: SecretName) -> backplane::vault::Place<'static> {
    backplane::vault::Place {
        table: "oauth_states",
        column: name.as_str(),
        brand,
        account: Uuid::nil(),
        platform: platform.as_str(),
    }
}
