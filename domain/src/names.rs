//! File names of a request to the engine: names in the scratch directory and nothing else.

use crate::problem::{Problem, Remedy};

/// Longer ones are not from our worker.
const NAME_BYTES_MAX: usize = 200;

/// Accepts letters, digits, `.`, `_` and `-`, not starting with a dot or a dash.
///
/// # Errors
/// `media.bad_request`, which is the caller's mistake, not the file's.
pub fn check(name: &str) -> Result<(), Problem> {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if name.is_empty()
        || name.len() > NAME_BYTES_MAX
        || name.starts_with(['.', '-'])
        || !name.bytes().all(fine)
    {
        return Err(Problem::new(
            "media.bad_request",
            "A file name in the request is not a plain name.",
            Remedy::Retry,
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn only_plain_names_pass() {
        for name in ["source", "out-1.mp4", "a_b.jpg"] {
            assert!(check(name).is_ok(), "{name}");
        }
        for name in ["", ".", "..", "../x", "/etc/passwd", "a/b", "http:x", "-i", ".hidden", "a\0b", "ä"] {
            assert!(check(name).is_err(), "{name}");
        }
    }
}
