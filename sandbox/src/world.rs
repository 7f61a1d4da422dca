//! All state of the networks, behind one lock that is never held across an await.

use std::collections::HashSet;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use domain::platform::Platform;
use rand::Rng;

use crate::account::{self, Account, Bot};
use crate::faults::Faults;
use crate::grant::Grants;
use crate::instagram::Container;
use crate::journal::StorageError;
use crate::ledger::{Ledger, Post};
use crate::pace::Paces;
use crate::table::Table;
use crate::telegram::SentFile;
use crate::tiktok::Share;

/// What the networks know.
pub struct World {
    pub accounts: Table<Account>,
    pub bots: Table<Bot>,
    pub grants: Grants,
    pub ledger: Ledger,
    /// Posts that an account made by itself; in no ledger.
    pub handmade: Table<Post>,
    pub containers: Table<Container>,
    pub shares: Table<Share>,
    pub files: Table<SentFile>,
    /// Telegram's deleted messages, by `chat:number`.
    pub deleted: Table<DateTime<Utc>>,
    pub faults: Faults,
    pub paces: Paces,
    /// Networks whose quotas are off.
    pub lifted: HashSet<Platform>,
    /// Instagram answers the code exchange flat, as its older documents have it.
    pub flat_tokens: bool,
    /// Instagram makes another post of a container that is published already.
    pub republish: bool,
}

impl World {
    pub fn open(data_dir: &Path, now: DateTime<Utc>) -> Result<Self, StorageError> {
        let dir = data_dir.join("state");
        std::fs::create_dir_all(&dir).map_err(StorageError::at(&dir))?;
        // Containers and shares end after a day; nobody asks for older ones.
        let since = now - TimeDelta::days(7);
        Ok(Self {
            accounts: Table::open(&dir, "accounts")?,
            bots: Table::open(&dir, "bots")?,
            grants: Grants::open(&dir, now)?,
            ledger: Ledger::open(data_dir.join("ledger.jsonl"))?,
            handmade: Table::open(&dir, "handmade")?,
            containers: Table::open_keeping(&dir, "containers", |row: &Container| row.created_at > since)?,
            shares: Table::open_keeping(&dir, "shares", |row: &Share| row.created_at > since)?,
            files: Table::open(&dir, "files")?,
            deleted: Table::open(&dir, "deleted")?,
            faults: Faults::default(),
            paces: Paces::default(),
            lifted: HashSet::new(),
            flat_tokens: false,
            republish: false,
        })
    }

    pub fn account(&self, platform: Platform, external_id: &str) -> Option<&Account> {
        self.accounts.get(&account::key(platform, external_id))
    }

    /// The account with this handle, in any case and with or without `@`.
    pub fn account_of_handle(&self, platform: Platform, handle: &str) -> Option<&Account> {
        let handle = handle.trim_start_matches('@');
        self.accounts
            .rows()
            .find(|account| account.platform == platform && account.handle.eq_ignore_ascii_case(handle))
    }

    /// Ends all tokens of an account, or its bot's token.
    pub fn revoke(&mut self, platform: Platform, external_id: &str) -> Result<(), StorageError> {
        if platform != Platform::Telegram {
            return self.grants.revoke(|token| token.platform == platform && token.account == external_id);
        }
        let channel = self.account(platform, external_id).and_then(|account| account.channel.as_ref());
        let bot = channel.map(|channel| channel.bot_id.to_string());
        let bot = bot.unwrap_or_else(|| external_id.to_owned());
        self.bots.change(&bot, |bot| bot.generation += 1)
    }
}

/// A new id as the networks make them: `prefix` and as many digits as fill `digits`.
pub fn numeric_id(prefix: &str, digits: usize) -> String {
    let mut id = prefix.to_owned();
    let mut random = rand::rng();
    while id.len() < digits {
        id.push(char::from(b'0' + random.random_range(0..10)));
    }
    id
}
