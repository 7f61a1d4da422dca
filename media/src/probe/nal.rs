//! Looks into H.264 and HEVC packets for the one fact that no container tells: whether groups of
//! pictures are closed.

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

    /// A packet that shows the stream to have open groups: a key frame of H.264 that is not an IDR
    /// frame, or a HEVC picture that leans on the group before its own (RASL).
    #[must_use]
    pub fn shows_open_group(self, key: bool, units: Units, data: &[u8]) -> bool {
        let types = unit_types(self, units, data);
        match self {
            Self::H264 => key && !types.contains(&5),
            Self::Hevc => types.iter().any(|unit| matches!(unit, 8 | 9)),
        }
    }
}

/// A picture has a few units, or as many slices; this bounds the work on nonsense.
const UNITS_MAX: usize = 64;

fn unit_types(codec: Codec, units: Units, data: &[u8]) -> Vec<u8> {
    let kind = |header: u8| match codec {
        Codec::H264 => header & 0x1f,
        Codec::Hevc => (header >> 1) & 0x3f,
    };
    let mut types = Vec::new();
    let mut at = 0;
    while types.len() < UNITS_MAX {
        match units {
            Units::Lengths(size) => {
                let Some(length) = data.get(at..at + size) else { break };
                let length = length.iter().fold(0usize, |sum, byte| sum << 8 | usize::from(*byte));
                at += size;
                let Some(header) = data.get(at) else { break };
                types.push(kind(*header));
                at = at.saturating_add(length);
            }
            Units::StartCodes => {
                let Some(found) = memchr::memmem::find(data.get(at..).unwrap_or(&[]), &[0, 0, 1]) else {
                    break;
                };
                at += found + 3;
                let Some(header) = data.get(at) else { break };
                types.push(kind(*header));
            }
        }
    }
    types
}

#[cfg(test)]
mod tests {
    use super::{Codec, Units};

    #[test]
    fn groups_are_told_open_by_their_units() {
        let avc = Units::Lengths(4);
        let idr = [0, 0, 0, 2, 0x06, 0, 0, 0, 0, 2, 0x65, 0];
        let recovery_point = [0, 0, 0, 2, 0x06, 0, 0, 0, 0, 2, 0x41, 0];
        assert!(!Codec::H264.shows_open_group(true, avc, &idr));
        assert!(Codec::H264.shows_open_group(true, avc, &recovery_point));
        assert!(!Codec::H264.shows_open_group(false, avc, &recovery_point));
        assert!(!Codec::H264.shows_open_group(
            true,
            Units::StartCodes,
            &[0, 0, 0, 1, 0x67, 0, 0, 1, 0x65, 0]
        ));
        assert!(Codec::Hevc.shows_open_group(false, Units::StartCodes, &[0, 0, 1, 9 << 1, 1]));
        assert!(!Codec::Hevc.shows_open_group(false, Units::StartCodes, &[0, 0, 1, 1 << 1, 1]));
        // A length that runs past the packet is nonsense, not a panic.
        assert!(Codec::H264.shows_open_group(true, avc, &[0xff, 0xff, 0xff, 0xff, 0x41]));
    }
}
