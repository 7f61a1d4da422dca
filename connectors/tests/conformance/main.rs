//! Every connector against the sandbox: the same stories on every network.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod accounts;
mod files;
mod ingest;
mod publishing;
mod secrets;
mod trouble;
mod world;
