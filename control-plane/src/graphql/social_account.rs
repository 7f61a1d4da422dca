//! A connected network account. Its tokens can be written and never read back.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use backplane::store::accounts::{self, AccountRow, AccountWindow, IngestRow};
use chrono::{DateTime, Duration, Utc};
use domain::id::Noun;
use futures_util::FutureExt as _;
use serde::Deserialize;
use uuid::Uuid;

use super::brand::{Brand, BrandKey};
use super::connection::{Connection, PageArgs};
use super::failure::{Answer, Failure};
use super::id;
use super::loaders::{LoadError, Loaders};
use super::platform::Platform;
use super::problem::Problem;
use super::scalars::Url;
use super::scope::{Cx, cx};

/// A token that nobody renews is said to be expiring this long before it does.
const EXPIRING_FOR: Duration = Duration::days(7);

/// Whether an account can be posted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum AccountState {
    /// Works.
    Connected,
    /// Works, and will not when a post that is scheduled is due.
    Expiring,
    /// Its targets wait, and go on once it is connected again.
    NeedsReconnect,
    /// Given back.
    Disconnected,
}

/// A choice that a network lets, or makes, a person take once.
#[derive(Clone, Debug, SimpleObject)]
pub struct AccountSetting {
    /// For updateAccount.
    key: String,
    /// For people.
    label: String,
    /// Targets wait until it is chosen.
    required: bool,
    /// What is chosen.
    value: Option<String>,
    /// Null: free text.
    choices: Option<Vec<String>>,
}

/// What there is to choose, as it is stored.
#[derive(Clone, Debug, Deserialize)]
pub struct SettingSpec {
    pub key: String,
    pub label: String,
    pub required: bool,
    pub choices: Option<Vec<String>>,
}

/// How pulling posts goes.
#[derive(Clone, Debug, Default, SimpleObject)]
pub struct IngestStatus {
    /// A run goes on, or is about to.
    running: bool,
    /// New posts found by the run that goes on, else by the last one.
    found: i32,
    /// When the last run ended.
    finished_at: Option<DateTime<Utc>>,
    /// When the next one starts.
    next_at: Option<DateTime<Utc>>,
    /// What went wrong in the last run.
    problem: Option<Problem>,
}

impl From<IngestRow> for IngestStatus {
    fn from(row: IngestRow) -> Self {
        Self {
            running: row.running,
            found: row.found,
            finished_at: row.finished_at,
            next_at: row.next_at,
            problem: row.problem.map(Problem::from),
        }
    }
}

/// A connected network account. Its tokens can be written and never read back.
#[derive(Clone, Debug)]
pub struct SocialAccount(pub Arc<AccountRow>);

/// A connected network account. Its tokens can be written and never read back.
#[Object]
impl SocialAccount {
    /// Global id.
    pub async fn id(&self) -> ID {
        id::of(Noun::SocialAccount, self.0.id)
    }

    /// Whose it is.
    async fn brand(&self, ctx: &Context<'_>) -> Answer<Brand> {
        cx(ctx).loaders.load_one(BrandKey(self.0.brand_id)).await?.ok_or(Failure::Unauthenticated)
    }

    /// The network.
    async fn platform(&self) -> Platform {
        self.0.platform.into()
    }

    /// What it is called there.
    async fn handle(&self) -> &str {
        &self.0.handle
    }

    /// Its picture.
    async fn avatar_url(&self) -> Option<Url> {
        self.0.avatar_url.as_deref()?.parse().ok().map(Url)
    }

    /// Its id there.
    async fn external_id(&self) -> &str {
        &self.0.external_id
    }

    /// Whether it can be posted to.
    async fn state(&self) -> AccountState {
        match self.0.state.as_str() {
            "DISCONNECTED" => AccountState::Disconnected,
            "NEEDS_RECONNECT" => AccountState::NeedsReconnect,
            _ if self.is_expiring() => AccountState::Expiring,
            _ => AccountState::Connected,
        }
    }

    /// What holds it up.
    async fn problem(&self) -> Option<Problem> {
        self.0.problem.clone().map(Problem::from)
    }

    /// true: nothing is sent to it; its targets wait.
    async fn paused(&self) -> bool {
        self.0.paused
    }

    /// What this network lets, or makes, a person choose once, e.g. TikTok's privacy level: targets
    /// wait for one that is required.
    async fn settings(&self) -> Answer<Vec<AccountSetting>> {
        let value = |key: &str| self.0.settings[key].as_str().map(str::to_owned);
        let specs = specs(&self.0)?;
        let setting = |spec: SettingSpec| AccountSetting {
            value: value(&spec.key),
            key: spec.key,
            label: spec.label,
            required: spec.required,
            choices: spec.choices,
        };
        Ok(specs.into_iter().map(setting).collect())
    }

    /// When its access ends unless it is renewed, which Reelmill does where it can.
    async fn token_expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.token_expires_at
    }

    /// When the network last accepted the token.
    async fn checked_at(&self) -> Option<DateTime<Utc>> {
        self.0.checked_at
    }

    /// When somebody last connected it.
    async fn connected_at(&self) -> DateTime<Utc> {
        self.0.connected_at
    }

    /// Null where Reelmill does not ingest.
    async fn ingest(&self, ctx: &Context<'_>) -> Answer<Option<IngestStatus>> {
        let cx = cx(ctx);
        let ingests = cx.system.connectors.get(self.0.platform).is_some_and(connectors::Connector::ingests);
        if !ingests {
            return Ok(None);
        }
        Ok(Some(cx.loaders.load_one(IngestOf(self.0.id)).await?.unwrap_or_default()))
    }
}

impl SocialAccount {
    fn is_expiring(&self) -> bool {
        let soon = |at: DateTime<Utc>| at < Utc::now() + EXPIRING_FOR;
        !self.0.refreshable && self.0.token_expires_at.is_some_and(soon)
    }
}

/// What there is to choose for an account.
///
/// # Errors
/// When the stored form is of another release.
pub fn specs(row: &AccountRow) -> Answer<Vec<SettingSpec>> {
    Ok(serde_json::from_value(row.setting_specs.clone())?)
}

/// A brand's accounts by handle.
///
/// # Errors
/// `BAD_REQUEST` for wrong arguments of the page.
pub async fn of_brand(
    cx: &Arc<Cx>,
    brand: Uuid,
    platform: Option<Platform>,
    args: &PageArgs,
) -> Answer<Connection<SocialAccount>> {
    let page = args.page::<(String, Uuid)>()?;
    let platform = platform.map(domain::platform::Platform::from);
    let window = AccountWindow {
        platform,
        after: page.after.clone(),
        before: page.before.clone(),
        limit: page.limit(),
        backward: page.backward,
    };
    let keys = accounts::accounts_of_brand(&mut cx.read().await?, brand, &window).await?;
    let mut found = cx.loaders.load_many(keys.iter().map(|(_, id)| AccountKey(*id))).await?;
    let rows =
        keys.into_iter().filter_map(|key| found.remove(&AccountKey(key.1)).map(|account| (key, account)));
    let counting = Arc::clone(cx);
    let count = Box::new(move || {
        let cx = Arc::clone(&counting);
        async move { Ok(accounts::count_accounts(&mut cx.read().await?, brand, platform).await?) }.boxed()
    });
    Connection::of(&page, rows.collect(), |(key, _)| key.clone(), |(_, account)| account, count)
}

/// Loads an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AccountKey(pub Uuid);

impl Loader<AccountKey> for Loaders {
    type Value = SocialAccount;
    type Error = LoadError;

    async fn load(&self, keys: &[AccountKey]) -> Result<HashMap<AccountKey, SocialAccount>, LoadError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows = accounts::accounts_by_id(&mut self.read().await?, &ids).await.map_err(Arc::new)?;
        Ok(rows.into_iter().map(|row| (AccountKey(row.id), SocialAccount(Arc::new(row)))).collect())
    }
}

/// Loads how an account's ingest goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IngestOf(pub Uuid);

impl Loader<IngestOf> for Loaders {
    type Value = IngestStatus;
    type Error = LoadError;

    async fn load(&self, keys: &[IngestOf]) -> Result<HashMap<IngestOf, IngestStatus>, LoadError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows = accounts::ingest_of_accounts(&mut self.read().await?, &ids).await.map_err(Arc::new)?;
        Ok(rows.into_iter().map(|row| (IngestOf(row.account_id), IngestStatus::from(row))).collect())
    }
}
