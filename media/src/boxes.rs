//! Reads the boxes of an MP4 or QuickTime file: where the index lies, what edit lists say, whether
//! it is fragmented or cut off. FFmpeg resolves all this silently; networks judge it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// More boxes than any honest file has outside its sample tables.
const BOXES_MAX: u32 = 20_000;
/// `moov/trak/edts/elst` is four deep.
const DEPTH_MAX: u32 = 8;
/// An edit list of an honest file has a handful of entries.
const EDITS_MAX: u32 = 1000;

/// What the boxes say.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Boxes {
    pub has_index: bool,
    /// `moov` lies before the first `mdat` or `moof`.
    pub index_first: bool,
    pub fragmented: bool,
    /// Index or media claim bytes behind the end of the file.
    pub cut_off: bool,
    pub tracks: Vec<Track>,
}

/// One `trak`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Track {
    /// `vide`, `soun` …
    pub handler: [u8; 4],
    /// Units of `media_start` a second.
    pub timescale: u32,
    pub edits: Vec<Edit>,
}

/// One entry of an edit list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edit {
    /// In units of the movie.
    pub duration: u64,
    /// In units of the track; negative for an empty edit, which only delays.
    pub media_start: i64,
}

impl Boxes {
    /// Video or sound has an edit list.
    #[must_use]
    pub fn has_edits(&self) -> bool {
        self.tracks.iter().any(|track| matches!(&track.handler, b"vide" | b"soun") && !track.edits.is_empty())
    }
}

/// Reads the boxes of `file`. What makes no sense ends the reading: FFmpeg judges the rest.
///
/// # Errors
/// Only when the file cannot be read.
pub fn read(file: &File) -> io::Result<Boxes> {
    let bytes = file.metadata()?.len();
    let mut reader = Reader { file, boxes: Boxes::default(), seen: 0, media_seen: false };
    reader.walk(0, bytes, 0)?;
    Ok(reader.boxes)
}

struct Reader<'a> {
    file: &'a File,
    boxes: Boxes,
    seen: u32,
    media_seen: bool,
}

impl Reader<'_> {
    fn walk(&mut self, start: u64, end: u64, depth: u32) -> io::Result<()> {
        let mut at = start;
        while at + 8 <= end && self.seen < BOXES_MAX && depth < DEPTH_MAX {
            self.seen += 1;
            let Some((kind, body, next)) = self.header(at, end)? else { return Ok(()) };
            if next > end {
                self.boxes.cut_off |= depth == 0 && matches!(&kind, b"moov" | b"mdat" | b"moof");
            }
            self.visit(kind, body, next.min(end), depth)?;
            at = next;
        }
        Ok(())
    }

    /// Kind, first byte of the body, first byte after the box.
    fn header(&self, at: u64, end: u64) -> io::Result<Option<([u8; 4], u64, u64)>> {
        let size = u64::from(self.u32(at)?);
        let kind = self.u32(at + 4)?.to_be_bytes();
        let (body, size) = match size {
            0 => (at + 8, end - at),
            1 if at + 16 <= end => (at + 16, self.u64(at + 8)?),
            _ => (at + 8, size),
        };
        Ok(at.checked_add(size).filter(|next| *next >= body).map(|next| (kind, body, next)))
    }

    fn visit(&mut self, kind: [u8; 4], body: u64, end: u64, depth: u32) -> io::Result<()> {
        match &kind {
            b"moov" => {
                self.boxes.has_index = true;
                return self.walk(body, end, depth + 1);
            }
            b"mdat" | b"moof" => {
                self.boxes.index_first |= self.boxes.has_index && !self.media_seen;
                self.media_seen = true;
                self.boxes.fragmented |= &kind == b"moof";
            }
            b"mvex" => self.boxes.fragmented = true,
            b"trak" => {
                self.boxes.tracks.push(Track::default());
                return self.walk(body, end, depth + 1);
            }
            b"edts" | b"mdia" => return self.walk(body, end, depth + 1),
            b"hdlr" if body + 12 <= end => {
                let handler = self.u32(body + 8)?.to_be_bytes();
                // QuickTime nests a second handler, for the data, in `minf`, which is not walked.
                if let Some(track) = self.boxes.tracks.last_mut() {
                    track.handler = handler;
                }
            }
            b"mdhd" if body + 24 <= end => {
                let wide = self.u32(body)? >> 24 == 1;
                let timescale = self.u32(body + if wide { 20 } else { 12 })?;
                if let Some(track) = self.boxes.tracks.last_mut() {
                    track.timescale = timescale;
                }
            }
            b"elst" if body + 8 <= end => {
                let edits = self.edits(body, end)?;
                if let Some(track) = self.boxes.tracks.last_mut() {
                    track.edits = edits;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn edits(&self, body: u64, end: u64) -> io::Result<Vec<Edit>> {
        let wide = self.u32(body)? >> 24 == 1;
        let entry = if wide { 20 } else { 12 };
        let count = u64::from(self.u32(body + 4)?.min(EDITS_MAX)).min((end - body - 8) / entry);
        (0..count)
            .map(|index| {
                let at = body + 8 + index * entry;
                Ok(if wide {
                    Edit { duration: self.u64(at)?, media_start: self.u64(at + 8)?.cast_signed() }
                } else {
                    Edit {
                        duration: u64::from(self.u32(at)?),
                        media_start: i64::from(self.u32(at + 4)?.cast_signed()),
                    }
                })
            })
            .collect()
    }

    fn u32(&self, at: u64) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.file.read_exact_at(&mut bytes, at)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn u64(&self, at: u64) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.file.read_exact_at(&mut bytes, at)?;
        Ok(u64::from_be_bytes(bytes))
    }
}
