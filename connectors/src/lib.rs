//! One trait, one file per network: OAuth, ingest and publishing.
//!
//! A connector knows the network's API and nothing of Reelmill's database, queue or clock-driven
//! decisions: it is handed a [`Session`] and a [`Post`], and answers with outcomes. Whether to call
//! it is decided by `domain::publishing::next_step`.

pub mod connector;
pub mod error;

pub use connector::{
    AccountProfile, Budget, Connected, Connector, Credentials, FoundItem, FoundMedia, MediaPage, PageRequest,
    Post, PostMedia, Prepared, SendContext, Session, SettingSpec,
};
pub use error::{ConnectorError, ErrorKind};
