//! Publishing as a client sees it, over a real database: the schema is asked as HTTP would ask it.

#![recursion_limit = "256"]
#![expect(clippy::unwrap_used, reason = "tests say what they expect")]

mod formats;
mod jobs;
mod limits;
mod lists;
mod locks;
#[path = "../support/mod.rs"]
mod support;
mod targets;
mod world;
