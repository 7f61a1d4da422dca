//! More than one request may use.

use std::fs::{self, File};

use super::Attempt;
use super::raw::{address, call};

const NAME: &str = "self-test.large";
/// Over each of the limits, and under what the machine has.
const MEMORY_BYTES: usize = 7 << 30;
const FILE_BYTES: u64 = 6 << 30;
const FILES: usize = 80;

pub fn attempts() -> Vec<Attempt> {
    let memory = Vec::<u8>::new().try_reserve_exact(MEMORY_BYTES);
    // A hole: nothing is written.
    let large = File::create(NAME).and_then(|file| file.set_len(FILE_BYTES));
    let files: Vec<_> = (0..FILES).map(|_| File::open(NAME)).collect();
    let refused = files.iter().any(Result::is_err);
    drop(files);
    let _gone = fs::remove_file(NAME);
    // Current and highest number of open files.
    let more = [256_u64, 256];
    let raised = call(libc::SYS_setrlimit, &[libc::RLIMIT_NOFILE as usize, address(&more)]);
    vec![
        Attempt::forbidden("take 7 GiB of memory", memory.is_err()),
        Attempt::forbidden("write a file of 6 GiB", large.is_err()),
        Attempt::forbidden("open 80 files at once", refused),
        Attempt::forbidden("raise its limits", !raised),
    ]
}
