//! The hash that names a file's content.

use std::fs::File;
use std::io::{self, Read};

use domain::problem::Problem;
use sha2::{Digest, Sha256};

use crate::reject;

/// Large enough that the hash, not the reading, takes the time.
const CHUNK_BYTES: usize = 1 << 20;

/// SHA-256 of the whole file, hex.
///
/// # Errors
/// `media.unreadable` when it cannot be read.
pub fn sha256(path: &str) -> Result<String, Problem> {
    hash(path).map_err(|_| reject::unreadable())
}

fn hash(path: &str) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut hash = Sha256::new();
    loop {
        match file.read(&mut chunk)? {
            0 => break,
            count => hash.update(&chunk[..count]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
