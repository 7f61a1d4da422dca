//! Chance that can be repeated.

/// SplitMix64: small, and each seed gives a sequence of its own.
pub struct Dice(u64);

impl Dice {
    /// The dice of the `index`th throw of a game.
    pub const fn new(seed: u64, index: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ index.wrapping_mul(0xbf58_476d_1ce4_e5b9))
    }

    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// Below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    pub fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    pub fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }

    /// Small numbers are as likely as large ones: a piece of up to `end` bytes, at least one.
    pub fn length(&mut self, end: usize) -> usize {
        let bits = end.max(1).ilog2() + 1;
        let bound = 1_usize << self.below(bits as usize + 1);
        1 + self.below(bound.min(end).max(1))
    }
}
