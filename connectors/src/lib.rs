//! One trait, one file per network: OAuth, ingest and publishing.
