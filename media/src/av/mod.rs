//! Everything that is said to FFmpeg: opening, decoding, filtering, encoding, muxing.

pub mod decoder;
mod frames;
pub mod graph;
pub mod input;
pub mod picture;
mod raw;

pub use frames::{
    SoundShape, is_hidden, pixel_format, reference, reference_audio, rgb_picture, rgba_picture, share,
    silence,
};
pub use raw::{StreamFacts, close_file, copy_stream, metadata_keys, quiet};
