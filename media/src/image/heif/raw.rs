//! libheif, as far as one picture needs it: the other module with `unsafe`, beside that for FFmpeg.
//!
//! The bindings on crates.io that are still maintained need a newer library than Debian 12 has, and
//! these two dozen functions are the same since 1.12. Enums of the C side are plain integers here.
#![expect(unsafe_code, reason = "libheif is a C library; see the head of this module")]

use std::ffi::{c_char, c_int, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

const COLORSPACE_RGB: c_int = 1;
const CHROMA_RGB: c_int = 10;
const CHROMA_RGBA: c_int = 11;
const CHANNEL_INTERLEAVED: c_int = 10;

/// `heif_suberror_End_of_data`.
const END_OF_DATA: c_int = 100;
/// `heif_error_Unsupported_filetype` and `heif_error_Unsupported_feature`.
const UNSUPPORTED: [c_int; 2] = [3, 4];
/// `heif_error_Memory_allocation_error`, which is what a security limit is reported as.
const MEMORY: c_int = 6;

#[repr(C)]
struct CError {
    code: c_int,
    subcode: c_int,
    message: *const c_char,
}

#[repr(C)]
struct CContext {
    private: [u8; 0],
}

#[repr(C)]
struct CHandle {
    private: [u8; 0],
}

#[repr(C)]
struct CImage {
    private: [u8; 0],
}

/// The fields of version 2; the library allocates as many as it knows.
#[repr(C)]
struct COptions {
    version: u8,
    ignore_transformations: u8,
    progress: [*mut c_void; 4],
    convert_hdr_to_8bit: u8,
}

/// The fields that a file carries.
#[repr(C)]
struct CNclx {
    version: u8,
    color_primaries: c_int,
    transfer_characteristics: c_int,
    matrix_coefficients: c_int,
    full_range_flag: u8,
}

#[link(name = "heif")]
unsafe extern "C" {
    fn heif_init(parameters: *mut c_void) -> CError;
    fn heif_context_alloc() -> *mut CContext;
    fn heif_context_free(context: *mut CContext);
    fn heif_context_set_maximum_image_size_limit(context: *mut CContext, side_max: c_int);
    fn heif_context_set_max_decoding_threads(context: *mut CContext, threads: c_int);
    fn heif_context_read_from_memory_without_copy(
        context: *mut CContext,
        bytes: *const c_void,
        length: usize,
        options: *const c_void,
    ) -> CError;
    fn heif_context_get_primary_image_handle(context: *mut CContext, handle: *mut *mut CHandle) -> CError;
    fn heif_image_handle_release(handle: *const CHandle);
    fn heif_image_handle_get_width(handle: *const CHandle) -> c_int;
    fn heif_image_handle_get_height(handle: *const CHandle) -> c_int;
    fn heif_image_handle_has_alpha_channel(handle: *const CHandle) -> c_int;
    fn heif_image_handle_is_premultiplied_alpha(handle: *const CHandle) -> c_int;
    fn heif_image_handle_get_luma_bits_per_pixel(handle: *const CHandle) -> c_int;
    fn heif_image_handle_get_raw_color_profile_size(handle: *const CHandle) -> usize;
    fn heif_image_handle_get_raw_color_profile(handle: *const CHandle, profile: *mut c_void) -> CError;
    fn heif_image_handle_get_nclx_color_profile(handle: *const CHandle, nclx: *mut *mut CNclx) -> CError;
    fn heif_nclx_color_profile_free(nclx: *mut CNclx);
    fn heif_decoding_options_alloc() -> *mut COptions;
    fn heif_decoding_options_free(options: *mut COptions);
    fn heif_decode_image(
        handle: *const CHandle,
        image: *mut *mut CImage,
        colorspace: c_int,
        chroma: c_int,
        options: *const COptions,
    ) -> CError;
    fn heif_image_get_width(image: *const CImage, channel: c_int) -> c_int;
    fn heif_image_get_height(image: *const CImage, channel: c_int) -> c_int;
    fn heif_image_get_plane_readonly(image: *const CImage, channel: c_int, pitch: *mut c_int) -> *const u8;
    fn heif_image_release(image: *const CImage);
}

/// Why a picture cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The file ends too early.
    Truncated,
    /// It is coded in a way that no decoder here reads.
    Unsupported,
    /// Larger than allowed, or than memory holds.
    TooLarge,
    Damaged,
}

/// Rows without gaps, three or four bytes a pixel.
pub struct Pixels {
    pub width: u32,
    pub height: u32,
    pub bytes: Vec<u8>,
}

/// Loads the library's decoders. From here on it opens no file of its own.
pub fn load() {
    // SAFETY: null asks for the defaults. A failure shows again with the first picture.
    let _error = unsafe { heif_init(ptr::null_mut()) };
}

/// The primary picture of a file in memory.
pub struct Primary<'a> {
    context: NonNull<CContext>,
    handle: NonNull<CHandle>,
    bytes: PhantomData<&'a [u8]>,
}

impl<'a> Primary<'a> {
    /// Reads the boxes; no pixel yet. No picture in the file may have a side above `side_max`, px;
    /// tiles are decoded by `threads` threads.
    pub fn open(bytes: &'a [u8], side_max: u32, threads: usize) -> Result<Self, Failure> {
        let int = |number| c_int::try_from(number).unwrap_or(c_int::MAX);
        // SAFETY: the context is freed on every way out, once: here, or by drop. It keeps a pointer to
        // `bytes`, which outlive it by the lifetime of this type.
        unsafe {
            let context = NonNull::new(heif_context_alloc()).ok_or(Failure::TooLarge)?;
            heif_context_set_maximum_image_size_limit(
                context.as_ptr(),
                c_int::try_from(side_max).unwrap_or(c_int::MAX),
            );
            heif_context_set_max_decoding_threads(context.as_ptr(), int(threads));
            let read = check(heif_context_read_from_memory_without_copy(
                context.as_ptr(),
                bytes.as_ptr().cast(),
                bytes.len(),
                ptr::null(),
            ));
            let mut handle = ptr::null_mut();
            let found = read.and_then(|()| {
                check(heif_context_get_primary_image_handle(context.as_ptr(), &raw mut handle))
            });
            match (found, NonNull::new(handle)) {
                (Ok(()), Some(handle)) => Ok(Self { context, handle, bytes: PhantomData }),
                (found, _) => {
                    heif_context_free(context.as_ptr());
                    Err(found.err().unwrap_or(Failure::Damaged))
                }
            }
        }
    }

    /// As shown, i.e. after the turns that the file asks for, px.
    pub fn size(&self) -> (u32, u32) {
        // SAFETY: the handle lives as long as `self`, here and below.
        let (width, height) = unsafe {
            (
                heif_image_handle_get_width(self.handle.as_ptr()),
                heif_image_handle_get_height(self.handle.as_ptr()),
            )
        };
        (u32::try_from(width).unwrap_or(0), u32::try_from(height).unwrap_or(0))
    }

    pub fn has_alpha(&self) -> bool {
        // SAFETY: as in `size`.
        unsafe { heif_image_handle_has_alpha_channel(self.handle.as_ptr()) != 0 }
    }

    /// Colours were multiplied by alpha before they were encoded.
    pub fn is_premultiplied(&self) -> bool {
        // SAFETY: as in `size`.
        unsafe { heif_image_handle_is_premultiplied_alpha(self.handle.as_ptr()) != 0 }
    }

    /// `None` when the file does not say.
    pub fn bits_per_channel(&self) -> Option<u8> {
        // SAFETY: as in `size`.
        let bits = unsafe { heif_image_handle_get_luma_bits_per_pixel(self.handle.as_ptr()) };
        u8::try_from(bits).ok().filter(|bits| *bits > 0)
    }

    /// The ICC profile.
    pub fn icc(&self) -> Option<Vec<u8>> {
        // SAFETY: the buffer has the size that the library says it will fill.
        unsafe {
            let size = heif_image_handle_get_raw_color_profile_size(self.handle.as_ptr());
            let mut profile = vec![0u8; size];
            let read = check(heif_image_handle_get_raw_color_profile(
                self.handle.as_ptr(),
                profile.as_mut_ptr().cast(),
            ));
            read.is_ok().then_some(profile).filter(|profile| !profile.is_empty())
        }
    }

    /// Code points of primaries and transfer characteristics (ITU-T H.273).
    pub fn code_points(&self) -> Option<(u8, u8)> {
        let mut nclx = ptr::null_mut();
        // SAFETY: on success the library has allocated the profile, which is freed after it was read.
        let (primaries, transfer) = unsafe {
            check(heif_image_handle_get_nclx_color_profile(self.handle.as_ptr(), &raw mut nclx)).ok()?;
            let found = NonNull::new(nclx)?;
            let points = (found.as_ref().color_primaries, found.as_ref().transfer_characteristics);
            heif_nclx_color_profile_free(nclx);
            points
        };
        Some((u8::try_from(primaries).ok()?, u8::try_from(transfer).ok()?))
    }

    /// Decodes to 8 bits a channel, upright: RGBA when `alpha`, else RGB.
    pub fn decode(&self, alpha: bool) -> Result<Pixels, Failure> {
        let chroma = if alpha { CHROMA_RGBA } else { CHROMA_RGB };
        let mut image = ptr::null_mut();
        // SAFETY: options and image are freed once; the plane is read while the image lives.
        unsafe {
            let options = NonNull::new(heif_decoding_options_alloc()).ok_or(Failure::TooLarge)?;
            if options.as_ref().version >= 2 {
                (*options.as_ptr()).convert_hdr_to_8bit = 1;
            }
            let decoded = check(heif_decode_image(
                self.handle.as_ptr(),
                &raw mut image,
                COLORSPACE_RGB,
                chroma,
                options.as_ptr(),
            ));
            heif_decoding_options_free(options.as_ptr());
            decoded?;
            let image = NonNull::new(image).ok_or(Failure::Damaged)?;
            let pixels = copy(image, if alpha { 4 } else { 3 });
            heif_image_release(image.as_ptr());
            pixels.ok_or(Failure::Damaged)
        }
    }
}

/// # Safety
/// `image` is a decoded interleaved image with so many bytes a pixel.
unsafe fn copy(image: NonNull<CImage>, pixel_bytes: usize) -> Option<Pixels> {
    let mut pitch = 0;
    // SAFETY: the library owns `pitch` × `height` bytes at `plane`, and a row is at most `pitch` long,
    // which is checked.
    unsafe {
        let plane = heif_image_get_plane_readonly(image.as_ptr(), CHANNEL_INTERLEAVED, &raw mut pitch);
        let width = usize::try_from(heif_image_get_width(image.as_ptr(), CHANNEL_INTERLEAVED)).ok()?;
        let height = usize::try_from(heif_image_get_height(image.as_ptr(), CHANNEL_INTERLEAVED)).ok()?;
        let (pitch, row) = (usize::try_from(pitch).ok()?, width.checked_mul(pixel_bytes)?);
        if plane.is_null() || row > pitch {
            return None;
        }
        let mut bytes = Vec::with_capacity(row * height);
        for y in 0..height {
            bytes.extend_from_slice(std::slice::from_raw_parts(plane.add(y * pitch), row));
        }
        Some(Pixels { width: u32::try_from(width).ok()?, height: u32::try_from(height).ok()?, bytes })
    }
}

impl Drop for Primary<'_> {
    fn drop(&mut self) {
        // SAFETY: both are valid, and nobody else frees them.
        unsafe {
            heif_image_handle_release(self.handle.as_ptr());
            heif_context_free(self.context.as_ptr());
        }
    }
}

fn check(error: CError) -> Result<(), Failure> {
    // The message belongs to the library and is not needed: a person is told what to do instead.
    match (error.code, error.subcode) {
        (0, _) => Ok(()),
        (_, END_OF_DATA) => Err(Failure::Truncated),
        (code, _) if UNSUPPORTED.contains(&code) => Err(Failure::Unsupported),
        (MEMORY, _) => Err(Failure::TooLarge),
        _ => Err(Failure::Damaged),
    }
}
