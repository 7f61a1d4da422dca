//! Makes outputs.
use domain::engine::{Event, RunRequest};
use domain::problem::Problem;

use crate::events::Events;
use crate::reject;

/// Answers a run request.
pub fn run(_request: &RunRequest, _events: &mut Events) -> Result<Event, Problem> {
    Err(reject::not_made("not yet"))
}
