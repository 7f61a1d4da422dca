//! What a file really is.

use async_graphql::SimpleObject;

use super::scalars::ByteCount;

/// What a file really is, read from its bytes.
#[derive(Clone, Debug, SimpleObject)]
pub struct MediaInfo {
    /// e.g. mp4, mov, jpeg.
    pub container: String,
    /// Its size.
    pub bytes: ByteCount,
    /// As displayed, i.e. after rotation, in pixels.
    pub width: i32,
    /// As displayed, i.e. after rotation, in pixels.
    pub height: i32,
    /// Null for a still picture.
    pub duration_ms: Option<i32>,
    /// Frames per second, averaged.
    pub frame_rate: Option<f64>,
    /// e.g. h264, hevc.
    pub video_codec: Option<String>,
    /// e.g. aac.
    pub audio_codec: Option<String>,
    /// Whether there is a sound track.
    pub has_audio: bool,
}

impl From<&domain::media_info::MediaInfo> for MediaInfo {
    fn from(info: &domain::media_info::MediaInfo) -> Self {
        let whole = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        Self {
            container: info.container.clone(),
            bytes: ByteCount(info.bytes),
            width: whole(info.width),
            height: whole(info.height),
            duration_ms: info.duration_ms.map(|ms| i32::try_from(ms).unwrap_or(i32::MAX)),
            frame_rate: info.video.as_ref().map(|video| video.frame_rate),
            video_codec: info.video.as_ref().map(|video| video.codec.clone()),
            audio_codec: info.audio.as_ref().map(|audio| audio.codec.clone()),
            has_audio: info.audio.is_some(),
        }
    }
}
