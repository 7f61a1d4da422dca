//! Names as columns hold them: enum columns of tenants' tables are in upper case.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use domain::operation::{Color, Framing, Watermark};
use domain::plan::Style;
use domain::problem::{Problem, Remedy};
use domain::profile::Overrides;

use crate::store::StoreError;

/// A problem with its times, as the `problem_…` columns of a row hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemRow {
    pub problem: Problem,
    pub since: DateTime<Utc>,
    /// When it goes on by itself, if it does.
    pub retry_at: Option<DateTime<Utc>>,
}

impl ProblemRow {
    /// A problem that begins at `since` and waits for a person.
    #[must_use]
    pub const fn new(problem: Problem, since: DateTime<Utc>) -> Self {
        Self { problem, since, retry_at: None }
    }
}

/// The `problem_…` columns of one row.
pub(in crate::store) struct ProblemColumns {
    pub code: Option<String>,
    pub message: Option<String>,
    pub remedy: Option<String>,
    pub since: Option<DateTime<Utc>>,
    pub retry_at: Option<DateTime<Utc>>,
}

impl ProblemColumns {
    pub(in crate::store) fn read(self) -> Result<Option<ProblemRow>, StoreError> {
        let (Some(code), Some(since)) = (self.code, self.since) else { return Ok(None) };
        let remedy: Remedy = parse(self.remedy.as_deref().unwrap_or(Remedy::None.as_str()))?;
        let problem = Problem { code, message: self.message.unwrap_or_default(), remedy };
        Ok(Some(ProblemRow { problem, since, retry_at: self.retry_at }))
    }
}

/// Reads a name that is stored as the domain writes it.
pub(in crate::store) fn parse<T>(name: &str) -> Result<T, StoreError>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    name.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)).into())
}

/// Reads a name that the column holds in upper case and the domain in lower case.
pub(in crate::store) fn parse_upper<T>(name: &str) -> Result<T, StoreError>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    parse(&name.to_ascii_lowercase())
}

/// Reads a JSON column.
pub(in crate::store) fn from_json<T: serde::de::DeserializeOwned>(
    value: serde_json::Value,
) -> Result<T, StoreError> {
    serde_json::from_value(value).map_err(|error| sqlx::Error::Decode(Box::new(error)).into())
}

/// What an account is allowed, as its columns hold it.
pub(in crate::store) fn overrides(max_duration_ms: Option<i64>) -> Overrides {
    Overrides { max_duration_ms: max_duration_ms.and_then(|max| max.try_into().ok()) }
}

/// The longest video as its column holds it; nothing when it is longer than can be stored.
pub(in crate::store) fn max_duration_ms(overrides: Overrides) -> Option<i64> {
    overrides.max_duration_ms.and_then(|max| max.try_into().ok())
}

pub(in crate::store) const fn framing_name(framing: Framing) -> &'static str {
    match framing {
        Framing::Whole => "WHOLE",
        Framing::Crop => "CROP",
        Framing::Pad => "PAD",
        Framing::Blur => "BLUR",
    }
}

/// The column's CHECK admits these names.
pub(in crate::store) fn framing(name: &str) -> Framing {
    match name {
        "CROP" => Framing::Crop,
        "PAD" => Framing::Pad,
        "BLUR" => Framing::Blur,
        _ => Framing::Whole,
    }
}

/// The columns of a brand's look.
pub(in crate::store) struct StyleColumns {
    pub pad_color: Option<String>,
    pub hash: Option<Vec<u8>>,
    pub corner: Option<String>,
    pub width_permille: Option<i32>,
    pub margin_permille: Option<i32>,
}

impl StyleColumns {
    /// Reads them. Their CHECKs admit nothing else than what is read here.
    pub(in crate::store) fn read(self) -> Result<Style, StoreError> {
        let watermark = match (self.hash, self.corner, self.width_permille, self.margin_permille) {
            (Some(hash), Some(corner), Some(width), Some(margin)) => Some(Watermark {
                sha256: hex::encode(hash),
                corner: from_json(serde_json::Value::String(corner.to_ascii_lowercase()))?,
                width_permille: width.try_into().unwrap_or(0),
                margin_permille: margin.try_into().unwrap_or(0),
            }),
            _ => None,
        };
        Ok(Style { pad_color: self.pad_color.as_deref().and_then(Color::parse), watermark })
    }
}
