//! One trait, one file per network: OAuth, ingest and publishing.
//!
//! A connector knows the network's API and nothing of Reelmill's database, queue or clock-driven
//! decisions: it is handed a [`Session`] and a [`Post`], and answers with outcomes. Whether to call
//! it is decided by `domain::publishing::next_step`.

mod address;
mod answer;
pub mod config;
pub mod connector;
pub mod error;
mod fence;
pub mod fetch;
mod http;
mod instagram;
mod oauth;
mod registry;
mod spool;
mod telegram;
mod tiktok;
mod wire;

pub use config::{ConnectorsConfig, InstagramConfig, TelegramConfig, TiktokConfig};

pub use connector::{
    AccountProfile, Budget, Checked, Connected, Connector, Credentials, FoundItem, FoundMedia, MediaPage,
    PageRequest, Post, PostMedia, Prepared, SendContext, Session, SettingSpec,
};
pub use error::{ConnectorError, ErrorKind};
pub use fetch::{FetchError, FetchFailure, FetchLimits, Fetched, Fetcher};
pub use registry::Connectors;
