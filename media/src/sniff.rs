//! What a file is by its first bytes: the gate before any decoder. What is not on this list is
//! never shown to FFmpeg, so that playlists and scripts (HLS, concat, DASH, SDP, SVG), which can
//! name other files and hosts, are refused unread.

use domain::problem::Problem;

use crate::reject;

/// Bytes that [`sniff`] wants to see, if the file has them.
pub const HEAD_BYTES: usize = 4096;

/// A format that we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Mp4(Mp4Brand),
    Matroska,
    Avi,
    MpegPs,
    MpegTs,
    Jpeg,
    Png,
    Webp,
    Gif,
    Heic,
    Avif,
    Bmp,
    Tiff,
}

/// Who wrote an ISO base media file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mp4Brand {
    Mp4,
    QuickTime,
    ThreeGp,
}

impl Format {
    /// The name of FFmpeg's demuxer; `None` for pictures, moving or not, which it never sees.
    #[must_use]
    pub const fn demuxer(self) -> Option<&'static str> {
        match self {
            Self::Mp4(_) => Some("mov"),
            Self::Matroska => Some("matroska"),
            Self::Avi => Some("avi"),
            Self::MpegPs => Some("mpeg"),
            Self::MpegTs => Some("mpegts"),
            Self::Jpeg
            | Self::Png
            | Self::Webp
            | Self::Gif
            | Self::Heic
            | Self::Avif
            | Self::Bmp
            | Self::Tiff => None,
        }
    }

    /// The container's name in `MediaInfo`. WebM is told from Matroska by its first bytes.
    #[must_use]
    pub fn container(self, head: &[u8]) -> &'static str {
        match self {
            Self::Mp4(Mp4Brand::Mp4) => "mp4",
            Self::Mp4(Mp4Brand::QuickTime) => "mov",
            Self::Mp4(Mp4Brand::ThreeGp) => "3gp",
            Self::Matroska if contains(head, b"webm") => "webm",
            Self::Matroska => "matroska",
            Self::Avi => "avi",
            Self::MpegPs => "mpegps",
            Self::MpegTs => "mpegts",
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Gif => "gif",
            Self::Heic => "heic",
            Self::Avif => "avif",
            Self::Bmp => "bmp",
            Self::Tiff => "tiff",
        }
    }
}

/// Tells the format by the first [`HEAD_BYTES`] bytes of a file that is not empty.
///
/// # Errors
/// `media.unsupported_format` or `media.no_video`, worded for what the file seems to be.
pub fn sniff(head: &[u8]) -> Result<Format, Problem> {
    match head {
        [0xff, 0xd8, 0xff, ..] => Ok(Format::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Ok(Format::Png),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Ok(Format::Webp),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'A', b'V', b'I', b' ', ..] => Ok(Format::Avi),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Ok(Format::Gif),
        [b'B', b'M', rest @ ..] if rest.len() >= 24 => Ok(Format::Bmp),
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Ok(Format::Tiff),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Ok(Format::Matroska),
        [0, 0, 1, 0xba, ..] => Ok(Format::MpegPs),
        [_, _, _, _, b'f', b't', b'y', b'p', a, b, c, d, ..] => iso_brand([*a, *b, *c, *d], head),
        // QuickTime files older than the `ftyp` box start with any of these.
        [_, _, _, _, kind @ ..] if QUICKTIME_BOXES.iter().any(|name| kind.starts_with(name)) => {
            Ok(Format::Mp4(Mp4Brand::QuickTime))
        }
        _ if is_transport_stream(head) => Ok(Format::MpegTs),
        _ => Err(not_ours(head)),
    }
}

const QUICKTIME_BOXES: [&[u8]; 6] = [b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"];

fn iso_brand(major: [u8; 4], head: &[u8]) -> Result<Format, Problem> {
    match &major {
        b"avif" | b"avis" => Ok(Format::Avif),
        b"mif1" | b"msf1" if contains(&head[..head.len().min(64)], b"avif") => Ok(Format::Avif),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1" => Ok(Format::Heic),
        b"qt  " => Ok(Format::Mp4(Mp4Brand::QuickTime)),
        [b'3', b'g', ..] => Ok(Format::Mp4(Mp4Brand::ThreeGp)),
        _ => Ok(Format::Mp4(Mp4Brand::Mp4)),
    }
}

/// Packets of 188 bytes (or 192 with a time stamp in front) that start with 0x47.
fn is_transport_stream(head: &[u8]) -> bool {
    [(0, 188), (4, 192)]
        .into_iter()
        .any(|(first, step)| (0..3).all(|packet| head.get(first + packet * step) == Some(&0x47)))
}

fn not_ours(head: &[u8]) -> Problem {
    match head {
        [b'F', b'L', b'V', ..] => reject::not_yet("FLV", "the video as an MP4"),
        [0x30, 0x26, 0xb2, 0x75, ..] => reject::not_yet("Windows Media", "the video as an MP4"),
        [b'O', b'g', b'g', b'S', ..] => reject::not_yet("Ogg", "the video as an MP4"),
        [b'I', b'D', b'3', ..]
        | [b'f', b'L', b'a', b'C', ..]
        | [0xff, 0xe0..=0xff, ..]
        | [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => reject::no_video(),
        _ => reject::not_media(),
    }
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::{Format, Mp4Brand, sniff};

    #[test]
    fn formats_are_told_by_content() {
        let transport = {
            let mut bytes = vec![0; 600];
            for start in [0, 188, 376] {
                bytes[start] = 0x47;
            }
            bytes
        };
        let cases: &[(&[u8], Format)] = &[
            (b"\xff\xd8\xff\xe0JFIF", Format::Jpeg),
            (b"RIFF\0\0\0\0WEBPVP8 ", Format::Webp),
            (b"RIFF\0\0\0\0AVI LIST", Format::Avi),
            (b"GIF89a", Format::Gif),
            (b"\0\0\0\x18ftypheic", Format::Heic),
            (b"\0\0\0\x18ftypmsf1\0\0\0\0msf1hevc", Format::Heic),
            (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", Format::Avif),
            (b"\0\0\0\x1cftypavis", Format::Avif),
            (b"\0\0\0\x18ftypmp42....", Format::Mp4(Mp4Brand::Mp4)),
            (b"\0\0\0\x14ftypqt  ....", Format::Mp4(Mp4Brand::QuickTime)),
            (b"\0\0\0\x14ftyp3gp4....", Format::Mp4(Mp4Brand::ThreeGp)),
            (b"\0\0\0\x08wide\0\0\0\0mdat", Format::Mp4(Mp4Brand::QuickTime)),
            (b"\x1a\x45\xdf\xa3....", Format::Matroska),
            (&transport, Format::MpegTs),
        ];
        for (head, format) in cases {
            assert_eq!(sniff(head), Ok(*format), "{head:?}");
        }
    }

    #[test]
    fn what_can_name_other_files_is_refused() {
        let heads: &[&[u8]] = &[
            b"#EXTM3U\n#EXT-X-TARGETDURATION:1\nfile:///etc/passwd",
            b"ffconcat version 1.0\nfile /etc/passwd",
            b"<?xml version=\"1.0\"?><MPD>",
            b"<svg xmlns=\"http://www.w3.org/2000/svg\">",
            b"v=0\r\no=- 0 0 IN IP4 127.0.0.1",
            b"plain text called a.mp4",
            b"%PDF-1.4",
            b"PK\x03\x04",
            b"A",
        ];
        for head in heads {
            assert_eq!(sniff(head).unwrap_err().code, "media.unsupported_format", "{head:?}");
        }
    }

    #[test]
    fn known_formats_without_support_are_named() {
        for (head, name) in
            [(&b"FLV\x01"[..], "FLV"), (b"\x30\x26\xb2\x75", "Windows Media"), (b"OggS", "Ogg")]
        {
            let problem = sniff(head).unwrap_err();
            assert!(problem.message.starts_with(&format!("{name} is not supported yet")), "{problem:?}");
        }
        assert_eq!(sniff(b"ID3\x03mp3").unwrap_err().code, "media.no_video");
    }
}
