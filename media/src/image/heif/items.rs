//! How many items a HEIF file lists, read from its boxes before libheif sees it.

/// A photo of 64 megapixels in tiles of 512 × 512 px has 250 of them.
pub const ITEMS_MAX: u32 = 1024;

/// Entries of the item list (`meta/iinf`); `None` when there is none, as in files that only hold a
/// sequence.
pub fn count(bytes: &[u8]) -> Option<u32> {
    // A `FullBox` starts with version and flags.
    let meta = child(bytes, *b"meta")?.get(4..)?;
    let list = child(meta, *b"iinf")?;
    match list.first()? {
        0 => Some(u32::from(u16::from_be_bytes(list.get(4..6)?.try_into().ok()?))),
        _ => Some(u32::from_be_bytes(list.get(4..8)?.try_into().ok()?)),
    }
}

/// The body of the first box of a kind, cut where `bytes` end.
fn child(bytes: &[u8], kind: [u8; 4]) -> Option<&[u8]> {
    let mut rest = bytes;
    loop {
        let size = usize::try_from(u32::from_be_bytes(rest.get(..4)?.try_into().ok()?)).ok()?;
        let found = rest.get(4..8)? == kind;
        let (head, size) = match size {
            0 => (8, rest.len()),
            1 => (16, usize::try_from(u64::from_be_bytes(rest.get(8..16)?.try_into().ok()?)).ok()?),
            _ => (8, size),
        };
        if found {
            return rest.get(head..size.min(rest.len()));
        }
        rest = rest.get(size.max(head)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::count;

    fn boxed(kind: &[u8], body: &[u8]) -> Vec<u8> {
        let size = u32::try_from(8 + body.len()).unwrap_or(u32::MAX);
        [&size.to_be_bytes(), kind, body].concat()
    }

    #[test]
    fn items_are_counted_and_lies_are_no_crash() {
        let list = boxed(b"iinf", &[0, 0, 0, 0, 0x01, 0x02]);
        let meta = boxed(b"meta", &[&[0; 4], boxed(b"hdlr", &[0; 20]).as_slice(), &list].concat());
        let file = [boxed(b"ftyp", b"heic\0\0\0\0"), meta].concat();
        assert_eq!(count(&file), Some(0x0102));
        let wide = boxed(b"meta", &[&[0; 4][..], &boxed(b"iinf", &[1, 0, 0, 0, 0, 1, 0, 0])].concat());
        assert_eq!(count(&wide), Some(0x1_0000));
        for length in 0..file.len() {
            let _cut = count(&file[..length]);
        }
        assert_eq!(count(&[0, 0, 0, 2, b'f', b'r', b'e', b'e']), None);
    }
}
