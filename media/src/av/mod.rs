//! Everything that is said to FFmpeg: opening, decoding, filtering, encoding, muxing.

pub mod decoder;
pub mod graph;
pub mod input;
pub mod picture;
mod raw;

pub use raw::{
    StreamFacts, close_file, copy_stream, is_hidden, metadata_keys, pixel_format, quiet, reference,
    reference_audio, rgb_picture, rgba_picture, share, silence, sound_format,
};
