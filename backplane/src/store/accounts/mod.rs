//! Connected accounts as the control plane knows them: lists, connecting, settings, and their end.

mod change;
mod connect;
mod row;

pub use change::{begin_ingest, disconnect, hold_work, lock_account, save_settings, waiting_on_account};
pub use connect::{
    NewAccount, OauthState, account_named, find_state, known_accounts, put_state, take_state, upsert_account,
};
pub use row::{
    AccountRow, AccountWindow, IngestRow, accounts_by_id, accounts_of_brand, count_accounts,
    ingest_of_accounts,
};
