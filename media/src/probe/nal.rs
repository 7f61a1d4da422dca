//! Looks into H.264 and HEVC packets for what no container tells: whether groups of pictures are closed, and whether
//! the packets are built as the standards say. Nothing is decoded.

use memchr::memmem;

/// How the units of a stream are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// Each unit is preceded by its length in so many bytes.
    Lengths(usize),
    /// Each unit is preceded by a start code.
    StartCodes,
}

/// The codecs that are looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    H264,
    Hevc,
}

/// What a packet tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// A key frame of H.264 that is not an IDR frame, or a HEVC picture that leans on the group before its own (RASL).
    pub open_group: bool,
    /// No encoder writes this.
    pub damaged: bool,
}

impl Codec {
    /// `None` for codecs whose packets are not looked into.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "h264" => Some(Self::H264),
            "hevc" => Some(Self::Hevc),
            _ => None,
        }
    }

    /// How this codec's units are framed, by the stream's configuration record.
    #[must_use]
    pub fn units(self, extradata: &[u8]) -> Units {
        let length_byte = match self {
            Self::H264 => 4,
            Self::Hevc => 21,
        };
        match (extradata.first(), extradata.get(length_byte)) {
            (Some(1), Some(byte)) => Units::Lengths(usize::from(byte & 3) + 1),
            _ => Units::StartCodes,
        }
    }

    /// Looks into a packet.
    #[must_use]
    pub fn look(self, key: bool, units: Units, data: &[u8]) -> Seen {
        let (units, whole) = split(units, data);
        let kinds = || units.iter().map(|unit| self.kind(unit));
        let open_group = match self {
            Self::H264 => key && !kinds().any(|kind| kind == 5),
            Self::Hevc => kinds().any(|kind| matches!(kind, 8 | 9)),
        };
        let first_slice = units.iter().find(|unit| self.is_slice(unit));
        let starts = first_slice.is_none_or(|unit| self.starts_picture(unit));
        let damaged = !whole || !starts || units.iter().any(|unit| self.is_damaged(unit));
        Seen { open_group, damaged }
    }

    const fn header_bytes(self) -> usize {
        match self {
            Self::H264 => 1,
            Self::Hevc => 2,
        }
    }

    /// The type of a unit; units are not empty.
    const fn kind(self, unit: &[u8]) -> u8 {
        match self {
            Self::H264 => unit[0] & 0x1f,
            Self::Hevc => (unit[0] >> 1) & 0x3f,
        }
    }

    const fn is_slice(self, unit: &[u8]) -> bool {
        match self {
            Self::H264 => matches!(self.kind(unit), 1 | 2 | 5),
            Self::Hevc => self.kind(unit) < 32,
        }
    }

    /// H.264 (7.3.3) begins a slice with the number of its first macroblock, HEVC (7.3.6.1) with a flag that it is the
    /// picture's first: of the first slice, both are a bit that is set.
    fn starts_picture(self, slice: &[u8]) -> bool {
        slice.get(self.header_bytes()).is_some_and(|byte| byte & 0x80 != 0)
    }

    fn is_damaged(self, unit: &[u8]) -> bool {
        let forbidden = unit[0] & 0x80 != 0;
        let no_layer = self == Self::Hevc && unit.get(1).is_none_or(|byte| byte & 7 == 0);
        let message = match self {
            Self::H264 => self.kind(unit) == 6,
            Self::Hevc => matches!(self.kind(unit), 39 | 40),
        };
        forbidden || no_layer || has_code(unit) || message && !messages_fit(&unit[self.header_bytes()..])
    }
}

/// A picture has a few units, or as many slices; this bounds the work on nonsense.
const UNITS_MAX: usize = 64;

/// The units of a packet, none of them empty, and whether they fill it.
fn split(units: Units, mut data: &[u8]) -> (Vec<&[u8]>, bool) {
    let mut found = Vec::new();
    while !data.is_empty() && found.len() < UNITS_MAX {
        let (unit, rest) = match units {
            Units::Lengths(size) => {
                let Some((length, rest)) = data.split_at_checked(size) else { return (found, false) };
                let length = length.iter().fold(0usize, |sum, byte| sum << 8 | usize::from(*byte));
                match rest.split_at_checked(length) {
                    Some((unit, rest)) if !unit.is_empty() => (unit, rest),
                    _ => {
                        // What is left may still tell what it was meant to be.
                        found.extend((!rest.is_empty()).then_some(rest));
                        return (found, false);
                    }
                }
            }
            Units::StartCodes => {
                let Some(start) = memmem::find(data, &[0, 0, 1]) else { break };
                let unit = &data[start + 3..];
                unit.split_at(memmem::find(unit, &[0, 0, 1]).unwrap_or(unit.len()))
            }
        };
        found.extend((!unit.is_empty()).then_some(unit));
        data = rest;
    }
    (found, true)
}

/// Two zeros and a byte of at most 2 occur in no unit (H.264 7.4.1): encoders put a 3 between. Zeros at the end are of
/// the start code that followed where the stream came from.
fn has_code(unit: &[u8]) -> bool {
    let end = unit.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let unit = &unit[..end];
    memmem::find_iter(unit, &[0, 0]).any(|at| unit.get(at + 2).is_some_and(|byte| *byte <= 2))
}

/// Whether the messages of an SEI unit (H.264 7.3.2.3.1) end where it does.
fn messages_fit(unit: &[u8]) -> bool {
    let mut payload = Vec::with_capacity(unit.len());
    for byte in unit {
        let escapes = *byte == 3 && payload.ends_with(&[0, 0]);
        if !escapes {
            payload.push(*byte);
        }
    }
    let mut rest = payload.as_slice();
    // Less than this is the end of the unit.
    while rest.len() > 2 {
        let Some((_kind, after)) = number(rest) else { return false };
        let Some((size, after)) = number(after) else { return false };
        let Some(after) = after.get(size..) else { return false };
        rest = after;
    }
    true
}

/// A number as a sum of bytes, of which 255 is followed by another.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let last = bytes.iter().position(|byte| *byte != 0xff)?;
    Some((last * 255 + usize::from(bytes[last]), &bytes[last + 1..]))
}

#[cfg(test)]
mod tests {
    use super::{Codec, Units};

    const AVC: Units = Units::Lengths(4);

    #[test]
    fn groups_are_told_open_by_their_units() {
        let idr = [0, 0, 0, 2, 0x06, 0x80, 0, 0, 0, 2, 0x65, 0x80];
        let recovery_point = [0, 0, 0, 2, 0x06, 0x80, 0, 0, 0, 2, 0x41, 0x80];
        let open = |codec: Codec, key, units, data: &[u8]| codec.look(key, units, data).open_group;
        assert!(!open(Codec::H264, true, AVC, &idr));
        assert!(open(Codec::H264, true, AVC, &recovery_point));
        assert!(!open(Codec::H264, false, AVC, &recovery_point));
        let with_start_codes = [0, 0, 0, 1, 0x67, 0x80, 0, 0, 1, 0x65, 0x80];
        assert!(!open(Codec::H264, true, Units::StartCodes, &with_start_codes));
        assert!(open(Codec::Hevc, false, Units::StartCodes, &[0, 0, 1, 9 << 1, 1]));
        assert!(!open(Codec::Hevc, false, Units::StartCodes, &[0, 0, 1, 1 << 1, 1]));
        // A length that runs past the packet is nonsense, not a panic.
        assert!(open(Codec::H264, true, AVC, &[0xff, 0xff, 0xff, 0xff, 0x41]));
    }

    #[test]
    fn what_no_encoder_writes_is_damage() {
        let damaged = |codec: Codec, units, data: &[u8]| codec.look(false, units, data).damaged;
        for (what, data) in [
            ("one slice", &[0, 0, 0, 2, 0x41, 0x9a][..]),
            ("a message and a slice", &[0, 0, 0, 5, 0x06, 5, 1, 9, 0x80, 0, 0, 0, 2, 0x41, 0x9a]),
            ("a message with escaped zeros", &[0, 0, 0, 8, 0x06, 5, 3, 0, 0, 3, 1, 0x80]),
            ("zeros at the end", &[0, 0, 0, 4, 0x41, 0x9a, 0, 0]),
            ("escaped zeros", &[0, 0, 0, 6, 0x41, 0x9a, 0, 0, 3, 1]),
            ("two fields", &[0, 0, 0, 2, 0x41, 0x9a, 0, 0, 0, 2, 0x41, 0x9a]),
        ] {
            assert!(!damaged(Codec::H264, AVC, data), "{what}");
        }
        for (what, data) in [
            ("a length past the end", &[0, 0, 0, 3, 0x41, 0x9a][..]),
            ("a length short of it", &[0, 0, 0, 1, 0x41, 0x9a]),
            ("an empty unit", &[0, 0, 0, 0, 0, 0, 0, 2, 0x41, 0x9a]),
            ("the forbidden bit", &[0, 0, 0, 2, 0xc1, 0x9a]),
            ("a slice from the middle of a picture", &[0, 0, 0, 2, 0x41, 0x1a]),
            ("a start code inside", &[0, 0, 0, 6, 0x41, 0x9a, 0, 0, 1, 9]),
            ("a message past its unit", &[0, 0, 0, 5, 0x06, 5, 9, 9, 0x80]),
        ] {
            assert!(damaged(Codec::H264, AVC, data), "{what}");
        }
        assert!(!damaged(Codec::Hevc, AVC, &[0, 0, 0, 3, 2, 1, 0x80]));
        assert!(damaged(Codec::Hevc, AVC, &[0, 0, 0, 3, 2, 0, 0x80]), "no layer");
        assert!(!damaged(Codec::H264, Units::StartCodes, &[0, 0, 0, 1, 0x41, 0x9a, 0, 0, 1, 0x41, 0x9a]));
    }
}
