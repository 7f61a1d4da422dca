//! Files and streams: what ffmpeg-next does not offer, or offers in a way that a malicious file could abuse. What is
//! `unsafe` towards FFmpeg is here and in `frames`.
//!
//! Enums of the C side are read as plain integers here: a demuxer may leave a value in them that no
//! Rust enum has, and reading that would be undefined behaviour. Metadata is compared as bytes: the
//! safe wrapper takes it for UTF-8 unchecked.
#![expect(unsafe_code, reason = "FFmpeg is a C library; see the head of this module")]

use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr;

use ffmpeg_next::format::context::{Input, Output};
use ffmpeg_next::format::stream::Stream;
use ffmpeg_next::{Dictionary, Error, ffi};

// Declared again with integers in the place of enums, for the reason above. The names are found in
// the same libraries.
unsafe extern "C" {
    fn av_get_pix_fmt_name(format: c_int) -> *const c_char;
    fn av_color_range_name(range: c_int) -> *const c_char;
    fn av_color_space_name(space: c_int) -> *const c_char;
    fn av_color_transfer_name(transfer: c_int) -> *const c_char;
    fn av_color_primaries_name(primaries: c_int) -> *const c_char;
}

/// What a stream carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    Video,
    Audio,
    Other,
}

/// Facts that the container and `find_stream_info` know about a stream.
#[derive(Clone, Debug)]
pub struct StreamFacts {
    pub index: usize,
    pub medium: Medium,
    /// A cover picture, not a video.
    pub attached_picture: bool,
    pub default: bool,
    pub codec: String,
    /// FFmpeg's decoder of it; empty when there is none.
    pub decoder: String,
    pub profile: Option<String>,
    pub level: i32,
    pub pixel_format: String,
    pub width: u32,
    pub height: u32,
    /// Sample aspect ratio; `(1, 1)` when unknown.
    pub sar: (u32, u32),
    /// Four characters, or empty.
    pub tag: String,
    pub interlaced: bool,
    pub color_range: String,
    pub color_space: String,
    pub color_transfer: String,
    pub color_primaries: String,
    pub sample_rate: u32,
    pub channels: u32,
    pub extradata: Vec<u8>,
    /// Row by row, 16.16 and 2.30 fixed point as in the `tkhd` box.
    pub display_matrix: Option<[i32; 9]>,
    /// Frames per second by the container's own account; 0 when unknown.
    pub rate_hint: f64,
    /// Where the last sample that the index names ends in the file; 0 without an index.
    pub indexed_bytes: u64,
}

/// Opens `path` with the demuxer called `format` and no other.
pub fn open(path: &str, format: &str, options: Dictionary<'_>) -> Result<Input, Error> {
    let (path, format) = (c_string(path)?, c_string(format)?);
    let mut context = ptr::null_mut();
    // SAFETY: both strings live through the calls; the options are taken over and freed; on success
    // `context` is an open input that nothing else owns, on failure libavformat has freed it.
    unsafe {
        let demuxer = ffi::av_find_input_format(format.as_ptr());
        if demuxer.is_null() {
            return Err(Error::DemuxerNotFound);
        }
        let mut options = options.disown();
        let opened = ffi::avformat_open_input(&raw mut context, path.as_ptr(), demuxer, &raw mut options);
        ffi::av_dict_free(&raw mut options);
        if opened < 0 {
            return Err(Error::from(opened));
        }
        Ok(Input::wrap(context))
    }
}

/// Reads as many packets as it takes to know all streams, with `options` for the decoders it tries.
pub fn find_stream_info(input: &mut Input, options: &Dictionary<'_>) -> Result<(), Error> {
    let streams = input.nb_streams() as usize;
    // SAFETY: one dictionary for each of the streams that exist now, as the function wants it; each
    // is freed after, whatever it was replaced with.
    unsafe {
        let mut all: Vec<_> = (0..streams).map(|_| options.clone().disown()).collect();
        let found = ffi::avformat_find_stream_info(input.as_mut_ptr(), all.as_mut_ptr());
        for each in &mut all {
            ffi::av_dict_free(each);
        }
        if found < 0 { Err(Error::from(found)) } else { Ok(()) }
    }
}

/// Reads everything that is known of a stream.
fn decoder_name(codec: ffi::AVCodecID) -> String {
    // SAFETY: codecs and their names live as long as the library.
    unsafe {
        ffi::avcodec_find_decoder(codec).as_ref().and_then(|decoder| text(decoder.name)).unwrap_or_default()
    }
}

pub fn stream_facts(stream: &Stream<'_>) -> StreamFacts {
    // SAFETY: a `Stream` borrows its open input; stream and parameters live as long as that. Enum
    // fields are read as the integers that they are in C.
    unsafe {
        let stream = stream.as_ptr();
        let parameters = (*stream).codecpar;
        let integer = |field: *const c_int| field.read();
        let codec = integer((&raw const (*parameters).codec_id).cast());
        let medium = match integer((&raw const (*parameters).codec_type).cast()) {
            0 => Medium::Video,
            1 => Medium::Audio,
            _ => Medium::Other,
        };
        let disposition = (*stream).disposition;
        StreamFacts {
            index: usize::try_from((*stream).index).unwrap_or(usize::MAX),
            medium,
            attached_picture: disposition & ffi::AV_DISPOSITION_ATTACHED_PIC != 0,
            default: disposition & ffi::AV_DISPOSITION_DEFAULT != 0,
            codec: text(ffi::avcodec_get_name((*parameters).codec_id)).unwrap_or_else(|| codec.to_string()),
            decoder: decoder_name((*parameters).codec_id),
            profile: text(ffi::avcodec_profile_name((*parameters).codec_id, (*parameters).profile)),
            level: (*parameters).level,
            pixel_format: match medium {
                Medium::Video => text(av_get_pix_fmt_name((*parameters).format)).unwrap_or_default(),
                Medium::Audio | Medium::Other => String::new(),
            },
            width: (*parameters).width.try_into().unwrap_or(0),
            height: (*parameters).height.try_into().unwrap_or(0),
            sar: aspect((*stream).sample_aspect_ratio, (*parameters).sample_aspect_ratio),
            tag: tag_text((*parameters).codec_tag),
            // 0 is unknown, 1 progressive, the rest are the field orders.
            interlaced: integer((&raw const (*parameters).field_order).cast()) > 1,
            color_range: name(av_color_range_name, (&raw const (*parameters).color_range).cast()),
            color_space: name(av_color_space_name, (&raw const (*parameters).color_space).cast()),
            color_transfer: name(av_color_transfer_name, (&raw const (*parameters).color_trc).cast()),
            color_primaries: name(av_color_primaries_name, (&raw const (*parameters).color_primaries).cast()),
            sample_rate: (*parameters).sample_rate.try_into().unwrap_or(0),
            channels: (*parameters).ch_layout.nb_channels.try_into().unwrap_or(0),
            extradata: bytes((*parameters).extradata, (*parameters).extradata_size),
            display_matrix: display_matrix(stream),
            rate_hint: ratio((*stream).avg_frame_rate),
            indexed_bytes: indexed_bytes(stream.cast_mut()),
        }
    }
}

/// The names of all metadata entries of the file and its streams, in lower case.
pub fn metadata_keys(input: &Input) -> Vec<String> {
    // SAFETY: the dictionaries belong to the open input that is borrowed; entries are read only.
    unsafe {
        let mut keys = dictionary_keys((*input.as_ptr()).metadata);
        for stream in input.streams() {
            keys.extend(dictionary_keys((*stream.as_ptr()).metadata));
        }
        keys
    }
}

/// Makes stream `to` of `output` a copy of `from`: parameters, aspect ratio and side data (rotation,
/// HDR), but no metadata. The tag is left to the muxer except where players know a better one.
pub fn copy_stream(from: &Stream<'_>, output: &mut Output) -> Result<usize, Error> {
    // SAFETY: both contexts are open; the new stream belongs to `output`; side data is copied into
    // memory of libavutil's allocator, which the stream takes over.
    unsafe {
        let source = from.as_ptr();
        let stream = ffi::avformat_new_stream(output.as_mut_ptr(), ptr::null());
        if stream.is_null() {
            return Err(Error::Other { errno: libc::ENOMEM });
        }
        let copied = ffi::avcodec_parameters_copy((*stream).codecpar, (*source).codecpar);
        if copied < 0 {
            return Err(Error::from(copied));
        }
        let hevc = integer_of(&raw const (*(*source).codecpar).codec_id)
            == ffi::AVCodecID::AV_CODEC_ID_HEVC as c_int;
        (*(*stream).codecpar).codec_tag = if hevc { u32::from_le_bytes(*b"hvc1") } else { 0 };
        (*stream).time_base = (*source).time_base;
        (*stream).sample_aspect_ratio = (*source).sample_aspect_ratio;
        (*stream).avg_frame_rate = (*source).avg_frame_rate;
        for item in 0..usize::try_from((*source).nb_side_data).unwrap_or(0) {
            let side = (*source).side_data.add(item);
            let data = ffi::av_memdup((*side).data.cast(), (*side).size);
            if data.is_null()
                || ffi::av_stream_add_side_data(stream, (*side).type_, data.cast(), (*side).size) < 0
            {
                ffi::av_free(data);
                return Err(Error::Other { errno: libc::ENOMEM });
            }
        }
        Ok(usize::try_from((*stream).index).unwrap_or(0))
    }
}

/// Goes to the key frame of a stream that is decoded at `time` of its clock, or the last one before it.
pub fn seek(input: &mut Input, stream: usize, time: i64) -> Result<(), Error> {
    let stream = c_int::try_from(stream).map_err(|_overflow| Error::StreamNotFound)?;
    // SAFETY: the input is open, and the function checks the index of the stream.
    let result =
        unsafe { ffi::av_seek_frame(input.as_mut_ptr(), stream, time, ffi::AVSEEK_FLAG_BACKWARD as c_int) };
    if result < 0 { Err(Error::from(result)) } else { Ok(()) }
}

/// What the system said when the file could not be read, which demuxers tell as anything. The end of it is no failure.
#[must_use]
pub fn read_failure(input: &Input) -> Option<i32> {
    // SAFETY: the input is open, and so is the file that it reads.
    let error = unsafe { (*input.as_ptr()).pb.as_ref()?.error };
    (error < 0 && error != ffi::AVERROR_EOF).then(|| -error)
}

/// Lets the muxer of `output` close its file now, and reports a failed write.
pub fn close_file(output: &mut Output) -> Result<(), Error> {
    // SAFETY: the output is open and not written to after; `avio_closep` leaves a null pointer,
    // which the destructor accepts.
    let result = unsafe { ffi::avio_closep(&raw mut (*output.as_mut_ptr()).pb) };
    if result < 0 { Err(Error::from(result)) } else { Ok(()) }
}

/// Sets the log level of libav: errors only, on standard error.
pub fn quiet() {
    // SAFETY: sets one integer, before any thread is started.
    unsafe { ffi::av_log_set_level(ffi::AV_LOG_ERROR) };
}

unsafe fn integer_of<T>(field: *const T) -> c_int {
    // SAFETY: the caller passes an enum of C, which is an `int` here.
    unsafe { field.cast::<c_int>().read() }
}

unsafe fn name(names: unsafe extern "C" fn(c_int) -> *const c_char, field: *const c_int) -> String {
    // SAFETY: the caller passes a readable field; the functions answer null for unknown numbers.
    unsafe { text(names(field.read())) }.unwrap_or_else(|| String::from("unknown"))
}

unsafe fn text(string: *const c_char) -> Option<String> {
    if string.is_null() {
        return None;
    }
    // SAFETY: libav's names are static, NUL-terminated strings.
    Some(unsafe { CStr::from_ptr(string) }.to_string_lossy().into_owned())
}

unsafe fn bytes(data: *const u8, size: c_int) -> Vec<u8> {
    match usize::try_from(size) {
        // SAFETY: libav keeps `size` readable bytes at a pointer that is not null.
        Ok(size) if !data.is_null() => unsafe { std::slice::from_raw_parts(data, size) }.to_vec(),
        _ => Vec::new(),
    }
}

unsafe fn display_matrix(stream: *const ffi::AVStream) -> Option<[i32; 9]> {
    // SAFETY: the array holds `nb_side_data` entries; the matrix is nine integers by definition.
    unsafe {
        (0..usize::try_from((*stream).nb_side_data).unwrap_or(0))
            .map(|item| (*stream).side_data.add(item))
            .find(|side| {
                integer_of(&raw const (**side).type_)
                    == ffi::AVPacketSideDataType::AV_PKT_DATA_DISPLAYMATRIX as c_int
                    && (**side).size >= 36
            })
            .map(|side| std::array::from_fn(|cell| (*side).data.cast::<i32>().add(cell).read_unaligned()))
    }
}

unsafe fn indexed_bytes(stream: *mut ffi::AVStream) -> u64 {
    // SAFETY: entries are read one by one, and no call in between changes the index.
    unsafe {
        (0..ffi::avformat_index_get_entries_count(stream))
            .map(|entry| ffi::avformat_index_get_entry(stream, entry))
            .filter(|entry| !entry.is_null())
            .map(|entry| (*entry).pos.saturating_add(i64::from((*entry).size())))
            .max()
            .and_then(|end| u64::try_from(end).ok())
            .unwrap_or(0)
    }
}

unsafe fn dictionary_keys(dictionary: *const ffi::AVDictionary) -> Vec<String> {
    let mut keys = Vec::new();
    let mut entry = ptr::null_mut();
    // SAFETY: the empty key with this flag walks all entries; each stays valid while none is changed.
    unsafe {
        loop {
            entry = ffi::av_dict_get(dictionary, c"".as_ptr(), entry, ffi::AV_DICT_IGNORE_SUFFIX);
            if entry.is_null() {
                return keys;
            }
            keys.push(CStr::from_ptr((*entry).key).to_string_lossy().to_lowercase());
        }
    }
}

fn aspect(of_stream: ffi::AVRational, of_codec: ffi::AVRational) -> (u32, u32) {
    [of_stream, of_codec]
        .into_iter()
        .filter_map(|sar| Some((u32::try_from(sar.num).ok()?, u32::try_from(sar.den).ok()?)))
        .find(|(num, den)| *num > 0 && *den > 0)
        .unwrap_or((1, 1))
}

fn ratio(rate: ffi::AVRational) -> f64 {
    if rate.den == 0 { 0.0 } else { f64::from(rate.num) / f64::from(rate.den) }
}

fn tag_text(tag: u32) -> String {
    let letters = tag.to_le_bytes();
    if letters.iter().all(|letter| letter.is_ascii_graphic() || *letter == b' ') {
        letters.iter().map(|letter| char::from(*letter)).collect::<String>().trim_end().to_owned()
    } else {
        String::new()
    }
}

fn c_string(text: &str) -> Result<CString, Error> {
    CString::new(text).map_err(|_nul| Error::InvalidData)
}
