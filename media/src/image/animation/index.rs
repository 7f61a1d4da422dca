//! Reads what an animated file announces, without a decoder: its size, its frames and their times.
//! All limits are checked on this before a pixel is decoded.

use std::io::{self, BufRead, ErrorKind, Seek, SeekFrom};
use std::ops::ControlFlow;

use crate::sniff::Format;

/// What was met on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The next frame: how long it is shown, ms, and how many pixels it has of its own, as the file says.
    Frame { delay_ms: u64, pixels: u64 },
    /// Something may show through.
    Transparent,
    /// Text, EXIF or XMP.
    Metadata,
}

/// Where what is met goes; `Break` ends the walk.
pub trait Visitor: FnMut(Seen) -> ControlFlow<()> {}

impl<V: FnMut(Seen) -> ControlFlow<()>> Visitor for V {}

/// Walks a GIF, WebP or PNG. Returns the size of the canvas, px.
///
/// # Errors
/// `UnexpectedEof` for a file that is cut off, `InvalidData` for one that makes no sense.
pub fn walk(mut input: impl BufRead + Seek, format: Format, visit: impl Visitor) -> io::Result<(u32, u32)> {
    match format {
        Format::Gif => gif(&mut input, visit),
        Format::Webp => webp(&mut input, visit),
        _ => png(&mut input, visit),
    }
}

fn gif(input: &mut (impl BufRead + Seek), mut visit: impl Visitor) -> io::Result<(u32, u32)> {
    const TABLE: u8 = 0x80;
    let head: [u8; 13] = take(input)?;
    let size = (u16_le(&head[6..]), u16_le(&head[8..]));
    let table = |flags: u8| if flags & TABLE == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    skip(input, table(head[10]))?;
    let mut delay_ms = 0;
    loop {
        // Many files lack the trailer; browsers do not mind, and neither do we.
        let Some(kind) = next_byte(input)? else { return Ok(size) };
        let flow = match kind {
            0x21 => match take::<1>(input)? {
                [0xf9] => {
                    let control: [u8; 5] = take(input)?;
                    delay_ms = u64::from(u16_le(&control[2..])) * 10;
                    skip_blocks(input)?;
                    if control[1] & 1 == 1 { visit(Seen::Transparent) } else { ControlFlow::Continue(()) }
                }
                [0xfe] => {
                    skip_blocks(input)?;
                    visit(Seen::Metadata)
                }
                _ => {
                    skip_blocks(input)?;
                    ControlFlow::Continue(())
                }
            },
            0x2c => {
                let descriptor: [u8; 9] = take(input)?;
                // The table, and a byte that starts the pixels.
                skip(input, table(descriptor[8]) + 1)?;
                skip_blocks(input)?;
                let pixels = u64::from(u16_le(&descriptor[4..])) * u64::from(u16_le(&descriptor[6..]));
                visit(Seen::Frame { delay_ms: std::mem::take(&mut delay_ms), pixels })
            }
            0x3b => return Ok(size),
            _ => return Err(ErrorKind::InvalidData.into()),
        };
        if flow.is_break() {
            return Ok(size);
        }
    }
}

/// Sub-blocks, up to the empty one.
fn skip_blocks(input: &mut (impl BufRead + Seek)) -> io::Result<()> {
    loop {
        match take::<1>(input)? {
            [0] => return Ok(()),
            [length] => skip(input, i64::from(length))?,
        }
    }
}

fn webp(input: &mut (impl BufRead + Seek), mut visit: impl Visitor) -> io::Result<(u32, u32)> {
    let _riff: [u8; 12] = take(input)?;
    let mut size = (0, 0);
    loop {
        if input.fill_buf()?.is_empty() {
            // Skipping a chunk goes behind the end of a file that is cut off.
            let reached = input.stream_position()?;
            let cut_off = reached > input.seek(SeekFrom::End(0))? + 1;
            return if cut_off { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(size) };
        }
        let [kind @ .., a, b, c, d]: [u8; 8] = take(input)?;
        let length = i64::from(u32::from_le_bytes([a, b, c, d]));
        let (read, flow) = match &kind {
            b"VP8X" => {
                let header: [u8; 10] = take(input)?;
                size = (u24_le(&header[4..]) + 1, u24_le(&header[7..]) + 1);
                let alpha = header[0] & 0x10 != 0;
                (10, if alpha { visit(Seen::Transparent) } else { ControlFlow::Continue(()) })
            }
            b"ANMF" => {
                let header: [u8; 16] = take(input)?;
                let pixels = (u64::from(u24_le(&header[6..])) + 1) * (u64::from(u24_le(&header[9..])) + 1);
                (16, visit(Seen::Frame { delay_ms: u64::from(u24_le(&header[12..])), pixels }))
            }
            b"EXIF" | b"XMP " => (0, visit(Seen::Metadata)),
            _ => (0, ControlFlow::Continue(())),
        };
        if flow.is_break() {
            return Ok(size);
        }
        // Chunks are padded to even lengths.
        skip(input, (length + length % 2 - read).max(0))?;
    }
}

fn png(input: &mut (impl BufRead + Seek), mut visit: impl Visitor) -> io::Result<(u32, u32)> {
    let _signature: [u8; 8] = take(input)?;
    let mut size = (0, 0);
    loop {
        let [a, b, c, d, kind @ ..]: [u8; 8] = take(input)?;
        let length = i64::from(u32::from_be_bytes([a, b, c, d]));
        let (read, flow) = match &kind {
            b"IHDR" => {
                let header: [u8; 13] = take(input)?;
                size = (u32_be(&header), u32_be(&header[4..]));
                let alpha = matches!(header[9], 4 | 6);
                (13, if alpha { visit(Seen::Transparent) } else { ControlFlow::Continue(()) })
            }
            b"tRNS" => (0, visit(Seen::Transparent)),
            b"fcTL" => {
                let control: [u8; 26] = take(input)?;
                let (times, base) = (u16_be(&control[20..]), u16_be(&control[22..]));
                // No base means hundredths.
                let base = if base == 0 { 100 } else { base };
                let pixels = u64::from(u32_be(&control[4..])) * u64::from(u32_be(&control[8..]));
                (26, visit(Seen::Frame { delay_ms: u64::from(times) * 1000 / u64::from(base), pixels }))
            }
            b"tEXt" | b"zTXt" | b"iTXt" | b"eXIf" => (0, visit(Seen::Metadata)),
            b"IEND" => return Ok(size),
            _ => (0, ControlFlow::Continue(())),
        };
        if flow.is_break() {
            return Ok(size);
        }
        // Every chunk ends with four bytes of checksum.
        skip(input, (length - read).max(0) + 4)?;
    }
}

fn take<const LENGTH: usize>(input: &mut impl BufRead) -> io::Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn next_byte(input: &mut impl BufRead) -> io::Result<Option<u8>> {
    let byte = input.fill_buf()?.first().copied();
    input.consume(usize::from(byte.is_some()));
    Ok(byte)
}

/// Goes on; what lies behind the end shows with the next read.
fn skip(input: &mut (impl BufRead + Seek), bytes: i64) -> io::Result<()> {
    input.seek_relative(bytes)
}

fn u16_le(bytes: &[u8]) -> u32 {
    u32::from(u16::from_le_bytes([bytes[0], bytes[1]]))
}

fn u24_le(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0])
}

fn u16_be(bytes: &[u8]) -> u32 {
    u32::from(u16::from_be_bytes([bytes[0], bytes[1]]))
}

fn u32_be(bytes: &[u8]) -> u32 {
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}
