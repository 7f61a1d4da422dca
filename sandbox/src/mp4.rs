//! The two facts of an MP4 that ffprobe does not print: where `moov` lies, and edit lists.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Boxes looked at in one file before it counts as malformed.
const BOXES: usize = 10_000;
/// The boxes that lead to `elst`.
const CONTAINERS: [&[u8; 4]; 3] = [b"moov", b"trak", b"edts"];

/// How an MP4 or MOV file is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// `moov` comes before the first `mdat`.
    pub moov_first: bool,
    /// Some track has an `elst` box.
    pub edit_list: bool,
}

/// Walks the boxes of a file.
///
/// # Errors
/// The file cannot be read, or its boxes contradict its length.
pub fn layout(path: &Path) -> io::Result<Layout> {
    let mut file = File::open(path)?;
    let end = file.metadata()?.len();
    let mut walk = Walk { layout: Layout::default(), seen_mdat: false, left: BOXES };
    walk.boxes(&mut file, 0, end)?;
    Ok(walk.layout)
}

struct Walk {
    layout: Layout,
    seen_mdat: bool,
    left: usize,
}

impl Walk {
    /// Visits the boxes between two offsets, and those inside of containers.
    fn boxes(&mut self, file: &mut File, start: u64, end: u64) -> io::Result<()> {
        let mut at = start;
        while at + 8 <= end {
            self.left = self.left.checked_sub(1).ok_or_else(|| malformed("too many boxes"))?;
            file.seek(SeekFrom::Start(at))?;
            let mut head = [0; 8];
            file.read_exact(&mut head)?;
            let [s0, s1, s2, s3, kind @ ..] = head;
            let (size, header) = match u32::from_be_bytes([s0, s1, s2, s3]) {
                0 => (end - at, 8),
                1 => {
                    let mut long = [0; 8];
                    file.read_exact(&mut long)?;
                    (u64::from_be_bytes(long), 16)
                }
                size => (u64::from(size), 8),
            };
            if size < header || size > end - at {
                return Err(malformed("a box reaches past its end"));
            }
            match &kind {
                b"mdat" => self.seen_mdat = true,
                b"moov" => self.layout.moov_first = !self.seen_mdat,
                b"elst" => self.layout.edit_list = true,
                _ => {}
            }
            if CONTAINERS.contains(&&kind) {
                self.boxes(file, at + header, at + size)?;
            }
            at += size;
        }
        Ok(())
    }
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use super::{Layout, layout};

    fn box_of(kind: &[u8; 4], inside: &[u8]) -> Vec<u8> {
        let size = u32::try_from(8 + inside.len()).unwrap();
        [&size.to_be_bytes(), kind.as_slice(), inside].concat()
    }

    #[test]
    fn the_place_of_moov_and_edit_lists_are_seen_and_lies_are_errors() {
        let edits = box_of(b"edts", &box_of(b"elst", &[0; 8]));
        let with_edits = box_of(b"moov", &box_of(b"trak", &edits));
        let (moov, mdat) = (box_of(b"moov", &[]), box_of(b"mdat", &[7; 20]));
        let cases = [
            ([moov.clone(), mdat.clone()].concat(), Some((true, false))),
            ([mdat.clone(), moov].concat(), Some((false, false))),
            ([with_edits, mdat.clone()].concat(), Some((true, true))),
            ([mdat.as_slice(), &[0, 0, 1, 0], b"moov"].concat(), None),
        ];
        let file = tempfile::NamedTempFile::new().unwrap();
        for (bytes, expected) in cases {
            std::fs::write(file.path(), bytes).unwrap();
            let expected = expected.map(|(moov_first, edit_list)| Layout { moov_first, edit_list });
            assert_eq!(layout(file.path()).ok(), expected);
        }
    }
}
