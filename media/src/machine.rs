//! When the machine fails and not the file: nothing is said about the file. The process ends without an answer, and its
//! job is tried again.

use crate::complain;

/// Memory, disk or its room failed.
const EXIT_MACHINE: i32 = 3;

/// Ends the process.
pub fn failed(what: &str) -> ! {
    complain(what);
    std::process::exit(EXIT_MACHINE)
}

/// Ends the process when `errno` is one that no file is to blame for.
pub fn check(errno: Option<i32>) {
    match errno {
        Some(libc::ENOSPC | libc::EDQUOT) => {
            failed("the disk of the scratch directory is full: give SCRATCH_DIR more room");
        }
        Some(libc::EIO) => failed("the disk of the scratch directory does not read or write"),
        _ => {}
    }
}
