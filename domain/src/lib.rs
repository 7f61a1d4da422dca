//! Pure rules of Reelmill: media plans, captions, schedules and state machines.
//!
//! Nothing here touches a clock, a network, a database or a file: what a function needs is passed
//! in, and what it decides is returned. Every table of cases lives beside the rule that it tests.

pub mod author;
pub mod caption;
pub mod conformance;
pub mod content;
pub mod engine;
pub mod id;
mod image_format;
pub mod ingest;
pub mod jail;
pub mod media_info;
pub mod names;
pub mod operation;
pub mod overlay;
pub mod plan;
pub mod platform;
pub mod preparing;
pub mod problem;
pub mod profile;
pub mod publishing;
#[cfg(test)]
mod samples;
pub mod schedule;
pub mod target;
