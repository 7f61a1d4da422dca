//! Where the record of a key lies: one folder per component, every character that could mean something escaped.

use std::path::PathBuf;

use super::store::StoreError;

/// S3's own limit: "the key name … at most 1,024 bytes" (Amazon S3 User Guide, "Naming objects", 2026-11).
const KEY_BYTES_MAX: usize = 1024;
/// Linux allows 255 bytes for a file name; the record's ending needs 5.
const COMPONENT_BYTES_MAX: usize = 250;
/// The ending of records. Dots are escaped in components, so no folder can be taken for a record.
const ENDING: &str = ".json";

/// The path of the record of `key`, below its bucket's folder.
///
/// # Errors
/// The key is empty or too long, or one of its components is too long for a file name.
pub(super) fn record_path(key: &str) -> Result<PathBuf, StoreError> {
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        return Err(StoreError::KeyTooLong);
    }
    let mut path: PathBuf = key.split('/').map(escape).collect();
    if path.components().any(|part| part.as_os_str().len() > COMPONENT_BYTES_MAX) {
        return Err(StoreError::KeyTooLong);
    }
    path.as_mut_os_string().push(ENDING);
    Ok(path)
}

/// The folder in which every key with `prefix` has its record.
pub(super) fn folder_of_prefix(prefix: &str) -> PathBuf {
    match prefix.rsplit_once('/') {
        Some((folder, _)) => folder.split('/').map(escape).collect(),
        None => PathBuf::new(),
    }
}

/// What a folder's name stands for.
pub(super) fn folder_name(name: &str) -> Option<String> {
    unescape(name)
}

/// The last component of a key whose record has this file name; `None` for files that are no record.
pub(super) fn record_name(name: &str) -> Option<String> {
    unescape(name.strip_suffix(ENDING)?)
}

/// An empty component becomes a lone `%`, since a folder needs a name.
fn escape(component: &str) -> String {
    if component.is_empty() {
        return "%".to_owned();
    }
    let mut escaped = String::with_capacity(component.len());
    for byte in component.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => escaped.push(byte.into()),
            other => {
                escaped.push('%');
                escaped.push_str(&hex::encode([other]));
            }
        }
    }
    escaped
}

fn unescape(name: &str) -> Option<String> {
    if name == "%" {
        return Some(String::new());
    }
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            bytes.extend(hex::decode(tail.get(..2)?).ok()?);
            rest = tail.get(2..)?;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at a surprise")]

    use super::{folder_of_prefix, record_name, record_path};

    #[test]
    fn a_key_stays_inside_its_bucket_and_can_be_read_back() {
        for (key, path) in [
            ("a", "a.json"),
            ("b1/asset/clip.mp4", "b1/asset/clip%2emp4.json"),
            ("../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd.json"),
            ("a//b/", "a/%/b/%.json"),
            ("ü %", "%c3%bc%20%25.json"),
        ] {
            let found = record_path(key).unwrap();
            assert_eq!(found.to_str().unwrap(), path);
            let last = found.file_name().unwrap().to_str().unwrap();
            assert_eq!(record_name(last).unwrap(), key.rsplit('/').next().unwrap());
        }
    }

    #[test]
    fn a_folder_is_never_taken_for_a_record() {
        assert_eq!(record_path("a.json/b").unwrap().to_str().unwrap(), "a%2ejson/b.json");
        assert_eq!(folder_of_prefix("a.json/b").to_str().unwrap(), "a%2ejson");
        assert!(record_name("a").is_none());
    }

    #[test]
    fn keys_too_long_are_refused() {
        assert!(record_path("").is_err());
        assert!(record_path(&"k".repeat(1025)).is_err());
        assert!(record_path(&"k".repeat(251)).is_err());
    }
}
