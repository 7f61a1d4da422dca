//! Everything that is said to FFmpeg: opening, decoding, filtering, encoding, muxing.

pub mod decoder;
pub mod graph;
pub mod input;
pub mod picture;
mod raw;

pub use raw::{StreamFacts, is_hidden, metadata_keys, quiet};
