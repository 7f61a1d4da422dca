//! Frames and packets that are shared, made and asked: what ffmpeg-next does not offer.
#![expect(unsafe_code, reason = "FFmpeg is a C library; see `raw`")]

use std::ffi::c_int;

use ffmpeg_next::codec::packet::Ref as _;
use ffmpeg_next::{Error, Packet, ffi, frame};
use image::{RgbImage, RgbaImage};

/// Another reference to the same picture; no pixel is copied.
pub fn reference(picture: &frame::Video) -> Result<frame::Video, Error> {
    let mut other = frame::Video::empty();
    // SAFETY: `other` is a fresh, empty frame, `picture` a valid one.
    let result = unsafe { ffi::av_frame_ref(other.as_mut_ptr(), picture.as_ptr()) };
    if result < 0 { Err(Error::from(result)) } else { Ok(other) }
}

/// Another reference to the same sound; no sample is copied.
pub fn reference_audio(sound: &frame::Audio) -> Result<frame::Audio, Error> {
    let mut other = frame::Audio::empty();
    // SAFETY: `other` is a fresh, empty frame, `sound` a valid one.
    let result = unsafe { ffi::av_frame_ref(other.as_mut_ptr(), sound.as_ptr()) };
    if result < 0 { Err(Error::from(result)) } else { Ok(other) }
}

/// What one stretch of sound has in common with the next, unless the source changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoundShape {
    /// FFmpeg's number of the sample format.
    pub format: c_int,
    /// FFmpeg's bit mask of the channels; 0 when it is not known which they are.
    pub mask: u64,
    pub channels: c_int,
    /// Hz.
    pub rate: c_int,
}

impl SoundShape {
    /// That of `sound`.
    pub fn of(sound: &frame::Audio) -> Self {
        // SAFETY: the frame is valid; plain integers are read.
        unsafe {
            let sound = sound.as_ptr();
            Self {
                format: (*sound).format,
                mask: (*sound).channel_layout,
                channels: (*sound).ch_layout.nb_channels,
                rate: (*sound).sample_rate,
            }
        }
    }
}

/// The integer behind a picture's pixel format.
pub fn pixel_format(picture: &frame::Video) -> c_int {
    // SAFETY: the frame is valid; a plain integer is read.
    unsafe { (*picture.as_ptr()).format }
}

/// Silent stereo sound in planar floats that starts at zero.
pub fn silence(samples: c_int, rate: c_int) -> Result<frame::Audio, Error> {
    let mut sound = frame::Audio::empty();
    // SAFETY: the fields that `av_frame_get_buffer` needs are set before it; samples are written
    // only when it succeeded, into the buffers that it made for this format.
    let result = unsafe {
        let format = ffi::AVSampleFormat::AV_SAMPLE_FMT_FLTP;
        let raw = sound.as_mut_ptr();
        (*raw).format = format as c_int;
        (*raw).nb_samples = samples;
        (*raw).sample_rate = rate;
        (*raw).pts = 0;
        ffi::av_channel_layout_default(&raw mut (*raw).ch_layout, 2);
        (*raw).channel_layout = ffi::AV_CH_LAYOUT_STEREO;
        (*raw).channels = 2;
        match ffi::av_frame_get_buffer(raw, 0) {
            0 => ffi::av_samples_set_silence((*raw).extended_data, 0, samples, 2, format),
            error => error,
        }
    };
    if result < 0 { Err(Error::from(result)) } else { Ok(sound) }
}

/// A picture of RGB, in memory of FFmpeg's own.
pub fn rgb_picture(rgb: &RgbImage) -> Result<frame::Video, Error> {
    packed(rgb, rgb.dimensions(), 3, ffi::AVPixelFormat::AV_PIX_FMT_RGB24)
}

/// A picture of RGB with alpha, in memory of FFmpeg's own.
pub fn rgba_picture(rgba: &RgbaImage) -> Result<frame::Video, Error> {
    packed(rgba, rgba.dimensions(), 4, ffi::AVPixelFormat::AV_PIX_FMT_RGBA)
}

fn packed(
    bytes: &[u8],
    (width, height): (u32, u32),
    channels: usize,
    format: ffi::AVPixelFormat,
) -> Result<frame::Video, Error> {
    let row = width as usize * channels;
    let int = |side: u32| c_int::try_from(side).map_err(|_| Error::InvalidData);
    let (width, height, mut picture) = (int(width)?, int(height)?, frame::Video::empty());
    // SAFETY: as in `silence`; pixels are written below, through the wrapper, which knows the buffer's size.
    let result = unsafe {
        let raw = picture.as_mut_ptr();
        (*raw).format = format as c_int;
        (*raw).width = width;
        (*raw).height = height;
        ffi::av_frame_get_buffer(raw, 0)
    };
    if result < 0 {
        return Err(Error::from(result));
    }
    let pitch = picture.stride(0);
    for (from, to) in bytes.chunks_exact(row).zip(picture.data_mut(0).chunks_exact_mut(pitch)) {
        to[..row].copy_from_slice(from);
    }
    Ok(picture)
}

/// The packet only feeds the decoder: an edit list hides it.
pub fn is_hidden(packet: &Packet) -> bool {
    // SAFETY: the packet is valid; a flag is read.
    unsafe { (*packet.as_ptr()).flags & ffi::AV_PKT_FLAG_DISCARD != 0 }
}

/// A packet that shares the bytes of `packet`.
pub fn share(packet: &Packet) -> Result<Packet, Error> {
    use ffmpeg_next::codec::packet::Mut as _;
    let mut other = Packet::empty();
    // SAFETY: `other` is fresh and blank, `packet` valid; the bytes are reference-counted.
    let result = unsafe { ffi::av_packet_ref(other.as_mut_ptr(), packet.as_ptr()) };
    if result < 0 { Err(Error::from(result)) } else { Ok(other) }
}
