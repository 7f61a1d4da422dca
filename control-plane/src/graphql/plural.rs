//! Mutations with a plural name: each item in its own brand's scope and its own transaction, each
//! refusal with the item's index in its path.

use std::future::Future;

use backplane::store::rerun;

use super::failure::{Answer, Failure};
use super::user_error::{Path, Stop, UserError};

/// Most items of one call.
pub const ITEMS_MAX: usize = 250;

/// What became of the items: those that worked, in order, and why the others did not.
pub type Outcome<R> = (Vec<R>, Vec<UserError>);

/// Runs `one` for each of `items`, which came in the field `field` of the input; again when Postgres took its
/// transaction back for the sake of another one.
///
/// # Errors
/// `BAD_REQUEST` unless there are 1 to 250 items, or what is no refusal but a failure.
pub async fn each<T: Clone, R, F>(
    field: &str,
    items: Vec<T>,
    one: impl Fn(T, Path) -> F,
) -> Answer<Outcome<R>>
where
    F: Future<Output = Result<R, Stop>>,
{
    if items.is_empty() || items.len() > ITEMS_MAX {
        return Err(Failure::bad_request(format!("`{field}` takes 1 to {ITEMS_MAX} items")));
    }
    let path = Path::input().field(field);
    let mut done = Vec::with_capacity(items.len());
    let mut errors = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        let path = path.index(index);
        match rerun(|| one(item.clone(), path.clone())).await {
            Ok(result) => done.push(result),
            Err(Stop::Refused(refused)) => errors.extend(refused),
            Err(Stop::Failed(failure)) => return Err(failure),
        }
    }
    Ok((done, errors))
}
