//! Why a file cannot be used: every reason in one list, with a stable code and the way out.

use domain::problem::{Problem, Remedy};

use crate::machine;

fn change(code: &str, message: impl Into<String>) -> Problem {
    Problem::new(code, message, Remedy::ChangeMedia)
}

pub fn empty() -> Problem {
    change("media.empty", "The file is empty. Upload it again.")
}

pub fn unreadable() -> Problem {
    change(
        "media.unreadable",
        "The file cannot be read as a video or a photo. It may be damaged; export it again and upload the new file.",
    )
}

pub fn damaged() -> Problem {
    change(
        "media.damaged",
        "The video is damaged: most of its pictures cannot be decoded. Export it again and upload the new file.",
    )
}

pub fn truncated() -> Problem {
    change("media.truncated", "The file is cut off: its end is missing. Upload the whole file.")
}

pub fn not_media() -> Problem {
    change(
        "media.unsupported_format",
        "This is not a video or photo that we read. Upload an MP4 or MOV video, or a JPEG, PNG, \
         WebP or HEIC photo.",
    )
}

/// `name` is what people call the format, e.g. `FLV`.
pub fn not_yet(name: &str, instead: &str) -> Problem {
    change("media.unsupported_format", format!("{name} is not supported yet. Upload {instead}."))
}

pub fn no_video() -> Problem {
    change("media.no_video", "The file has sound but no picture. Upload a video with a picture.")
}

pub fn unsupported_codec(name: &str) -> Problem {
    change(
        "media.unsupported_format",
        format!(
            "It is encoded as {name}, which we do not read. Export it as H.264 with AAC and upload it again."
        ),
    )
}

pub fn too_many_pixels(width: u64, height: u64, pixels_max: u64) -> Problem {
    let megapixels = pixels_max / 1_000_000;
    change(
        "media.too_large",
        format!(
            "The picture is {width} × {height} pixels; up to {megapixels} megapixels can be used. Make it smaller."
        ),
    )
}

/// A picture inside the file, maybe another than the one that is shown, is larger than any we decode.
pub fn too_long_a_side(side_max: u32) -> Problem {
    change(
        "media.too_large",
        format!("A picture in the file is wider or higher than {side_max} pixels. Make it smaller."),
    )
}

pub fn too_many_items(items_max: u32) -> Problem {
    change(
        "media.too_large",
        format!("The photo is made of more than {items_max} parts. Export it again as a JPEG."),
    )
}

pub fn unsupported_photo() -> Problem {
    change(
        "media.unsupported_format",
        "The photo is encoded in a way that we do not read. Export it as a JPEG and upload it again.",
    )
}

pub fn too_many_bytes(bytes_max: u64) -> Problem {
    let megabytes = bytes_max / 1_000_000;
    change("media.too_large", format!("The file is larger than {megabytes} MB. Export a smaller one."))
}

pub fn too_long(limit_ms: u64) -> Problem {
    let minutes = limit_ms / 60_000;
    change("media.too_long", format!("The video is longer than {minutes} minutes. Cut it and upload a part."))
}

pub fn too_many_frames(frames_max: u64) -> Problem {
    change(
        "media.too_long",
        format!("The video has more than {frames_max} frames. Cut it and upload a part."),
    )
}

pub fn too_many_streams(streams_max: u32) -> Problem {
    change(
        "media.unsupported_format",
        format!(
            "The file holds more than {streams_max} streams. Export it with one video and one sound track."
        ),
    )
}

/// The engine could not make an output; trying again gives the same.
pub fn not_made(what: &str) -> Problem {
    change(
        "media.transcode_failed",
        format!("The file could not be converted: {what}. Export it again and upload it."),
    )
}

/// A file could not be written, and the machine is not to blame.
pub fn not_written(errno: Option<i32>, what: &str) -> Problem {
    machine::check(errno);
    not_made(what)
}

/// A copy of the streams would show hidden frames, so that it has to be encoded instead.
pub fn needs_encode() -> Problem {
    change(
        "media.needs_encode",
        "The video was trimmed without being re-encoded, so its streams cannot be copied.",
    )
}
