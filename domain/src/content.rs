//! What is posted, apart from how: the identity that keeps the same content from going out twice.

use sha2::{Digest, Sha256};

use crate::platform::MediaKind;

/// Names the content of an asset: its kind and the SHA-256 of each of its files, in their order.
///
/// Two uploads of the same file are the same content; a carousel in another order is another.
#[must_use]
pub fn content_key(kind: MediaKind, files: &[[u8; 32]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(kind.as_str());
    // Hashes have one length, so no separator is needed to keep lists apart.
    hash.update([0]);
    for file in files {
        hash.update(file);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_files_in_the_same_order_and_kind_are_the_same_content() {
        let (a, b) = ([1; 32], [2; 32]);
        let key = content_key(MediaKind::Carousel, &[a, b]);
        assert_eq!(key, content_key(MediaKind::Carousel, &[a, b]));
        for other in [
            content_key(MediaKind::Carousel, &[b, a]),
            content_key(MediaKind::Carousel, &[a]),
            content_key(MediaKind::Image, &[a]),
            content_key(MediaKind::Video, &[a]),
            content_key(MediaKind::Carousel, &[]),
        ] {
            assert_ne!(key, other);
        }
        assert_ne!(content_key(MediaKind::Image, &[a]), content_key(MediaKind::Video, &[a]));
    }
}
