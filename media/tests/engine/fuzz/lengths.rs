//! Where the lengths and counts of a file lie: boxes of MP4 and HEIF, chunks of PNG and RIFF,
//! segments of JPEG, blocks of GIF.

/// A number in a file.
#[derive(Clone, Copy)]
pub struct Length {
    at: usize,
    bytes: usize,
    little_endian: bool,
}

impl Length {
    pub fn read(self, file: &[u8]) -> u64 {
        let bytes = &file[self.at..self.at + self.bytes];
        let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        if self.little_endian { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) }
    }

    pub fn write(self, file: &mut [u8], value: u64) {
        let bytes = value.to_be_bytes();
        let kept = &bytes[8 - self.bytes..];
        let place = &mut file[self.at..self.at + self.bytes];
        place.copy_from_slice(kept);
        if self.little_endian {
            place.reverse();
        }
    }
}

/// More would be of one kind: the chunks of a long file.
const LENGTHS_MAX: usize = 4096;

/// Boxes that hold boxes, and the bytes of their own before those.
const CONTAINERS: [(&[u8; 4], usize); 18] = [
    (b"moov", 0),
    (b"trak", 0),
    (b"mdia", 0),
    (b"minf", 0),
    (b"stbl", 0),
    (b"dinf", 0),
    (b"edts", 0),
    (b"udta", 0),
    (b"moof", 0),
    (b"traf", 0),
    (b"mvex", 0),
    (b"iprp", 0),
    (b"ipco", 0),
    (b"meta", 4),
    (b"iinf", 6),
    (b"dref", 8),
    (b"stsd", 8),
    (b"avc1", 78),
];

/// Every length that can be found in `file`, by its format.
pub fn lengths(file: &[u8]) -> Vec<Length> {
    let mut found = Vec::new();
    match file {
        [0x89, b'P', b'N', b'G', ..] => chunks(file, 8, &mut found),
        [b'R', b'I', b'F', b'F', ..] => riff(file, 0, file.len(), &mut found),
        [0xff, 0xd8, ..] => segments(file, &mut found),
        [b'G', b'I', b'F', ..] => blocks(file, &mut found),
        [_, _, _, _, b'a'..=b'z', b'a'..=b'z', b'a'..=b'z', b'a'..=b'z', ..] => {
            boxes(file, 0, file.len(), &mut found);
        }
        _ => {}
    }
    found
}

fn number(file: &[u8], at: usize, little_endian: bool) -> usize {
    let length = Length { at, bytes: 4, little_endian };
    usize::try_from(length.read(file)).unwrap()
}

fn boxes(file: &[u8], start: usize, end: usize, found: &mut Vec<Length>) {
    let mut at = start;
    while at + 8 <= end && found.len() < LENGTHS_MAX {
        found.push(Length { at, bytes: 4, little_endian: false });
        let size = number(file, at, false);
        let next = if size < 8 { end } else { (at + size).min(end) };
        let kind = &file[at + 4..at + 8];
        match CONTAINERS.iter().find(|(name, _)| kind == *name) {
            Some((_, own)) if at + 8 + own <= next => boxes(file, at + 8 + own, next, found),
            // Most others begin with a version and go on with a count or a length.
            _ if at + 20 <= next => {
                found.push(Length { at: at + 12, bytes: 4, little_endian: false });
                found.push(Length { at: at + 16, bytes: 4, little_endian: false });
            }
            _ => {}
        }
        at = next;
    }
}

/// Lengths of chunks, and the width and height of the first.
fn chunks(file: &[u8], start: usize, found: &mut Vec<Length>) {
    let mut at = start;
    while at + 12 <= file.len() && found.len() < LENGTHS_MAX {
        found.push(Length { at, bytes: 4, little_endian: false });
        if &file[at + 4..at + 8] == b"IHDR" && at + 16 <= file.len() {
            found.push(Length { at: at + 8, bytes: 4, little_endian: false });
            found.push(Length { at: at + 12, bytes: 4, little_endian: false });
        }
        at = at.saturating_add(number(file, at, false)).saturating_add(12);
    }
}

fn riff(file: &[u8], start: usize, end: usize, found: &mut Vec<Length>) {
    let mut at = start;
    while at + 12 <= end && found.len() < LENGTHS_MAX {
        found.push(Length { at: at + 4, bytes: 4, little_endian: true });
        let next =
            at.saturating_add(8).saturating_add(number(file, at + 4, true).next_multiple_of(2)).min(end);
        if matches!(&file[at..at + 4], b"RIFF" | b"LIST") {
            riff(file, at + 12, next, found);
        }
        at = next;
    }
}

fn segments(file: &[u8], found: &mut Vec<Length>) {
    let mut at = 2;
    while at + 4 <= file.len() && file[at] == 0xff && file[at + 1] != 0xda {
        found.push(Length { at: at + 2, bytes: 2, little_endian: false });
        if matches!(file[at + 1], 0xc0..=0xc2) && at + 9 <= file.len() {
            found.push(Length { at: at + 5, bytes: 2, little_endian: false });
            found.push(Length { at: at + 7, bytes: 2, little_endian: false });
        }
        at += 2 + usize::from(u16::from_be_bytes([file[at + 2], file[at + 3]]));
    }
}

/// The size of the screen, and of blocks that begin with an introducer.
fn blocks(file: &[u8], found: &mut Vec<Length>) {
    for at in [6, 8] {
        if at + 2 <= file.len() {
            found.push(Length { at, bytes: 2, little_endian: true });
        }
    }
    for (at, pair) in file.windows(2).enumerate().skip(13) {
        if found.len() >= LENGTHS_MAX {
            break;
        }
        if matches!(pair, [0x21, 0xf9 | 0xff | 0xfe]) && at + 3 <= file.len() {
            found.push(Length { at: at + 2, bytes: 1, little_endian: true });
        } else if pair[0] == 0x2c && at + 9 <= file.len() {
            found.push(Length { at: at + 5, bytes: 2, little_endian: true });
            found.push(Length { at: at + 7, bytes: 2, little_endian: true });
        }
    }
}
