//! Damage and lies: what is done to a good file.

use super::dice::Dice;
use super::lengths::{Length, lengths};

/// Damages `bytes`, mostly once, so that many a file is still read; `other` is one that pieces may be
/// taken from. Says how.
pub fn mutate(dice: &mut Dice, bytes: &mut Vec<u8>, other: &[u8]) -> Vec<&'static str> {
    (0..*dice.one_of(&[1, 1, 1, 2, 3])).map(|_| once(dice, bytes, other)).collect()
}

fn once(dice: &mut Dice, bytes: &mut Vec<u8>, other: &[u8]) -> &'static str {
    if bytes.is_empty() {
        return "empty";
    }
    match dice.below(10) {
        0 | 1 => {
            for _ in 0..dice.length(64) {
                let at = place(dice, bytes);
                bytes[at] ^= 1 << dice.below(8);
            }
            "bits flipped"
        }
        2 => {
            let (start, end) = piece(dice, bytes);
            let kind = dice.below(3);
            for byte in &mut bytes[start..end] {
                *byte = [0, 0xff, dice.byte()][kind];
            }
            "a run of bytes overwritten"
        }
        3 => {
            let at = place(dice, bytes);
            bytes.truncate(at);
            "cut off"
        }
        4..=6 => lie(dice, bytes),
        7 => {
            let (head, (start, end)) = (place(dice, bytes), piece(dice, other));
            bytes.truncate(head);
            bytes.extend_from_slice(&other[start..end]);
            "spliced with another file"
        }
        8 => {
            let (at, (start, end)) = (place(dice, bytes), piece(dice, other));
            bytes.splice(at..at, other[start..end].iter().copied());
            "a piece of another file put in"
        }
        _ => {
            let (start, end) = piece(dice, bytes);
            let repeated = if dice.below(2) == 0 { Vec::new() } else { bytes[start..end].repeat(2) };
            bytes.splice(start..end, repeated);
            "a piece dropped or doubled"
        }
    }
}

/// A place in the file: a third of the time near the beginning, where headers are.
fn place(dice: &mut Dice, bytes: &[u8]) -> usize {
    let end = if dice.below(3) == 0 { bytes.len().min(4096) } else { bytes.len() };
    dice.below(end)
}

fn piece(dice: &mut Dice, bytes: &[u8]) -> (usize, usize) {
    if bytes.is_empty() {
        return (0, 0);
    }
    let start = place(dice, bytes);
    (start, start + dice.length(bytes.len() - start))
}

/// Makes a length or a count of the format say something else.
fn lie(dice: &mut Dice, bytes: &mut [u8]) -> &'static str {
    let lengths = lengths(bytes);
    if lengths.is_empty() {
        let at = place(dice, bytes);
        bytes[at] = dice.byte();
        return "a byte changed";
    }
    let length: Length = *dice.one_of(&lengths);
    let truth = length.read(bytes);
    let near = 1 + dice.next() % 64;
    let lies = [
        0,
        1,
        7,
        8,
        truth.wrapping_add(near),
        truth.saturating_sub(near),
        truth.wrapping_mul(2),
        truth / 2,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_ffff,
        dice.next() >> 32,
        bytes.len() as u64,
    ];
    length.write(bytes, *dice.one_of(&lies));
    "a length that lies"
}
