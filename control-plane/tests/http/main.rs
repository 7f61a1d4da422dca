//! The API as a client meets it: over HTTP and graphql-transport-ws, over a real database.

#![recursion_limit = "256"]
#![expect(clippy::unwrap_used, reason = "tests say what they expect")]

mod audits;
mod brands;
mod live;
mod people;
mod protocol;
mod server;
mod sessions;
#[path = "../support/mod.rs"]
mod support;
