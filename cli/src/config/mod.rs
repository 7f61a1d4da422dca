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

use std::{fmt::Display, net::SocketAddr, ops::RangeInclusive, str::FromStr};

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

    /// A number within `range`.
    pub fn number<T>(&mut self, name: &str, value: &str, range: RangeInclusive<T>) -> Option<T>
    where
        T: FromStr + PartialOrd + Display,
    {
        let number = value.parse().ok().filter(|number| range.contains(number));
        if number.is_none() {
            self.add(name, format_args!("is not a number from {} to {}", range.start(), range.end()));
        }
        number
    }

    /// Yes or no; not yes, when it is neither.
    pub fn switch(&mut self, name: &str, value: &str) -> bool {
        if !matches!(value, "true" | "false") {
            self.add(name, "is neither true nor false");
        }
        value == "true"
    }

    /// Where to listen.
    pub fn listen(&mut self, name: &str, value: &str) -> Option<SocketAddr> {
        let address = value.parse().map_err(|_| "is not an address and a port, such as 127.0.0.1:4000");
        self.take(name, address)
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
