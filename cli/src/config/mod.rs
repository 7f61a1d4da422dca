//! Flags and environment, section by section. Everything is read once and checked before anything opens;
//! what is wrong is collected, so that one start names every problem.

mod api;
mod broker;
mod database;
mod engine;
mod keys;
mod log;
mod networks;
mod relay;
mod storage;

pub use api::ApiArguments;
pub use broker::BrokerArguments;
pub use database::DatabaseArguments;
pub use engine::EngineArguments;
pub use keys::KeyArguments;
pub use log::LogArguments;
pub use networks::NetworkArguments;
pub use relay::RelayArguments;
pub use storage::StorageArguments;

use std::fmt::Display;

use url::Url;

/// What is wrong with the configuration.
#[derive(Debug, Default)]
pub struct Problems(Vec<String>);

impl Problems {
    /// Notes that the setting `name` is wrong, and how.
    pub fn add(&mut self, name: &str, what: impl Display) {
        self.0.push(format!("{name}: {what}"));
    }

    /// The value of a setting that must be there.
    pub fn need<T>(&mut self, name: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.add(name, "is not set");
        }
        value
    }

    /// The value, or a note of what is wrong with it.
    pub fn take<T, E: Display>(&mut self, name: &str, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.add(name, error)).ok()
    }

    /// An http or https address.
    pub fn address(&mut self, name: &str, value: &str) -> Option<Url> {
        match Url::parse(value) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Some(url),
            _ => {
                self.add(name, "is not an address that begins with http:// or https://");
                None
            }
        }
    }

    /// Nothing, when nothing is wrong.
    ///
    /// # Errors
    /// All that is.
    pub fn check(self) -> anyhow::Result<()> {
        anyhow::ensure!(self.0.is_empty(), "the configuration is not usable:\n  {}", self.0.join("\n  "));
        Ok(())
    }
}

/// The settings of a section, once [`Problems::check`] has found nothing: a section that is missing has said why.
///
/// # Errors
/// A section is missing although nothing was wrong, which its reader must not let happen.
pub fn checked<T>(section: Option<T>) -> anyhow::Result<T> {
    section.ok_or_else(|| {
        anyhow::anyhow!("a section of the configuration is missing: this is a defect of reelmill")
    })
}
