//! How many items a HEIF file lists, read from its boxes before libheif sees it.

/// A photo of 64 megapixels in tiles of 512 × 512 px has 250 of them.
pub const ITEMS_MAX: u32 = 1024;

/// How many items libheif may meet: it reads every entry that there is, whatever the list says of their number.
pub fn count(bytes: &[u8]) -> u32 {
    u32::try_from(memchr::memmem::find_iter(bytes, b"infe").count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn entries_are_counted_and_not_believed() {
        let list = [&b"\0\0\0\x0ciinf\0\0\0\0\0\x01"[..], &b"\0\0\0\x08infe".repeat(3)].concat();
        assert_eq!(count(&list), 3);
        assert_eq!(count(b""), 0);
    }
}
