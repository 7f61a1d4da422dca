//! Ways to files that are none of ours.

use std::ffi::CStr;
use std::fs::{self, File, Permissions};
use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use super::raw::{address, call, opens};
use super::{Attempt, Ground};

/// Written and removed again.
const INSIDE: &str = "self-test";
const LINK: &str = "self-test.link";
const PIPE: &CStr = c"self-test.pipe";
const ABOVE: &str = "reelmill-escape";
/// The first descriptors that are no standard streams, up to our limit of open files.
const INHERITED: std::ops::Range<usize> = 3..64;

pub fn attempts(ground: &Ground<'_>) -> Vec<Attempt> {
    // First, as long as nothing was opened by ourselves.
    let inherited = INHERITED.into_iter().any(|descriptor| opens(libc::SYS_dup, &[descriptor]));
    let process = |name: &str| format!("/proc/{}/{name}", ground.parent);
    let _made = fs::write(INSIDE, b"inside");
    let mode = fs::set_permissions(INSIDE, Permissions::from_mode(0o700));
    let pipe = makes_pipe();
    let symbolic = symlink("/etc/passwd", LINK);
    let _gone = fs::remove_file(LINK);
    let attempts = vec![
        Attempt::forbidden("use what the parent left open", !inherited),
        Attempt::forbidden("read /etc/passwd", fs::read("/etc/passwd").is_err()),
        Attempt::forbidden("list the processes of the machine", fs::read_dir("/proc").is_err()),
        Attempt::forbidden("read the parent's environment", !reads(&process("environ"))),
        Attempt::forbidden("read the parent's map of memory", !reads(&process("maps"))),
        Attempt::forbidden("open the parent's memory", File::open(process("mem")).is_err()),
        Attempt::forbidden("list the parent's files", fs::read_dir(process("fd")).is_err()),
        Attempt::forbidden("write outside the scratch directory", writes(ground.outside)),
        Attempt::forbidden("write above the scratch directory", writes_above_stay_inside()),
        Attempt::forbidden("give a file another name outside", links(ground.outside)),
        Attempt::forbidden("move a file outside", moves(ground.outside)),
        Attempt::forbidden("leave a symbolic link", symbolic.is_err()),
        Attempt::forbidden("leave a named pipe", !pipe),
        Attempt::forbidden("change the mode of a file", mode.is_err()),
    ];
    let _gone = fs::remove_file(INSIDE);
    attempts
}

pub fn needed() -> Vec<Attempt> {
    let renamed = "self-test.renamed";
    vec![
        Attempt::needed("write in the scratch directory", fs::write(INSIDE, b"inside").is_err()),
        Attempt::needed("read in the scratch directory", !reads(INSIDE)),
        Attempt::needed("rename in the scratch directory", fs::rename(INSIDE, renamed).is_err()),
        Attempt::needed("remove from the scratch directory", fs::remove_file(renamed).is_err()),
    ]
}

fn makes_pipe() -> bool {
    let here = isize::try_from(libc::AT_FDCWD).map_or(0, isize::cast_unsigned);
    let made = call(libc::SYS_mknodat, &[here, address(PIPE), (libc::S_IFIFO | libc::S_IRUSR) as usize, 0]);
    let _gone = fs::remove_file(Path::new("self-test.pipe"));
    made
}

fn reads(path: &str) -> bool {
    let mut byte = [0];
    File::open(path).and_then(|mut file| file.read_exact(&mut byte)).is_ok()
}

/// Whether writing there is stopped.
fn writes(outside: &Path) -> bool {
    let stopped = fs::write(outside, b"escaped").is_err();
    let _gone = fs::remove_file(outside);
    stopped
}

fn links(outside: &Path) -> bool {
    let stopped = fs::hard_link(INSIDE, outside).is_err();
    let _gone = fs::remove_file(outside);
    stopped
}

fn moves(outside: &Path) -> bool {
    let stopped = fs::rename(INSIDE, outside).is_err();
    let _gone = fs::remove_file(outside);
    stopped
}

/// With a root directory of its own, `..` of the scratch directory is the scratch directory.
fn writes_above_stay_inside() -> bool {
    let above = Path::new("..").join(ABOVE);
    let inside = fs::write(&above, b"escaped").is_err() || fs::remove_file(ABOVE).is_ok();
    let _gone = fs::remove_file(above);
    inside
}
