//! The scalars that the specification has not, under the names of the public API.

use async_graphql::{InputValueError, InputValueResult, Number, Scalar, ScalarType, Value};
use chrono::{NaiveDate, NaiveTime};

/// An absolute address. Addresses of files are short-lived and secrets of who asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url(pub url::Url);

/// An absolute address. Addresses of files are short-lived and secrets of who asked.
#[Scalar(name = "URL")]
impl ScalarType for Url {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => match text.parse() {
                Ok(url) => Ok(Self(url)),
                Err(_) => Err(InputValueError::custom("not an absolute address, e.g. https://example.com/a")),
            },
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A whole number of bytes, as a JSON number up to 2^53 - 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct ByteCount(pub u64);

/// The largest whole number that every JSON reader keeps exact.
const EXACT_MAX: u64 = (1 << 53) - 1;

/// A whole number of bytes, as a JSON number up to 2^53 - 1.
#[Scalar(name = "ByteCount")]
impl ScalarType for ByteCount {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::Number(number) => match number.as_u64().filter(|bytes| *bytes <= EXACT_MAX) {
                Some(bytes) => Ok(Self(bytes)),
                None => Err(InputValueError::custom("a whole number from 0 to 2^53 - 1 is expected")),
            },
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::Number(Number::from(self.0.min(EXACT_MAX)))
    }
}

/// A day in the brand's time zone, e.g. "2026-11-20".
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct LocalDate(pub NaiveDate);

/// A day in the brand's time zone, e.g. "2026-11-20".
#[Scalar(name = "LocalDate")]
impl ScalarType for LocalDate {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => match NaiveDate::parse_from_str(&text, "%Y-%m-%d") {
                Ok(date) => Ok(Self(date)),
                Err(_) => Err(InputValueError::custom("not a day, e.g. 2026-11-20")),
            },
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.format("%Y-%m-%d").to_string())
    }
}

/// A time of day in the brand's time zone, e.g. "09:30".
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct LocalTime(pub NaiveTime);

/// A time of day in the brand's time zone, e.g. "09:30".
#[Scalar(name = "LocalTime")]
impl ScalarType for LocalTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => {
                let formats = ["%H:%M", "%H:%M:%S"];
                match formats.iter().find_map(|format| NaiveTime::parse_from_str(&text, format).ok()) {
                    Some(time) => Ok(Self(time)),
                    None => Err(InputValueError::custom("not a time of day, e.g. 09:30")),
                }
            }
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.format("%H:%M").to_string())
    }
}
