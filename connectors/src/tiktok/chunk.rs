//! How a file is cut for upload.
//!
//! 5 MB ≤ chunk ≤ 64 MB, `floor(size / chunk)` chunks, the last takes the remainder
//! (media-transfer-guide, 2026-05-01). Nobody says whether MB means 10⁶ or 2²⁰: 10⁷ suits both.

use std::ops::Range;

const CHUNK: u64 = 10_000_000;

/// The chunks of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunks {
    total: u64,
    /// Of every chunk but the last, bytes.
    pub(super) size: u64,
    pub(super) count: u64,
}

impl Chunks {
    /// One chunk up to 20 MB, which stays within what a single chunk may hold.
    pub(super) fn of(total: u64) -> Self {
        let count = (total / CHUNK).max(1);
        Self { total, size: if count == 1 { total } else { CHUNK }, count }
    }

    pub(super) fn range(self, index: u64) -> Range<u64> {
        let start = index * self.size;
        start..if index + 1 == self.count { self.total } else { start + self.size }
    }

    /// The chunk whose arrival completes the file, and with it posts.
    pub(super) fn last(self) -> Range<u64> {
        self.range(self.count - 1)
    }

    /// How many chunks `uploaded` bytes are; `None`: they end within one.
    pub(super) fn whole(self, uploaded: u64) -> Option<u64> {
        (uploaded <= self.last().start && uploaded.is_multiple_of(self.size)).then(|| uploaded / self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::Chunks;

    #[test]
    fn every_file_is_cut_as_the_guide_says() {
        // (bytes, chunk size, chunks, length of the last)
        let table = [
            (1, 1, 1, 1),
            (4_999_999, 4_999_999, 1, 4_999_999),
            (10_000_000, 10_000_000, 1, 10_000_000),
            (19_999_999, 19_999_999, 1, 19_999_999),
            (20_000_000, 10_000_000, 2, 10_000_000),
            (50_000_123, 10_000_000, 5, 10_000_123),
            (4_294_967_296, 10_000_000, 429, 14_967_296),
        ];
        for (bytes, size, count, last) in table {
            let chunks = Chunks::of(bytes);
            assert_eq!((chunks.size, chunks.count), (size, count), "{bytes}");
            assert_eq!(chunks.last().end - chunks.last().start, last, "{bytes}");
            assert_eq!(chunks.count, bytes / chunks.size, "{bytes}: the count that TikTok computes");
            let ranges: Vec<_> = (0..count).map(|index| chunks.range(index)).collect();
            assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start), "{bytes}");
            assert_eq!((ranges[0].start, chunks.last().end), (0, bytes));
        }
    }

    #[test]
    fn an_upload_goes_on_only_at_a_chunk_and_never_past_the_last() {
        let chunks = Chunks::of(50_000_123);
        assert_eq!(chunks.whole(0), Some(0));
        assert_eq!(chunks.whole(20_000_000), Some(2));
        assert_eq!(chunks.whole(40_000_000), Some(4));
        assert_eq!(chunks.whole(20_000_001), None);
        assert_eq!(chunks.whole(50_000_000), None);
        assert_eq!(chunks.whole(50_000_123), None);
    }
}
