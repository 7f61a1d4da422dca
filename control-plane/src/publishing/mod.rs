//! Publishing as a person steers it: which pairs of a new job can be, and what a change does to a
//! target. Pure: rows go in, rows come out.

pub mod change;
pub mod create;
pub mod fit;
pub mod follow;
pub mod pair;
pub mod request;

use domain::problem::Problem;

/// Why a person's wish is not granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not in its present state, or changed since it was read.
    Conflict(&'static str),
    /// The input itself: the field under the item, and what is wrong with it.
    Invalid { field: &'static str, message: String },
}

impl Refusal {
    /// Says of `field` what `problem` says.
    #[must_use]
    pub fn of(field: &'static str, problem: Problem) -> Self {
        Self::Invalid { field, message: problem.message }
    }
}
