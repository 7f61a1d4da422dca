//! Global ids at the edge of the API.

use async_graphql::ID;
use domain::id::{GlobalId, Noun};
use serde::Serializer;
use uuid::Uuid;

use super::failure::{Answer, Failure};
use super::user_error::{Code, Path, UserError};

/// The global id of `uuid`.
#[must_use]
pub fn of(noun: Noun, uuid: Uuid) -> ID {
    ID(GlobalId::new(noun, uuid).to_string())
}

/// Reads an argument of a query.
///
/// # Errors
/// `BAD_ID` for an id of another noun, or none at all.
pub fn parse(noun: Noun, id: &ID) -> Answer<Uuid> {
    GlobalId::parse_as(noun, id).map_err(|error| Failure::BadId(error.to_string()))
}

/// Reads several ids of one noun.
///
/// # Errors
/// `BAD_ID` for an id of another noun, or none at all.
pub fn parse_all(noun: Noun, ids: &[ID]) -> Answer<Vec<Uuid>> {
    ids.iter().map(|id| parse(noun, id)).collect()
}

/// Reads an id in a mutation's input.
///
/// # Errors
/// `BAD_ID` at `path`.
pub fn parse_input(noun: Noun, id: &ID, path: &Path) -> Result<Uuid, UserError> {
    GlobalId::parse_as(noun, id).map_err(|error| UserError::new(Code::BadId, error.to_string(), path))
}

/// Writes an id as its text, for the hash of an input.
///
/// # Errors
/// When the serializer fails.
pub fn as_text<S: Serializer>(id: &ID, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&id.0)
}

/// Writes several.
///
/// # Errors
/// When the serializer fails.
pub fn as_texts<S: Serializer>(ids: &[ID], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ids.iter().map(|id| id.0.as_str()))
}
