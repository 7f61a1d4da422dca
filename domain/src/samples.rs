//! Files that tests start from: one that every video profile takes, and one for every image profile.

use crate::media_info::{AudioStream, ImageFacts, MediaInfo, VideoStream};
use crate::platform::MediaKind;

/// A clip that every video profile takes as it is: 9:16, H.264, AAC, index in front.
pub(crate) fn conforming() -> MediaInfo {
    MediaInfo {
        kind: MediaKind::Video,
        container: "mp4".to_owned(),
        bytes: 9_000_000,
        width: 1080,
        height: 1920,
        duration_ms: Some(20_000),
        video: Some(VideoStream {
            codec: "h264".to_owned(),
            profile: Some("High".to_owned()),
            level: Some(40),
            pixel_format: "yuv420p".to_owned(),
            coded_width: 1080,
            coded_height: 1920,
            sar: (1, 1),
            rotation: 0,
            mirrored: false,
            interlaced: false,
            frame_rate: 30.0,
            constant_frame_rate: true,
            frames: 600,
            bit_rate: 3_400_000,
            gop_ms_max: Some(2000),
            closed_gop: true,
            color_range: "tv".to_owned(),
            color_transfer: "bt709".to_owned(),
            color_primaries: "bt709".to_owned(),
            color_space: "bt709".to_owned(),
            codec_tag: "avc1".to_owned(),
            damaged: false,
        }),
        audio: Some(AudioStream {
            codec: "aac".to_owned(),
            profile: Some("LC".to_owned()),
            sample_rate: 48_000,
            channels: 2,
            bit_rate: 128_000,
        }),
        image: None,
        edit_list: false,
        edit_list_trims: false,
        moov_first: true,
        fragmented: false,
        other_streams: 0,
        has_metadata: false,
    }
}

/// A plain JPEG that every image profile takes as it is.
pub(crate) fn photo() -> MediaInfo {
    MediaInfo {
        kind: MediaKind::Image,
        container: "jpeg".to_owned(),
        bytes: 400_000,
        width: 1080,
        height: 1350,
        duration_ms: None,
        video: None,
        audio: None,
        image: Some(ImageFacts {
            orientation: 1,
            has_alpha: false,
            animated: false,
            srgb: true,
            color_model: "rgb".to_owned(),
            bits_per_channel: 8,
            trailing_data: false,
        }),
        moov_first: false,
        ..conforming()
    }
}

/// Changes the moving picture of `info`.
pub(crate) fn with_video(mut info: MediaInfo, change: impl FnOnce(&mut VideoStream)) -> MediaInfo {
    if let Some(video) = &mut info.video {
        change(video);
    }
    info
}

/// The same, of another size.
pub(crate) fn sized(info: MediaInfo, width: u32, height: u32) -> MediaInfo {
    let info = with_video(info, |video| (video.coded_width, video.coded_height) = (width, height));
    MediaInfo { width, height, ..info }
}
