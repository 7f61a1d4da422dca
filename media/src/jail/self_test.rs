//! Tries from inside what the jail forbids. `reelmill-media --self-test` prints what it found.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use serde::Serialize;

/// What was tried, and whether the jail stopped it.
#[derive(Debug, Serialize)]
pub struct Attempt {
    pub tried: &'static str,
    pub stopped: bool,
}

/// Tries everything once and cleans up after itself. `outside` is a path that exists or could be
/// made, and lies outside the scratch directory.
#[must_use]
pub fn self_test(outside: &Path) -> Vec<Attempt> {
    let attempt = |tried, stopped| Attempt { tried, stopped };
    vec![
        attempt("open a TCP socket", TcpListener::bind(("127.0.0.1", 0)).is_err()),
        attempt("open a UDP socket", UdpSocket::bind(("127.0.0.1", 0)).is_err()),
        attempt("open a Unix socket", UnixListener::bind("socket").is_err()),
        attempt("read /etc/passwd", fs::read("/etc/passwd").is_err()),
        attempt("list the root directory of the machine", fs::read_dir("/proc").is_err()),
        attempt("write outside the scratch directory", fs::write(outside, b"escaped").is_err()),
        attempt("write above the scratch directory", writes_above_stay_inside()),
        attempt("run a program", Command::new("/bin/true").status().is_err()),
        attempt("start a thread", std::thread::Builder::new().spawn(|| ()).is_err()),
        attempt("write in the scratch directory", fs::write("self-test", b"inside").is_err()),
    ]
}

/// With a root directory of its own, `..` of the scratch directory is the scratch directory.
fn writes_above_stay_inside() -> bool {
    fs::write("../reelmill-escape", b"escaped").is_err() || fs::remove_file("reelmill-escape").is_ok()
}
