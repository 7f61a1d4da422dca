//! Stories told to the sandbox over HTTP, as connectors, people and checkers tell them.
#![expect(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod control;
mod faults;
mod harness;
mod instagram;
mod restart;
mod telegram;
mod tiktok;
